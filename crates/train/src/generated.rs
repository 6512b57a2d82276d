//! Generated shapes as the network sees them: views in memory, and captions.

use std::ops::Range;

use glam::Vec3;
use image::RgbaImage;
use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
use lexiform_geometry::render::{Background, Light, RenderConfig, render_views};
use lexiform_geometry::sample::sample_surface;
use lexiform_geometry::{PointCloud, Rig, Scene};
use rayon::prelude::*;

use crate::recipe::DataConfig;
use crate::shapes::{Rng, Specimen, Variation, captions, categories};

/// Seeds from here on are for measuring only.
const HELD_OUT_SEEDS: u64 = 1 << 40;

/// One shape: views and what can be said of it.
pub struct Sample {
    /// Index into [`categories`].
    pub category: usize,
    /// Views with transparent background.
    pub views: Vec<RgbaImage>,
    /// Points of its surface; empty where nobody asks for them.
    pub cloud: PointCloud,
    /// From the bare noun to its parts; see [`captions`].
    pub captions: Vec<String>,
}

/// Samples in memory.
pub struct GeneratedShapes {
    /// All samples; a category's are spread evenly.
    pub samples: Vec<Sample>,
}

impl GeneratedShapes {
    /// Shapes to train on: `config.shapes` of them, the categories in turn, each varied as files vary. Rounds are
    /// disjoint. Views are `size` pixels wide, and each shape has a cloud of `points` points.
    pub fn training(config: &DataConfig, [size, points]: [usize; 2], seed: u64, round: u64) -> Self {
        let n = categories().len();
        let first = round * config.shapes as u64;
        Self::generate(0..config.shapes, |i| {
            let serial = first + i as u64;
            let mut rng = Rng::named("training", seed ^ (serial << 8));
            let variation = Variation::draw(&mut rng);
            let specimen = categories()[i % n].generate(seed.wrapping_add(serial / n as u64));
            sample(i % n, specimen, &variation, config, [size, points], &mut rng)
        })
    }

    /// Shapes to measure on, `each` of every category, upright and in color, from seeds that training never uses;
    /// seen by the cameras of `rig`.
    pub fn held_out(each: usize, size: usize, rig: &Rig) -> Self {
        Self::held_out_with(each, Some((size, rig)), 0)
    }

    /// The same shapes with views, where a size and a rig are given, and with clouds of `points` points.
    pub fn held_out_with(each: usize, views: Option<(usize, &Rig)>, points: usize) -> Self {
        let n = categories().len();
        Self::generate(0..n * each, |i| {
            let seed = HELD_OUT_SEEDS + (i / n) as u64;
            let mut rng = Rng::named("held out", seed);
            let specimen = categories()[i % n].generate(seed);
            let captions = captions(&categories()[i % n], &specimen, &mut rng);
            let cloud = sample_surface(&specimen.scene, points, &mut rng);
            let views =
                views.map_or(Vec::new(), |(size, rig)| draw(specimen.scene, rig, size, Light::default()));
            Sample { category: i % n, views, cloud, captions }
        })
    }

    fn generate(range: Range<usize>, make: impl Fn(usize) -> Sample + Sync + Send) -> Self {
        Self { samples: range.into_par_iter().map(make).collect() }
    }
}

fn sample(
    category: usize,
    specimen: Specimen,
    variation: &Variation,
    config: &DataConfig,
    [size, points]: [usize; 2],
    rng: &mut Rng,
) -> Sample {
    let captions = captions(&categories()[category], &specimen, rng);
    let elevation = rng.between(config.elevation_low, config.elevation_high).to_radians();
    let light = Light {
        key_direction: [rng.between(-1.0, 1.0), rng.between(0.2, 1.0), rng.between(-1.0, 1.0)],
        key: rng.between(0.1, 0.5),
        sky: rng.between(0.4, 0.7),
        ground: rng.between(0.1, 0.3),
        headlight: rng.between(0.1, 0.3),
    };
    let scene = variation.apply(specimen.scene);
    let cloud = sample_surface(&scene, points, rng);
    let views = draw(scene, &Rig::ring_at(config.views, elevation), size, light);
    Sample { category, views, cloud, captions }
}

fn draw(scene: Scene, rig: &Rig, size: usize, light: Light) -> Vec<RgbaImage> {
    let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
    let config =
        RenderConfig { size: size as u32, light, background: Background::Transparent, ..Default::default() };
    debug_assert!(scene.bounds().is_none_or(|b| b.extents().cmple(Vec3::splat(2.01)).all()));
    render_views(&scene, rig, &config).images
}
