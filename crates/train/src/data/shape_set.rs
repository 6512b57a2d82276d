//! Shapes as the network sees them: views and points in memory, captions, and what their kinds are called.

use std::path::PathBuf;

use glam::Vec3;
use image::RgbaImage;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::sample::sample_surface;
use lexiform_geometry::{PointCloud, Rig, Scene};
use lexiform_render::{Background, Light, RenderConfig, render_views};
use lexiform_shapes::{Rng, categories};

use crate::data::caption::{Origin, Saying};
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
    pub sayings: Vec<Saying>,
}

/// What shapes of a category are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
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
    pub categories: Vec<Names>,
    /// Files that could not be used, and why.
    pub left_out: Vec<(PathBuf, String)>,
    /// Whether names of categories are whole captions: shapes without labels have nothing else to distinguish them.
    pub captioned: bool,
}

impl ShapeSet {
    /// Name of each category.
    pub fn names(&self) -> Vec<String> {
        self.categories.iter().map(|category| category.name.clone()).collect()
    }
}

/// Names of the generated categories.
pub(crate) fn generated_names() -> Vec<Names> {
    let names = categories().iter().map(|category| Names {
        name: category.name.to_owned(),
        synonyms: category.synonyms.iter().map(|&synonym| synonym.to_owned()).collect(),
    });
    names.collect()
}

/// How a shape is looked at: edge of its views in pixels (none are drawn at 0), and number of points.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Edge of a view.
    pub view: usize,
    /// Points of a cloud.
    pub points: usize,
}

impl Sample {
    /// A sample to learn from: cameras on a ring and light that `rng` draws.
    pub(crate) fn training(
        category: usize,
        scene: Scene,
        sayings: Vec<Saying>,
        config: &DataConfig,
        sizes: Sizes,
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
        let cloud = sample_surface(&scene, sizes.points, rng);
        let views = draw(scene, &Rig::ring_at(config.views, elevation), sizes.view, light);
        Self { category, views, cloud, sayings }
    }

    /// A sample to measure on, seen by the cameras of `rig` where there is one, in the usual light.
    pub(crate) fn measured(
        category: usize,
        scene: Scene,
        sayings: Vec<Saying>,
        rig: Option<&Rig>,
        sizes: Sizes,
        rng: &mut Rng,
    ) -> Self {
        let cloud = sample_surface(&scene, sizes.points, rng);
        let views = rig.map_or(Vec::new(), |rig| draw(scene, rig, sizes.view, Light::default()));
        Self { category, views, cloud, sayings }
    }
}

/// Captions that put a name into class sentences.
pub(crate) fn from_templates(templates: &[String], name: &str) -> impl Iterator<Item = Saying> {
    templates.iter().map(move |template| Saying::new(template.replace("{}", name), Origin::Machine))
}

fn draw(scene: Scene, rig: &Rig, size: usize, light: Light) -> Vec<RgbaImage> {
    if size == 0 {
        return Vec::new();
    }
    let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
    let config =
        RenderConfig { size: size as u32, light, background: Background::Transparent, ..Default::default() };
    debug_assert!(scene.bounds().is_none_or(|b| b.extents().cmple(Vec3::splat(2.01)).all()));
    render_views(&scene, rig, &config).images
}
