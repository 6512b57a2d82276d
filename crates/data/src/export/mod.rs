//! Data sets as the files that other projects read.

mod captions;
mod duoduo;
mod files;
mod openshape;
mod zero123;

use std::path::Path;

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

impl Format {
    /// Writes shapes by number into a folder, which is made; `progress` hears of each.
    pub fn write(
        &self,
        dataset: &Dataset,
        shapes: &[usize],
        to: &Path,
        progress: &mut dyn FnMut(),
    ) -> Result<Exported, DataError> {
        fs_err::create_dir_all(to)?;
        (self.write)(Work { dataset, shapes, to, progress })
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
