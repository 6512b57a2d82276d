//! The model input of an entry: a 3D file, a folder of views, or a shape of a data set.

use lexiform_search::{Error, ModelInput, ShapePreprocessor, SplitViews, read_views};

use crate::entry::Entry;

/// Reads the input of an entry. In a folder every image is a view, except depth and normal maps next to them.
pub(crate) fn read(preprocessor: &ShapePreprocessor, entry: &Entry) -> Result<ModelInput, Error> {
    let path = &*entry.file;
    let preprocessor = &entry.orientation.applied(preprocessor, &entry.name);
    if let Some(shape) = &entry.stored {
        return shape.read(preprocessor);
    }
    if path.is_dir() {
        return Ok(ModelInput::Views(read_views(&[path.to_owned()], SplitViews::Count(1))?));
    }
    if !path.exists() {
        return Err(Error::NotFound { path: path.to_owned() });
    }
    Ok(preprocessor.process(path)?.input)
}
