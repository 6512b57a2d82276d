//! A shape without its place and size: points over its surface, and how far apart such points are by chance.

use glam::{DVec3, Vec3};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::moments::Moments;
use crate::neighbors::KdTree;
use crate::sample::sample_surface;
use crate::{Mesh, PointCloud, Scene};

/// Points of each of a form's two sets.
pub(super) const POINTS: usize = 2048;
/// The same points for the same surface, always.
const SEED: u64 = 0x5eed;

/// A shape moved so that its surface's mean is the origin and its principal axes are the coordinate axes, and scaled so that
/// the mean squared distance to the origin is 1.
pub struct Form {
    /// Two sets of points drawn by chance: one asks how far the surface is, the other answers.
    pub(super) asking: Vec<Vec3>,
    pub(super) answering: KdTree,
    pub(super) answers: Vec<Vec3>,
    /// Squared distance from points to a set of points of the same surface.
    pub(super) chance: Spread,
    /// Shares of the spread along the axes.
    pub(super) shares: [f64; 3],
    /// Twice the largest distance to the origin.
    pub(super) diameter: f32,
}

/// Mean of some numbers, its standard error, and the largest of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread {
    pub(super) mean: f64,
    pub(super) error: f64,
    pub(super) largest: f64,
}

impl Spread {
    pub(super) fn of(values: impl ExactSizeIterator<Item = f64>) -> Self {
        let count = values.len().max(1) as f64;
        let (sum, squares, largest) = values.fold((0.0, 0.0, 0.0_f64), |(sum, squares, largest), v| {
            (sum + v, squares + v * v, largest.max(v))
        });
        let mean = sum / count;
        Self { mean, error: ((squares / count - mean * mean).max(0.0) / count).sqrt(), largest }
    }
}

impl Form {
    /// The form of a scene's triangles, or of its points where it has none; colors and textures do not matter. `None` where
    /// there is nothing, or nothing but one place.
    pub fn of(scene: &Scene) -> Option<Self> {
        let moments = Moments::of(scene)?;
        let bare = bare(scene);
        let cloud = sample_surface(&bare, 2 * POINTS, &mut SmallRng::seed_from_u64(SEED));
        let place = |p: &Vec3| placed(&moments, *p);
        let points: Vec<Vec3> = cloud.positions().iter().map(place).collect();
        let farthest = points.iter().map(|p| p.length()).fold(0.0, f32::max);
        let (asking, answers) = points.split_at(points.len() / 2);
        let answering = KdTree::new(answers);
        let chance = Spread::of(asking.iter().map(|p| squared_distance(&answering, *p)));
        Some(Self {
            asking: asking.to_vec(),
            answers: answers.to_vec(),
            answering,
            chance,
            shares: moments.shares,
            diameter: 2.0 * farthest,
        })
    }
}

/// Squared distance to the nearest of a set of points.
pub(super) fn squared_distance(points: &KdTree, from: Vec3) -> f64 {
    points.nearest(from, 1).first().map_or(f64::INFINITY, |n| f64::from(n.distance_squared))
}

fn placed(moments: &Moments, point: Vec3) -> Vec3 {
    let from_mean: DVec3 = (point.as_dvec3() - moments.mean) / moments.radius;
    (moments.axes * from_mean).as_vec3()
}

/// The triangles, or else the points, without their looks.
fn bare(scene: &Scene) -> Scene {
    let mesh = |mesh: &Mesh| Mesh::new(mesh.positions().to_vec(), mesh.faces().to_vec()).ok();
    let cloud = |cloud: &PointCloud| PointCloud::new(cloud.positions().to_vec()).ok();
    Scene {
        meshes: scene.meshes.iter().filter_map(mesh).collect(),
        clouds: scene.clouds.iter().filter_map(cloud).collect(),
        ..Scene::default()
    }
}
