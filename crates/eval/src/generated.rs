//! Generated shapes, for evaluating a model without any files.

use image::RgbaImage;
use lexiform_geometry::{PointCloud, Scene};
use lexiform_search::{Encoder, ModelInput, ShapePreprocessor, SimulatedScan};

/// Generates shapes that no training uses. Implemented outside this crate, which links no generator.
pub trait ShapeGenerator {
    /// Shapes as the encoder needs them (views, points or both), or as simulated scans if `clouds` is given.
    fn generate(&self, encoder: &dyn Encoder, clouds: Option<SimulatedScan>) -> GeneratedShapes;
}

/// Labeled shapes in memory.
#[derive(Clone, Debug, Default)]
pub struct GeneratedShapes {
    /// Category names.
    pub labels: Vec<String>,
    /// The shapes.
    pub shapes: Vec<GeneratedShape>,
}

/// A shape of a known category.
#[derive(Clone, Debug)]
pub struct GeneratedShape {
    /// Index of its category in [`GeneratedShapes::labels`].
    pub category: usize,
    /// Its views; empty if the encoder needs none.
    pub views: Vec<RgbaImage>,
    /// Points of its surface; empty if the encoder needs none.
    pub cloud: PointCloud,
}

impl GeneratedShape {
    /// The input for a model.
    pub(crate) fn into_input(self, preprocessor: &ShapePreprocessor) -> ModelInput {
        let Self { views, cloud, .. } = self;
        match (views.is_empty(), cloud.positions().is_empty()) {
            // Point encoders sample from the cloud themselves.
            (true, _) => preprocessor.process_scene(Scene::from_cloud(cloud)),
            (false, true) => ModelInput::Views(views),
            (false, false) => ModelInput::Both { views, cloud },
        }
    }
}
