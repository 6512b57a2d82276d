//! Canonical shapes: sample points aligned to the principal axes at unit RMS radius, and their sampling statistics.

use glam::{DVec3, Vec3};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::moments::Moments;
use crate::neighbors::KdTree;
use crate::sample::{sample_cloud, sample_surface};
use crate::{Mesh, PointCloud, Scene};

/// Query points, and as many coarse target points.
pub(super) const POINTS: usize = 2048;
/// Additional dense target points on triangles: the denser they are, the smaller the parts that can be missed.
const EXTRA_TARGETS: usize = 6 * POINTS;
/// Fixed, so that a surface always has the same sample.
const SEED: u64 = 0x5eed;

/// A shape translated so that its surface's mean is the origin, rotated so that its principal axes are the coordinate axes,
/// and scaled so that the mean squared distance to the origin is 1.
pub struct CanonicalShape {
    /// A random sample from which distances to another shape's targets are measured.
    pub(super) query_points: Vec<Vec3>,
    /// An independent sample of the same size: enough to find the transform.
    pub(super) coarse_targets: TargetPoints,
    /// The coarse targets and more, to measure the remaining distance.
    pub(super) dense_targets: TargetPoints,
    /// Squared distances from the query points to the dense targets of the same shape.
    pub(super) sampling_error: DistanceStats,
    /// Standard error of the mean squared distance to the coarse targets, which limits the precision of the transform.
    pub(super) standard_error: f64,
    /// Fractions of the variance along the principal axes.
    pub(super) variance_ratios: [f64; 3],
    /// Twice the largest distance to the origin.
    pub(super) diameter: f32,
}

/// Registration targets with their k-d tree.
pub(super) struct TargetPoints {
    pub(super) points: Vec<Vec3>,
    tree: KdTree,
}

impl TargetPoints {
    fn new(points: &[Vec3]) -> Self {
        Self { points: points.to_vec(), tree: KdTree::new(points) }
    }

    /// The nearest target, and its squared distance.
    pub(super) fn nearest(&self, from: Vec3) -> Option<(Vec3, f64)> {
        let near = self.tree.nearest(from, 1).first().copied()?;
        Some((self.points[near.index], f64::from(near.distance_squared)))
    }

    /// Squared distance to the nearest target.
    pub(super) fn squared_distance(&self, from: Vec3) -> f64 {
        self.nearest(from).map_or(f64::INFINITY, |(_, squared)| squared)
    }
}

/// Mean of some values, its standard error, and the maximum.
#[derive(Clone, Copy, Debug)]
pub(super) struct DistanceStats {
    pub(super) mean: f64,
    pub(super) standard_error: f64,
    pub(super) largest: f64,
}

impl DistanceStats {
    pub(super) fn of(values: impl ExactSizeIterator<Item = f64>) -> Self {
        let count = values.len().max(1) as f64;
        let (sum, squares, largest) = values.fold((0.0, 0.0, 0.0_f64), |(sum, squares, largest), v| {
            (sum + v, squares + v * v, largest.max(v))
        });
        let mean = sum / count;
        Self { mean, standard_error: ((squares / count - mean * mean).max(0.0) / count).sqrt(), largest }
    }
}

impl CanonicalShape {
    /// The canonical shape of a scene's triangles and points, without colors and textures. `None` if the scene is empty or
    /// everything is at one point.
    pub fn from_scene(scene: &Scene) -> Option<Self> {
        let moments = Moments::of(scene)?;
        let points = sample_points(scene, moments.point_fraction);
        let points: Vec<Vec3> = points.into_iter().map(|p| to_canonical(&moments, p)).collect();
        let farthest = points.iter().map(|p| p.length()).fold(0.0, f32::max);
        let (query_points, targets) = points.split_at(points.len().min(POINTS));
        let coarse_targets = TargetPoints::new(targets.get(..POINTS).unwrap_or(targets));
        let dense_targets = TargetPoints::new(targets);
        let sampling_error =
            DistanceStats::of(query_points.iter().map(|p| dense_targets.squared_distance(*p)));
        let standard_error =
            DistanceStats::of(query_points.iter().map(|p| coarse_targets.squared_distance(*p)))
                .standard_error;
        Some(Self {
            query_points: query_points.to_vec(),
            coarse_targets,
            dense_targets,
            sampling_error,
            standard_error,
            variance_ratios: moments.variance_ratios,
            diameter: 2.0 * farthest,
        })
    }
}

fn to_canonical(moments: &Moments, point: Vec3) -> Vec3 {
    let from_mean: DVec3 = (point.as_dvec3() - moments.mean) / moments.rms_radius;
    (moments.axes * from_mean).as_vec3()
}

/// Query points, then target points; the fraction `share` of both is from the scene's clouds, interleaved evenly.
fn sample_points(scene: &Scene, share: f64) -> Vec<Vec3> {
    let rng = &mut SmallRng::seed_from_u64(SEED);
    let of_clouds = |slot: usize| (slot as f64 * share).round() as usize;
    let n_clouds = of_clouds(2 * POINTS);
    let n_surface = if share < 1.0 { 2 * POINTS - n_clouds + EXTRA_TARGETS } else { 0 };
    let surface = sample_surface(&without_attributes(scene), n_surface, rng);
    let clouds: Vec<Vec3> = scene.clouds.iter().flat_map(|cloud| cloud.positions()).copied().collect();
    let clouds = sample_cloud(&PointCloud::new(clouds).unwrap_or_default(), n_clouds, rng);
    let (mut surface, mut clouds) = (surface.positions().iter(), clouds.positions().iter());
    // Every prefix of the list then has the same fraction of cloud points, as the queries are cut from its front.
    let next =
        |slot: usize| if of_clouds(slot + 1) > of_clouds(slot) { clouds.next() } else { surface.next() };
    let mut points: Vec<Vec3> = (0..2 * POINTS).filter_map(next).copied().collect();
    points.extend(surface);
    points
}

/// The triangles without materials and attributes, which sampling would evaluate for nothing.
fn without_attributes(scene: &Scene) -> Scene {
    let mesh = |mesh: &Mesh| Mesh::new(mesh.positions().to_vec(), mesh.faces().to_vec()).ok();
    Scene { meshes: scene.meshes.iter().filter_map(mesh).collect(), ..Scene::default() }
}
