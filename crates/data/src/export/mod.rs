//! Data sets as the files that other projects read.

mod captions;
mod duoduo;
mod files;
mod openshape;
mod zero123;

use std::collections::BTreeSet;
use std::path::Path;

use fs_err as fs;

use crate::{DataError, Dataset};

/// A format that can be exported.
#[derive(Clone, Copy)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it writes.
    pub about: &'static str,
    write: fn(Work<'_>) -> Result<Exported, DataError>,
}

/// What is to be written, and where.
struct Work<'a> {
    dataset: &'a Dataset,
    shapes: &'a [usize],
    /// A folder, which is there.
    to: &'a Path,
    progress: &'a mut dyn FnMut(),
}

/// Every format, sorted by name.
pub const FORMATS: [Format; 5] = [
    Format {
        name: "captions",
        about: "captions.csv (id,caption, as Cap3D) and labels.csv",
        write: captions::write,
    },
    Format {
        name: "duoduo",
        about: "Duoduo CLIP: mv_images.h5 of 224 pixels on white with model_to_idx.json, image_embeddings.h5 where there are \
            features",
        write: duoduo::write,
    },
    Format { name: "files", about: "every file of every shape in a folder of its own", write: files::write },
    Format {
        name: "openshape",
        about: "OpenShape: <id>.npy with xyz, rgb, texts and features, split.json",
        write: openshape::write,
    },
    Format { name: "zero123", about: "Zero123 renders: <id>/000.png …", write: zero123::write },
];

/// The format of a name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Numbers of the shapes of a split, or of all, sorted by key.
///
/// # Errors
/// [`DataError::Unusable`] where there are none says which splits there are.
pub fn shapes_of(dataset: &Dataset, place: &Path, split: Option<&str>) -> Result<Vec<usize>, DataError> {
    let wanted = |shape: &usize| split.is_none_or(|split| dataset.split(*shape) == split);
    let mut shapes: Vec<usize> = (0..dataset.len()).filter(wanted).collect();
    shapes.sort_by(|a, b| dataset.key(*a).cmp(dataset.key(*b)));
    if !shapes.is_empty() {
        return Ok(shapes);
    }
    let splits: BTreeSet<&str> = (0..dataset.len()).map(|shape| dataset.split(shape)).collect();
    let splits = splits.into_iter().collect::<Vec<_>>().join(", ");
    Err(match split.filter(|_| !dataset.is_empty()) {
        Some(split) => DataError::unusable(
            place,
            format!("no shape belongs to split {split:?}, there are {splits}"),
            "name one of these by --split, or leave it out to export all",
        ),
        None => DataError::unusable(place, "holds no shapes", "prepare or import some first"),
    })
}

impl Format {
    /// Writes shapes by number into a folder, which is made or empty; `progress` hears of each. What was written goes again if
    /// it fails.
    ///
    /// # Errors
    /// [`DataError::Unusable`] if something lies in the folder, or no shape can be written in this format.
    pub fn write(
        &self,
        dataset: &Dataset,
        shapes: &[usize],
        to: &Path,
        progress: &mut dyn FnMut(),
    ) -> Result<Exported, DataError> {
        let was_there = to.exists();
        fs::create_dir_all(to)?;
        if fs::read_dir(to)?.next().is_some() {
            let hint = "give a new or empty folder: shapes of two exports are not told apart";
            return Err(DataError::unusable(to, "expected an empty folder, found files in it", hint));
        }
        let exported = (self.write)(Work { dataset, shapes, to, progress });
        let checked = exported.and_then(|exported| match exported.left_out.first() {
            Some((key, reason)) if exported.shapes == 0 => Err(DataError::unusable(
                to,
                format!("none of {} shapes can be written as {}: {key} {reason}", shapes.len(), self.name),
                format!("{} is {}", self.name, self.about),
            )),
            _ => Ok(exported),
        });
        checked.inspect_err(|_| clear(to, was_there))
    }
}

/// Takes away what was written into a folder that was empty.
fn clear(folder: &Path, was_there: bool) {
    // The error that led here is told; what cannot be taken away is found by the next export.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
    if !was_there {
        let _ = fs::remove_dir(folder);
    }
}

impl Work<'_> {
    /// Goes through the shapes; a reason, where `write` gives one, says why a shape was left out.
    fn each(
        self,
        mut write: impl FnMut(usize) -> Result<Option<&'static str>, DataError>,
    ) -> Result<Exported, DataError> {
        let mut exported = Exported::default();
        for &shape in self.shapes {
            match write(shape)? {
                None => exported.shapes += 1,
                Some(reason) => exported.leave_out(self.dataset.key(shape), reason),
            }
            (self.progress)();
        }
        Ok(exported)
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// How many shapes.
    pub shapes: usize,
    /// Shapes that could not be written in this format, with the reason.
    pub left_out: Vec<(String, String)>,
}

impl Exported {
    fn leave_out(&mut self, key: &str, reason: impl Into<String>) {
        self.left_out.push((key.to_owned(), reason.into()));
    }
}

/// The name a shape has outside: its id where that is a plain file name, otherwise its key.
fn outside_name(key: &str, id: &str) -> String {
    let plain = !id.is_empty()
        && id.len() <= 200
        && !id.starts_with('.')
        && id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if plain { id.to_owned() } else { key.to_owned() }
}
