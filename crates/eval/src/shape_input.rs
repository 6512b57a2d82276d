//! The model input of an entry: a 3D file, a folder of views, or a shape of a data set.

use std::path::{Path, PathBuf};

use lexiform_data::Member;
use lexiform_search::{Error, ModelInput, ShapePreprocessor, read_image};

use crate::entry::Entry;

/// Reads the input of an entry. In a folder every image is a view, sorted by name, except the depth and normal maps that
/// `lexiform data export files` writes next to them.
pub(crate) fn read(preprocessor: &ShapePreprocessor, entry: &Entry) -> Result<ModelInput, Error> {
    let path = &*entry.file;
    let preprocessor = &entry.orientation.applied(preprocessor, &entry.name);
    if let Some(shape) = &entry.stored {
        return shape.read(preprocessor);
    }
    if path.is_dir() {
        return Ok(ModelInput::Views(views_in(path)?));
    }
    if !path.exists() {
        return Err(Error::NotFound { path: path.to_owned() });
    }
    Ok(preprocessor.process(path)?.input)
}

fn views_in(folder: &Path) -> Result<Vec<image::RgbaImage>, Error> {
    let failed = |reason: String| Error::Image { path: folder.to_owned(), reason };
    let entries = fs_err::read_dir(folder).map_err(|error| failed(error.to_string()))?;
    let mut images: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| image::ImageFormat::from_path(path).is_ok())
        .collect();
    images.sort();
    let is_view = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| Member::view_index(name).is_some())
    };
    if images.iter().any(is_view) {
        images.retain(is_view);
    }
    if images.is_empty() {
        return Err(failed("expected images in the folder, found none".to_owned()));
    }
    images.iter().map(|path| read_image(path)).collect()
}
