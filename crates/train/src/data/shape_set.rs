//! Shapes as the network sees them: views and points in memory, captions, and what their kinds are called.

use std::path::PathBuf;

use glam::Vec3;
use image::RgbaImage;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::sample::sample_surface;
use lexiform_geometry::{PointCloud, Rig, Scene};
use lexiform_render::{Background, Light, RenderConfig, render_views};
use lexiform_shapes::{Rng, categories};

use crate::data::caption::{Caption, CaptionSource};
use crate::recipe::DataConfig;

/// One shape: views and what can be said of it.
pub struct Sample {
    /// Index into [`ShapeSet::categories`].
    pub category: usize,
    /// Views with transparent background.
    pub views: Vec<RgbaImage>,
    /// Points of its surface; empty where nobody asks for them.
    pub cloud: PointCloud,
    /// What can be said of it; the first is the name of its category, where shapes have names.
    pub captions: Vec<Caption>,
}

/// What shapes of a category are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryNames {
    /// The usual noun.
    pub name: String,
    /// Other nouns for the same.
    pub synonyms: Vec<String>,
}

/// Samples in memory.
#[derive(Default)]
pub struct ShapeSet {
    /// All samples; a category's are spread evenly.
    pub samples: Vec<Sample>,
    /// What samples of each category are called.
    pub categories: Vec<CategoryNames>,
    /// Files that could not be used, and why.
    pub skipped: Vec<(PathBuf, String)>,
    /// Whether names of categories are whole captions: shapes without labels have nothing else to distinguish them.
    pub labels_are_captions: bool,
}

impl ShapeSet {
    /// Name of each category.
    pub fn names(&self) -> Vec<String> {
        self.categories.iter().map(|category| category.name.clone()).collect()
    }
}

/// Names of the generated categories.
pub(crate) fn generated_names() -> Vec<CategoryNames> {
    let names = categories().iter().map(|category| CategoryNames {
        name: category.name.to_owned(),
        synonyms: category.synonyms.iter().map(|&synonym| synonym.to_owned()).collect(),
    });
    names.collect()
}

/// How a shape is looked at: edge of its views in pixels (none are drawn at 0), and number of points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleSize {
    /// Edge of a view.
    pub view: usize,
    /// Points of a cloud.
    pub points: usize,
}

impl Sample {
    /// A sample to learn from: cameras on a ring and light that `rng` draws.
    pub(crate) fn for_training(
        category: usize,
        scene: Scene,
        captions: Vec<Caption>,
        config: &DataConfig,
        size: SampleSize,
        rng: &mut Rng,
    ) -> Self {
        let elevation = rng.between(config.elevation_low, config.elevation_high).to_radians();
        let light = Light {
            key_direction: [rng.between(-1.0, 1.0), rng.between(0.2, 1.0), rng.between(-1.0, 1.0)],
            key: rng.between(0.1, 0.5),
            sky: rng.between(0.4, 0.7),
            ground: rng.between(0.1, 0.3),
            headlight: rng.between(0.1, 0.3),
        };
        let cloud = sample_surface(&scene, size.points, rng);
        let views = render(scene, &Rig::ring_at(config.views, elevation), size.view, light);
        Self { category, views, cloud, captions }
    }

    /// A sample to measure on, seen by the cameras of `rig` where there is one, in the usual light.
    pub(crate) fn for_validation(
        category: usize,
        scene: Scene,
        captions: Vec<Caption>,
        rig: Option<&Rig>,
        size: SampleSize,
        rng: &mut Rng,
    ) -> Self {
        let cloud = sample_surface(&scene, size.points, rng);
        let views = rig.map_or(Vec::new(), |rig| render(scene, rig, size.view, Light::default()));
        Self { category, views, cloud, captions }
    }
}

/// Captions that put a name into class sentences.
pub(crate) fn captions_from_templates(templates: &[String], name: &str) -> impl Iterator<Item = Caption> {
    templates.iter().map(move |template| Caption::new(template.replace("{}", name), CaptionSource::Generated))
}

fn render(scene: Scene, rig: &Rig, size: usize, light: Light) -> Vec<RgbaImage> {
    if size == 0 {
        return Vec::new();
    }
    let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
    let config =
        RenderConfig { size: size as u32, light, background: Background::Transparent, ..Default::default() };
    debug_assert!(scene.bounds().is_none_or(|b| b.extents().cmple(Vec3::splat(2.01)).all()));
    render_views(&scene, rig, &config).images
}
