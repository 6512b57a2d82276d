//! A cloud as it might have been scanned elsewhere: turned, scaled, noisy, with holes.
//!
//! Numbers are the recipes'; ULIP-2's are those of ULIP's `random_point_dropout` and its neighbors, CG3D's those of its
//! section 3. Vectors are rows: a rotation `R` takes `p` to `p · R`, as in the references.

use glam::{Mat3, Vec3};
use lexiform_model::point::PreparedCloud;
use lexiform_shapes::Rng;

use crate::recipe::{Axis, PointChange};

/// The cloud after all changes, in order.
pub fn change(mut cloud: PreparedCloud, changes: &[PointChange], rng: &mut Rng) -> PreparedCloud {
    changes.iter().for_each(|change| change.apply(&mut cloud, rng));
    cloud
}

impl PointChange {
    fn apply(&self, cloud: &mut PreparedCloud, rng: &mut Rng) {
        let mut each = |f: &mut dyn FnMut(Vec3) -> Vec3| cloud.positions.iter_mut().for_each(|p| *p = f(*p));
        match self {
            Self::Sometimes { chance, change } => {
                if rng.chance(*chance) {
                    change.apply(cloud, rng);
                }
            }
            Self::Dropout { most } => {
                let share = rng.unit() * most;
                let first = cloud.positions.first().copied().unwrap_or_default();
                cloud.positions.iter_mut().filter(|_| rng.unit() <= share).for_each(|p| *p = first);
            }
            Self::Scale { low, high } => {
                let factor = rng.between(*low, *high);
                each(&mut |p| p * factor);
            }
            Self::Stretch { low, high } => {
                let factors = draw3(|| rng.between(*low, *high));
                each(&mut |p| p * factors);
            }
            Self::Shift { most } => {
                let by = draw3(|| rng.between(-most, *most));
                each(&mut |p| p + by);
            }
            Self::Wobble { deviation, most } => {
                let [x, y, z] = draw3(|| (rng.normal() * deviation).clamp(-most, *most)).to_array();
                let turn = Mat3::from_rotation_z(z) * (Mat3::from_rotation_y(y) * Mat3::from_rotation_x(x));
                each(&mut |p| turned(p, turn));
            }
            Self::Turn { axis } => {
                let turn = axis.turn(rng.between(0.0, std::f32::consts::TAU));
                each(&mut |p| turned(p, turn));
            }
            Self::QuarterTurn { axis } => {
                let turn = axis.turn(rng.index(4) as f32 * std::f32::consts::FRAC_PI_2);
                each(&mut |p| turned(p, turn));
            }
            Self::Jitter { deviation, most } => {
                each(&mut |p| p + draw3(|| (rng.normal() * deviation).clamp(-most, *most)));
            }
            Self::Zero { share } => {
                let count = cloud.positions.len();
                for _ in 0..(count as f32 * share) as usize {
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

/// `p · R` for a row vector.
fn turned(p: Vec3, turn: Mat3) -> Vec3 {
    turn.transpose() * p
}

fn draw3(mut draw: impl FnMut() -> f32) -> Vec3 {
    Vec3::new(draw(), draw(), draw())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud() -> PreparedCloud {
        let positions = (0..200).map(|i| Vec3::new(i as f32 / 200.0, 0.5, -0.25)).collect::<Vec<_>>();
        PreparedCloud { colors: vec![Vec3::X; positions.len()], positions }
    }

    fn changed(change_: PointChange) -> PreparedCloud {
        change(cloud(), &[change_], &mut Rng::new(3))
    }

    #[test]
    fn turns_keep_lengths() {
        for change in [
            PointChange::Turn { axis: Axis::Y },
            PointChange::QuarterTurn { axis: Axis::Z },
            PointChange::Wobble { deviation: 0.06, most: 0.18 },
        ] {
            let (before, after) = (cloud(), changed(change));
            for (a, b) in before.positions.iter().zip(&after.positions) {
                assert!((a.length() - b.length()).abs() < 1e-5);
            }
        }
        let upright = changed(PointChange::Turn { axis: Axis::Y });
        assert!(upright.positions.iter().all(|p| (p.y - 0.5).abs() < 1e-6));
    }

    #[test]
    fn dropped_points_are_the_first_one() {
        let after = changed(PointChange::Dropout { most: 0.875 });
        let first = after.positions[0];
        let dropped = after.positions.iter().filter(|p| **p == first).count();
        assert!(dropped > 1 && after.positions.len() == 200);
        let zeros =
            changed(PointChange::Zero { share: 0.1 }).positions.iter().filter(|p| **p == Vec3::ZERO).count();
        assert!((10..=20).contains(&zeros), "{zeros}");
    }

    #[test]
    fn gray_is_for_all_points() {
        assert!(changed(PointChange::Gray { value: 0.4 }).colors.iter().all(|c| *c == Vec3::splat(0.4)));
    }
}
