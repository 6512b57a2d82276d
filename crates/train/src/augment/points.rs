//! Augmentations of prepared clouds: rotation, scale, noise, dropout.
//!
//! They follow ULIP's `random_point_dropout` and the functions next to it, and [CG3D](https://arxiv.org/abs/2303.11313),
//! section 3. Vectors are rows: a rotation matrix `R` maps `p` to `p · R`, as in the references.

use glam::{Mat3, Vec3};
use lexiform_model::point::PreparedCloud;
use lexiform_shapes::Rng;

use crate::recipe::{Axis, PointAugmentation};

/// Applies augmentations in order.
pub fn augment_points(
    mut cloud: PreparedCloud,
    changes: &[PointAugmentation],
    rng: &mut Rng,
) -> PreparedCloud {
    changes.iter().for_each(|change| change.apply(&mut cloud, rng));
    cloud
}

impl PointAugmentation {
    fn apply(&self, cloud: &mut PreparedCloud, rng: &mut Rng) {
        let mut each = |f: &mut dyn FnMut(Vec3) -> Vec3| cloud.positions.iter_mut().for_each(|p| *p = f(*p));
        match self {
            Self::RandomApply { probability, apply } => {
                if rng.chance(*probability) {
                    apply.apply(cloud, rng);
                }
            }
            Self::Dropout { max_ratio } => {
                let ratio = rng.unit() * max_ratio;
                drop_points(&mut cloud.positions, ratio, || rng.unit());
            }
            Self::Scale { low, high } => {
                let factor = rng.between(*low, *high);
                each(&mut |p| p * factor);
            }
            Self::AnisotropicScale { low, high } => {
                let factors = random_vec3(|| rng.between(*low, *high));
                each(&mut |p| p * factors);
            }
            Self::Shift { max } => {
                let by = random_vec3(|| rng.between(-max, *max));
                each(&mut |p| p + by);
            }
            Self::RotatePerturb { sigma, clip } => {
                let [x, y, z] = random_vec3(|| (rng.normal() * sigma).clamp(-clip, *clip)).to_array();
                let turn = perturbation(x, y, z);
                each(&mut |p| rotated(p, turn));
            }
            Self::Rotate { axis } => {
                let turn = axis.turn(rng.between(0.0, std::f32::consts::TAU));
                each(&mut |p| rotated(p, turn));
            }
            Self::Rotate90 { axis } => {
                let turn = axis.turn(rng.index(4) as f32 * std::f32::consts::FRAC_PI_2);
                each(&mut |p| rotated(p, turn));
            }
            Self::Jitter { sigma, clip } => {
                each(&mut |p| p + random_vec3(|| (rng.normal() * sigma).clamp(-clip, *clip)));
            }
            Self::Zero { ratio } => {
                // With replacement, as in CG3D: fewer distinct points than `ratio` may be zeroed.
                let count = cloud.positions.len();
                for _ in 0..(count as f32 * ratio) as usize {
                    cloud.positions[rng.index(count)] = Vec3::ZERO;
                }
            }
            Self::Gray { value } => cloud.colors.fill(Vec3::splat(*value)),
        }
    }
}

impl Axis {
    fn turn(self, angle: f32) -> Mat3 {
        match self {
            Self::Y => Mat3::from_rotation_y(angle),
            Self::Z => Mat3::from_rotation_z(angle),
        }
    }
}

/// Moves every point whose draw is at most `share` to the first one, so that the number of points stays the same.
fn drop_points(positions: &mut [Vec3], share: f32, mut draw: impl FnMut() -> f32) {
    let first = positions.first().copied().unwrap_or_default();
    positions.iter_mut().filter(|_| draw() <= share).for_each(|p| *p = first);
}

/// Rotations about x, y and z, in ULIP's order: `Rz · (Ry · Rx)`.
fn perturbation(x: f32, y: f32, z: f32) -> Mat3 {
    Mat3::from_rotation_z(z) * (Mat3::from_rotation_y(y) * Mat3::from_rotation_x(x))
}

/// `p · R` for a row vector.
fn rotated(p: Vec3, turn: Mat3) -> Vec3 {
    turn.transpose() * p
}

fn random_vec3(mut draw: impl FnMut() -> f32) -> Vec3 {
    Vec3::new(draw(), draw(), draw())
}

#[cfg(test)]
mod reference_tests;

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud() -> PreparedCloud {
        let positions = (0..200).map(|i| Vec3::new(i as f32 / 200.0, 0.5, -0.25)).collect::<Vec<_>>();
        PreparedCloud { colors: vec![Vec3::X; positions.len()], positions }
    }

    fn changed(change: PointAugmentation) -> PreparedCloud {
        augment_points(cloud(), &[change], &mut Rng::new(3))
    }

    #[test]
    fn rotations_keep_lengths() {
        for change in [
            PointAugmentation::Rotate { axis: Axis::Y },
            PointAugmentation::Rotate90 { axis: Axis::Z },
            PointAugmentation::RotatePerturb { sigma: 0.06, clip: 0.18 },
        ] {
            let (before, after) = (cloud(), changed(change));
            for (a, b) in before.positions.iter().zip(&after.positions) {
                assert!((a.length() - b.length()).abs() < 1e-5);
            }
        }
        let upright = changed(PointAugmentation::Rotate { axis: Axis::Y });
        assert!(upright.positions.iter().all(|p| (p.y - 0.5).abs() < 1e-6));
    }

    #[test]
    fn dropped_points_are_the_first_one() {
        let after = changed(PointAugmentation::Dropout { max_ratio: 0.875 });
        let first = after.positions[0];
        let dropped = after.positions.iter().filter(|p| **p == first).count();
        assert!(dropped > 1 && after.positions.len() == 200);
        let zeros = changed(PointAugmentation::Zero { ratio: 0.1 })
            .positions
            .iter()
            .filter(|p| **p == Vec3::ZERO)
            .count();
        assert!((10..=20).contains(&zeros), "{zeros}");
    }

    #[test]
    fn gray_is_for_all_points() {
        assert!(
            changed(PointAugmentation::Gray { value: 0.4 }).colors.iter().all(|c| *c == Vec3::splat(0.4))
        );
    }
}
