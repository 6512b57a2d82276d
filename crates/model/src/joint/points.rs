//! The point tower of a joint model.

use lexiform_geometry::PointCloud;

use super::{JointModel, PointBranchConfig};
use crate::embedding::Embedding;
use crate::error::ModelError;
use crate::point::FpsStart;
use crate::point_model::{PointModel, embed_clouds};
use crate::precision::ComputePrecision;

impl JointModel {
    /// Adds, or replaces, the point tower by one that was trained on the features of this model.
    ///
    /// # Errors
    /// [`ModelError::TeacherMismatch`] if it was trained on the features of another model.
    pub fn with_point_tower(mut self, points: &PointModel) -> Result<Self, ModelError> {
        let config = points.config();
        if config.taught_by.as_deref() != Some(self.clip_id()) {
            let taught_by = config.taught_by.clone().unwrap_or_else(|| "an unknown model".to_owned());
            let (points, model) = (points.id().to_owned(), self.clip_id().to_owned());
            return Err(ModelError::TeacherMismatch { points, taught_by, model });
        }
        self.config.points = Some(PointBranchConfig { tower: config.tower.clone(), input: config.input });
        self.points = Some(points.tower().clone());
        // A model with any rounded weights cannot be saved.
        if points.precision() != ComputePrecision::F32 {
            self.precision = points.precision();
        }
        // A file of both has a fingerprint of all weights; these were never one file.
        self.id = format!("{}+{}", self.clip_id, points.id());
        Ok(self)
    }

    /// Sizes and preprocessing of the point tower, if any.
    pub fn point_branch(&self) -> Option<&PointBranchConfig> {
        self.config.points.as_ref()
    }

    /// Embeddings of point clouds by the point tower. Clouds may differ in size.
    ///
    /// # Errors
    /// [`ModelError::NoPointTower`], [`ModelError::CloudBatch`] if one is empty.
    pub fn embed_clouds(&self, clouds: &[PointCloud]) -> Result<Vec<Embedding>, ModelError> {
        let (Some(part), Some(tower)) = (&self.config.points, &self.points) else {
            return Err(ModelError::NoPointTower { model: self.id.clone() });
        };
        embed_clouds(tower, &part.input, part.tower.encoder.colored(), FpsStart::default(), clouds)
    }
}
