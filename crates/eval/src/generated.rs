//! Generated shapes, for measuring a model without any files.

use image::RgbaImage;
use lexiform_geometry::{PointCloud, Scene};
use lexiform_search::{Encoder, ModelInput, ShapePreprocessor, SimulatedScan};

/// Makes shapes that no training uses. This crate generates none: its users bring a generator.
pub trait ShapeGenerator {
    /// Shapes as the encoder needs them: views, points or both; as clouds if `clouds` are asked for.
    fn generate(&self, encoder: &dyn Encoder, clouds: Option<SimulatedScan>) -> GeneratedShapes;
}

/// Labeled shapes in memory.
#[derive(Clone, Debug, Default)]
pub struct GeneratedShapes {
    /// Names of the categories.
    pub labels: Vec<String>,
    /// The shapes.
    pub shapes: Vec<GeneratedShape>,
}

/// A shape of a known category.
#[derive(Clone, Debug)]
pub struct GeneratedShape {
    /// Index of its category in [`GeneratedShapes::labels`].
    pub category: usize,
    /// Its views, empty where the encoder needs none.
    pub views: Vec<RgbaImage>,
    /// Points of its surface, empty where the encoder needs none.
    pub cloud: PointCloud,
}

impl GeneratedShape {
    /// The shape as a model takes it.
    pub(crate) fn into_input(self, preprocessor: &ShapePreprocessor) -> ModelInput {
        let Self { views, cloud, .. } = self;
        match (views.is_empty(), cloud.positions().is_empty()) {
            (true, _) => preprocessor.at(Scene::from_cloud(cloud)),
            (false, true) => ModelInput::Views(views),
            (false, false) => ModelInput::Both { views, cloud },
        }
    }
}
