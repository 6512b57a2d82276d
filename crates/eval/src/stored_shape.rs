//! A lazily read shape of a data set.

use std::sync::Arc;

use lexiform_data::{Dataset, Member, POINTS, points_from_array};
use lexiform_formats::view_format::decode_view;
use lexiform_search::{Error, ModelInput, ShapePreprocessor};

/// A shape of a data set.
#[derive(Clone)]
pub struct StoredShape {
    set: Arc<Dataset>,
    shape: usize,
}

impl StoredShape {
    /// The shape with this index.
    pub fn new(set: &Arc<Dataset>, shape: usize) -> Self {
        Self { set: Arc::clone(set), shape }
    }

    /// Reads its views and points as model input.
    ///
    /// # Errors
    /// [`Error::Shape`] if it cannot be read, or has no input for the model.
    pub fn read(&self, preprocessor: &ShapePreprocessor) -> Result<ModelInput, Error> {
        let failed = |reason: String| Error::Shape { path: self.set.key(self.shape).into(), reason };
        // Only what models take: depth and normal maps would multiply the bytes to read.
        let wanted = |name: &str| name == POINTS || Member::view_index(name).is_some();
        let members =
            self.set.members_matching(self.shape, wanted).map_err(|error| failed(error.to_string()))?;
        let (mut views, mut cloud) = (Vec::new(), None);
        for member in members {
            if member.name == POINTS {
                let points = self.set.parse_array(self.shape, POINTS, &member.bytes);
                let points = points.map_err(|error| failed(error.to_string()))?;
                cloud = Some(points_from_array(&points).map_err(failed)?);
            } else {
                views.push(decode_view(&member.bytes).map_err(failed)?);
            }
        }
        preprocessor
            .process_stored(views, cloud)
            .ok_or_else(|| failed("the data set has no input for this model".to_owned()))
    }
}
