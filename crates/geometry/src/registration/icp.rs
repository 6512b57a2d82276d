//! Rigid registration of two canonical shapes, and the distance that remains.
//!
//! Candidate rotations that the principal axes allow are scored; the best are refined by iterative closest point (ICP;
//! [Besl and McKay 1992]) in both directions, each step solved in closed form ([Horn 1987]).
//!
//! Distances are measured between random samples, which never coincide: the expected distance between two samples of the same
//! surface is known for each shape and subtracted. That resolves distances far below the spacing of the points. The transform
//! is found with few points; the remaining distance is measured with more, so that a small part without counterpart is found.
//!
//! [Besl and McKay 1992]: https://doi.org/10.1109/34.121791
//! [Horn 1987]: https://doi.org/10.1364/JOSAA.4.000629

use glam::{DVec3, Mat3, Quat, Vec3};

use super::canonical::{CanonicalShape, DistanceStats, TargetPoints};
use super::eigen::eigen;
use super::rotations::candidate_rotations;
use super::signature::Signature;

/// Points that score a rotation, points of each step of ICP, and how many of the best rotations are refined.
const SCORE_POINTS: usize = 64;
const ICP_POINTS: usize = 384;
const TOP_CANDIDATES: usize = 3;
/// Most ICP iterations, and the relative decrease of the squared distance below which they stop.
const MAX_ICP_ITERATIONS: usize = 12;
const MIN_RELATIVE_IMPROVEMENT: f64 = 0.01;
/// Canonical shapes have the same size already; registration may change it by at most this factor.
const MAX_SCALE_CHANGE: f32 = 1.1;
/// With many candidate rotations, more of them are refined.
const MANY_ROTATIONS: usize = 100;
const TOP_CANDIDATES_OF_MANY: usize = 10;
/// Two shapes are the same within this many standard errors …
const MAX_STANDARD_ERRORS: f64 = 3.0;
/// … if no point is farther from the other shape than this many times the largest sampling distance within one shape.
const OUTLIER_FACTOR: f64 = 2.0;
/// The mirror image is preferred only if its distance is smaller by this factor.
const MIRROR_MARGIN: f32 = 0.7;

/// The result of registering one shape to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RegistrationResult {
    /// RMS distance between the surfaces, in the direction where it is larger, divided by the diameter.
    pub relative_rmse: f32,
    /// Distances up to this are sampling noise: the shapes are then indistinguishable.
    pub noise_floor: f32,
    /// Whether the other shape was mirrored.
    pub mirrored: bool,
    /// Whether a part too small to affect the mean, such as a sign on a roof, has no counterpart.
    pub has_outlier: bool,
}

impl RegistrationResult {
    /// Whether no difference was found.
    pub fn is_same(&self) -> bool {
        self.relative_rmse <= self.noise_floor && !self.has_outlier
    }
}

/// Selects a shape's coarse or dense target points.
type TargetSet = fn(&CanonicalShape) -> &TargetPoints;

impl CanonicalShape {
    /// An invariant descriptor, for finding candidates.
    pub fn signature(&self) -> Signature {
        Signature::of(self)
    }

    /// Aligns `other` to this shape, rotated and mirrored as needed.
    pub fn register(&self, other: &Self) -> RegistrationResult {
        let plain = self.best_registration(other, false);
        if plain.is_same() {
            return plain;
        }
        let mirrored = self.best_registration(other, true);
        let is_better = mirrored.relative_rmse < MIRROR_MARGIN * plain.relative_rmse;
        if is_better { mirrored } else { plain }
    }

    fn best_registration(&self, other: &Self, mirrored: bool) -> RegistrationResult {
        let mirror = if mirrored { Mat3::from_diagonal(Vec3::new(1.0, 1.0, -1.0)) } else { Mat3::IDENTITY };
        let variance_ratios =
            std::array::from_fn(|axis| (self.variance_ratios[axis] + other.variance_ratios[axis]) / 2.0);
        let (coarse, dense): (TargetSet, TargetSet) =
            (|shape| &shape.coarse_targets, |shape| &shape.dense_targets);
        let mut tried: Vec<(f64, Similarity)> = candidate_rotations(variance_ratios)
            .into_iter()
            .map(|rotation| Similarity { rotation: rotation * mirror, scale: 1.0, translation: Vec3::ZERO })
            .map(|transform| (self.sum_squared_distances(other, &transform, SCORE_POINTS, coarse), transform))
            .collect();
        tried.sort_by(|a, b| a.0.total_cmp(&b.0));
        let finalists = if tried.len() > MANY_ROTATIONS { TOP_CANDIDATES_OF_MANY } else { TOP_CANDIDATES };
        let improved = tried.into_iter().take(finalists).map(|(_, transform)| {
            let transform = self.icp(other, transform, mirror, coarse);
            // For a nearly symmetric shape, candidates differ by less than coarse targets can resolve.
            (self.sum_squared_distances(other, &transform, ICP_POINTS, dense), transform)
        });
        let best = improved.min_by(|a, b| a.0.total_cmp(&b.0));
        let transform = best.map_or(Similarity::IDENTITY, |(_, transform)| transform);
        let transform = self.icp(other, transform, mirror, dense);
        self.measure(other, &transform, mirrored)
    }

    /// Sum of squared distances of the first `count` query points, in both directions.
    fn sum_squared_distances(
        &self,
        other: &Self,
        transform: &Similarity,
        count: usize,
        targets: TargetSet,
    ) -> f64 {
        let there = other
            .query_points
            .iter()
            .take(count)
            .map(|p| targets(self).squared_distance(transform.apply(*p)));
        let scale = f64::from(transform.scale * transform.scale);
        let back = self.query_points.iter().take(count);
        let back = back.map(|p| scale * targets(other).squared_distance(transform.apply_inverse(*p)));
        there.sum::<f64>() + back.sum::<f64>()
    }

    /// Refines a transform by ICP until it stops improving.
    fn icp(&self, other: &Self, mut transform: Similarity, mirror: Mat3, targets: TargetSet) -> Similarity {
        let mut last = f64::INFINITY;
        for _ in 0..MAX_ICP_ITERATIONS {
            let (gap, better) = self.icp_step(other, &transform, mirror, targets);
            if gap > last * (1.0 - MIN_RELATIVE_IMPROVEMENT) {
                break;
            }
            (last, transform) = (gap, better);
        }
        transform
    }

    /// One ICP iteration: the sum of squared distances under `transform`, and the best transform for the current
    /// correspondences.
    fn icp_step(
        &self,
        other: &Self,
        transform: &Similarity,
        mirror: Mat3,
        targets: TargetSet,
    ) -> (f64, Similarity) {
        let (here, there) = (targets(self), targets(other));
        let scale = f64::from(transform.scale * transform.scale);
        let mut gap = 0.0;
        let mut pairs = Vec::with_capacity(2 * ICP_POINTS);
        for &point in other.query_points.iter().take(ICP_POINTS) {
            if let Some((near, squared)) = here.nearest(transform.apply(point)) {
                gap += squared;
                pairs.push((mirror * point, near));
            }
        }
        for &point in self.query_points.iter().take(ICP_POINTS) {
            if let Some((near, squared)) = there.nearest(transform.apply_inverse(point)) {
                gap += scale * squared;
                pairs.push((mirror * near, point));
            }
        }
        let (rotation, scale, translation) = closest_similarity(&pairs);
        (gap, Similarity { rotation: rotation * mirror, scale, translation })
    }

    fn measure(&self, other: &Self, transform: &Similarity, mirrored: bool) -> RegistrationResult {
        let there =
            other.query_points.iter().map(|p| self.dense_targets.squared_distance(transform.apply(*p)));
        let back = self
            .query_points
            .iter()
            .map(|p| other.dense_targets.squared_distance(transform.apply_inverse(*p)));
        let scale = f64::from(transform.scale * transform.scale);
        // The excess over the distance between two samples of one surface. Both terms have sampling noise, hence √2.
        let (found_there, found_back) = (DistanceStats::of(there), DistanceStats::of(back));
        let there = found_there.mean - self.sampling_error.mean;
        let back = (found_back.mean - other.sampling_error.mean) * scale;
        let farthest = found_there.largest.max(found_back.largest * scale).sqrt();
        let by_chance = self.sampling_error.largest.max(other.sampling_error.largest * scale).sqrt();
        let standard_error = std::f64::consts::SQRT_2 * self.standard_error.max(other.standard_error * scale);
        let diameter = self.diameter.max(other.diameter * transform.scale);
        let over_diameter = |square: f64| square.max(0.0).sqrt() as f32 / diameter;
        RegistrationResult {
            relative_rmse: over_diameter(there.max(back)),
            noise_floor: over_diameter(MAX_STANDARD_ERRORS * standard_error),
            mirrored,
            has_outlier: farthest > OUTLIER_FACTOR * by_chance,
        }
    }
}

/// A similarity transform.
#[derive(Clone, Copy)]
struct Similarity {
    /// A rotation, with a reflection if mirrored.
    rotation: Mat3,
    scale: f32,
    translation: Vec3,
}

impl Similarity {
    const IDENTITY: Self = Self { rotation: Mat3::IDENTITY, scale: 1.0, translation: Vec3::ZERO };

    fn apply(&self, point: Vec3) -> Vec3 {
        self.rotation * point * self.scale + self.translation
    }

    fn apply_inverse(&self, point: Vec3) -> Vec3 {
        self.rotation.transpose() * (point - self.translation) / self.scale
    }
}

/// Rotation, scale and translation that bring the first points of pairs closest to the second: [Horn 1987], "Closed-form
/// solution of absolute orientation using unit quaternions", with the symmetric scale.
///
/// [Horn 1987]: https://doi.org/10.1364/JOSAA.4.000629
fn closest_similarity(pairs: &[(Vec3, Vec3)]) -> (Mat3, f32, Vec3) {
    let count = pairs.len().max(1) as f64;
    let mean = |pick: fn(&(Vec3, Vec3)) -> Vec3| {
        pairs.iter().map(|pair| pick(pair).as_dvec3()).fold(DVec3::ZERO, |sum, p| sum + p) / count
    };
    let (from_mean, to_mean) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let mut products = [DVec3::ZERO; 3];
    let (mut from_square, mut to_square) = (0.0, 0.0);
    for (from, to) in pairs {
        let (from, to) = (from.as_dvec3() - from_mean, to.as_dvec3() - to_mean);
        (from_square, to_square) = (from_square + from.length_squared(), to_square + to.length_squared());
        products.iter_mut().enumerate().for_each(|(axis, row)| *row += to * from[axis]);
    }
    let [xx, xy, xz] = products[0].to_array();
    let [yx, yy, yz] = products[1].to_array();
    let [zx, zy, zz] = products[2].to_array();
    // The eigenvector of the largest eigenvalue of this matrix is the rotation's unit quaternion (Horn, section 4.A).
    let [(_, [w, x, y, z]), ..] = eigen([
        [xx + yy + zz, yz - zy, zx - xz, xy - yx],
        [yz - zy, xx - yy - zz, xy + yx, zx + xz],
        [zx - xz, xy + yx, yy - xx - zz, yz + zy],
        [xy - yx, zx + xz, yz + zy, zz - xx - yy],
    ]);
    let rotation = Mat3::from_quat(Quat::from_xyzw(x as f32, y as f32, z as f32, w as f32).normalize());
    let scale = (to_square / from_square).sqrt() as f32;
    let scale = if scale.is_finite() { scale.clamp(1.0 / MAX_SCALE_CHANGE, MAX_SCALE_CHANGE) } else { 1.0 };
    (rotation, scale, to_mean.as_vec3() - rotation * from_mean.as_vec3() * scale)
}
