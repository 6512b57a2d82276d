//! An entry as a model takes it: a 3D file, a folder of views, or a shape of a data set.

use std::path::{Path, PathBuf};

use lexiform_data::Member;
use lexiform_search::{Error, ModelInput, ShapePreprocessor, read_image};

use crate::entry::Entry;

/// A shape as a model takes it. In a folder every picture is a view, by name, except depth and normals that `lexiform data
/// export files` writes next to them.
pub(crate) fn read(preprocessor: &ShapePreprocessor, entry: &Entry) -> Result<ModelInput, Error> {
    let path = &*entry.file;
    if let Some(shape) = &entry.stored {
        return shape.read(preprocessor);
    }
    if path.is_dir() {
        return Ok(ModelInput::Views(views_in(path)?));
    }
    if !path.exists() {
        return Err(Error::NotFound { path: path.to_owned() });
    }
    Ok(preprocessor.see(path)?.taken)
}

fn views_in(folder: &Path) -> Result<Vec<image::RgbaImage>, Error> {
    let failed = |reason: String| Error::Image { path: folder.to_owned(), reason };
    let entries = fs_err::read_dir(folder).map_err(|error| failed(error.to_string()))?;
    let mut pictures: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| image::ImageFormat::from_path(path).is_ok())
        .collect();
    pictures.sort();
    let is_view = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| Member::view_index(name).is_some())
    };
    if pictures.iter().any(is_view) {
        pictures.retain(is_view);
    }
    if pictures.is_empty() {
        return Err(failed("the folder holds no pictures".to_owned()));
    }
    pictures.iter().map(|path| read_image(path)).collect()
}
