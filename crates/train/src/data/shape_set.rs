//! Shapes in memory: views, points, captions and category names.

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

/// A shape with views, points and captions.
pub struct Sample {
    /// Index into [`ShapeSet::categories`].
    pub category: usize,
    /// Views with transparent background.
    pub views: Vec<RgbaImage>,
    /// Points of its surface; empty without a point encoder.
    pub cloud: PointCloud,
    /// Captions; the first is the class name, if it has one.
    pub captions: Vec<Caption>,
}

/// Names of a category.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CategoryNames {
    /// The class name.
    pub name: String,
    /// Synonyms.
    pub synonyms: Vec<String>,
}

/// Shapes in memory.
#[derive(Default)]
pub struct ShapeSet {
    /// All shapes.
    pub samples: Vec<Sample>,
    /// Names of each category.
    pub categories: Vec<CategoryNames>,
    /// Files that could not be read, and why.
    pub skipped: Vec<(PathBuf, String)>,
    /// Whether the class names are whole captions: without labels, each caption is a category of its own.
    pub labels_are_captions: bool,
}

impl ShapeSet {
    /// Class names.
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

/// Size of a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleSize {
    /// Width and height of a view in pixels; 0 renders no views.
    pub view: usize,
    /// Number of points.
    pub points: usize,
}

impl Sample {
    /// A training sample: cameras on a ring at a random elevation, random light.
    pub(crate) fn for_training(
        category: usize,
        scene: Scene,
        captions: Vec<Caption>,
        config: &DataConfig,
        size: SampleSize,
        rng: &mut Rng,
    ) -> Self {
        // The order of random numbers is fixed: the released weights were trained with it.
        let elevation = rng.between(config.elevation_low, config.elevation_high).to_radians();
        let light = Light {
            key_direction: [rng.between(-1.0, 1.0), rng.between(0.2, 1.0), rng.between(-1.0, 1.0)],
            key: rng.between(0.1, 0.5),
            sky: rng.between(0.4, 0.7),
            ground: rng.between(0.1, 0.3),
            headlight: rng.between(0.1, 0.3),
        };
        // Sampled before rendering, which consumes the scene.
        let cloud = sample_surface(&scene, size.points, rng);
        let views = render(scene, &Rig::ring_at(config.views, elevation), size.view, light);
        Self { category, views, cloud, captions }
    }

    /// A validation sample: cameras of `rig`, if any, and default light.
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

/// Class sentences with `name` as captions.
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
    // Inside the unit sphere, with some rounding.
    debug_assert!(scene.bounds().is_none_or(|b| b.extents().cmple(Vec3::splat(2.01)).all()));
    render_views(&scene, rig, &config).images
}
