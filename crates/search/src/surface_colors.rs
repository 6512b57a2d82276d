//! Colors of a shape's surface.

use glam::Vec3;
use lexiform_geometry::Scene;
use lexiform_geometry::sample::sample_surface;
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

/// Points whose colors are measured.
const POINTS: usize = 2000;
/// Seed of the points.
const SEED: u64 = 0;

/// Linear RGB colors of points that are spread evenly over the surface of a scene, or of points of its clouds; `None` if the scene has
/// no colors. Light and shadow have no part in them.
pub fn surface_colors(scene: &Scene) -> Option<Vec<Vec3>> {
    let cloud = sample_surface(scene, POINTS, &mut SmallRng::seed_from_u64(SEED));
    cloud.colors().map(<[Vec3]>::to_vec)
}
