//! The point tower of a joint model: clouds into the space of its words and views.

use lexiform_geometry::PointCloud;

use super::{JointModel, PointPart};
use crate::embedding::Embedding;
use crate::error::ModelError;
use crate::point::Start;
use crate::point_model::{PointModel, embed_clouds};

impl JointModel {
    /// The same model with a point tower that was trained towards this one's features, in the place of any other.
    ///
    /// # Errors
    /// [`ModelError::Apart`] if the tower was trained towards another model's features.
    pub fn with_points(mut self, points: &PointModel) -> Result<Self, ModelError> {
        let config = points.config();
        if config.taught_by.as_deref() != Some(self.towers_id()) {
            let taught_by = config.taught_by.clone().unwrap_or_else(|| "a model it does not name".to_owned());
            let (points, model) = (points.id().to_owned(), self.towers_id().to_owned());
            return Err(ModelError::Apart { points, taught_by, model });
        }
        self.config.points = Some(PointPart { tower: config.tower.clone(), input: config.input });
        self.points = Some(points.tower().clone());
        // Of weights in memory; a file says its own.
        self.id = format!("{}+{}", self.towers_id, points.id());
        Ok(self)
    }

    /// How the point tower is fed; none if there is none.
    pub fn point_part(&self) -> Option<&PointPart> {
        self.config.points.as_ref()
    }

    /// Embeddings of clouds by the point tower, each prepared as it is used to. Clouds may differ in size.
    ///
    /// # Errors
    /// [`ModelError::NoPointTower`], [`ModelError::Clouds`] if one is empty.
    pub fn embed_clouds(&self, clouds: &[PointCloud]) -> Result<Vec<Embedding>, ModelError> {
        let (Some(part), Some(tower)) = (&self.config.points, &self.points) else {
            return Err(ModelError::NoPointTower { model: self.id.clone() });
        };
        embed_clouds(tower, &part.input, part.tower.encoder.colored(), Start::default(), clouds)
    }
}
