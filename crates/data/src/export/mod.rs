//! Writes data sets as the files that other projects read. One file per format.

mod captions;
mod duoduo;
mod files;
mod job;
mod openshape;
mod zero123;

use std::collections::BTreeSet;
use std::path::Path;

use fs_err as fs;

pub(crate) use self::duoduo::{push_planes, uint8};
use self::job::ExportJob;
pub use self::job::ExportSummary;
use crate::{DataError, Dataset};

/// A format that can be exported.
#[derive(Clone, Copy)]
pub struct ExportFormat {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it writes.
    pub description: &'static str,
    write: fn(ExportJob<'_>) -> Result<ExportSummary, DataError>,
}

/// Every format, sorted by name.
pub const FORMATS: [ExportFormat; 5] = [
    ExportFormat {
        name: "captions",
        description: "captions.csv (id,caption, as Cap3D) and labels.csv",
        write: captions::write,
    },
    ExportFormat {
        name: "duoduo",
        description: "Duoduo CLIP: mv_images.h5 (224 pixels, on white) with model_to_idx.json, and image_embeddings.h5 if there are \
            features",
        write: duoduo::write,
    },
    ExportFormat {
        name: "files",
        description: "all files of each shape, in a folder per shape",
        write: files::write,
    },
    ExportFormat {
        name: "openshape",
        description: "OpenShape: <id>.npy with xyz, rgb, texts and features, split.json",
        write: openshape::write,
    },
    ExportFormat { name: "zero123", description: "Zero123 renders: <id>/000.png …", write: zero123::write },
];

/// The format with this name.
pub fn find(name: &str) -> Option<&'static ExportFormat> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Numbers of the shapes of a split, or of all shapes, sorted by key.
///
/// # Errors
/// [`DataError::Unusable`] if there are none; lists the splits.
pub fn shapes_of(dataset: &Dataset, root: &Path, split: Option<&str>) -> Result<Vec<usize>, DataError> {
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
            root,
            format!("no shape in split {split:?}, the splits are {splits}"),
            "choose one of these with --split, or omit it to export all shapes",
        ),
        None => DataError::unusable(root, "holds no shapes", "prepare or import some first"),
    })
}

impl ExportFormat {
    /// Writes shapes, given by number, into a new or empty folder. `progress` is called after each shape. Everything that was
    /// written is deleted if it fails.
    ///
    /// # Errors
    /// [`DataError::Unusable`] if the folder is not empty, or no shape can be written in this format; or if a file cannot be read or
    /// written.
    pub fn write(
        &self,
        dataset: &Dataset,
        shapes: &[usize],
        out_dir: &Path,
        progress: &mut dyn FnMut(),
    ) -> Result<ExportSummary, DataError> {
        let existed = out_dir.exists();
        fs::create_dir_all(out_dir)?;
        if fs::read_dir(out_dir)?.next().is_some() {
            let hint = "use a new or empty folder, so that two exports are not mixed";
            return Err(DataError::unusable(out_dir, "expected an empty folder, found files", hint));
        }
        let exported = (self.write)(ExportJob { dataset, shapes, out_dir, progress });
        let checked = exported.and_then(|exported| match exported.skipped.first() {
            Some((key, reason)) if exported.shapes == 0 => Err(DataError::unusable(
                out_dir,
                format!("none of {} shapes can be written as {}: {key} {reason}", shapes.len(), self.name),
                format!("{}: {}", self.name, self.description),
            )),
            _ => Ok(exported),
        });
        checked.inspect_err(|_| remove_partial(out_dir, existed))
    }
}

/// Deletes what was written into a folder that was empty.
fn remove_partial(folder: &Path, existed: bool) {
    // The caller returns the first error; files that cannot be deleted are reported by the next export.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
    if !existed {
        let _ = fs::remove_dir(folder);
    }
}
