//! Candidate rotations for registering one canonical shape to another.

use std::f64::consts::{SQRT_2, TAU};

use glam::{DQuat, Mat3, Quat, Vec3};

/// Principal axes are distinguishable if their fractions of the variance differ by more than this.
const MIN_AXIS_GAP: f64 = 0.06;
/// Rotations about one axis when the other two are not distinguishable.
const ROTATIONS_ABOUT_AXIS: usize = 24;
/// Rotations when no axes are distinguishable: about 25° apart.
const ROTATIONS_ALL_AXES: usize = 768;

/// Rotations that may align two shapes with these variance fractions, both given along their principal axes.
pub(super) fn candidate_rotations(variance_ratios: [f64; 3]) -> Vec<Mat3> {
    let clear = [
        variance_ratios[0] - variance_ratios[1] > MIN_AXIS_GAP,
        variance_ratios[1] - variance_ratios[2] > MIN_AXIS_GAP,
    ];
    let flips = [Quat::IDENTITY, half_turn(Vec3::X), half_turn(Vec3::Y), half_turn(Vec3::Z)];
    let candidate_rotations: Vec<Quat> = match clear {
        [true, true] => flips.to_vec(),
        [false, true] => rotations_about(Vec3::Z, half_turn(Vec3::X)),
        [true, false] => rotations_about(Vec3::X, half_turn(Vec3::Z)),
        [false, false] => flips.into_iter().chain(super_fibonacci_rotations()).collect(),
    };
    candidate_rotations.into_iter().map(Mat3::from_quat).collect()
}

fn half_turn(axis: Vec3) -> Quat {
    // Exact: `from_axis_angle(π)` would leave sines of 1e-7.
    Quat::from_xyzw(axis.x, axis.y, axis.z, 0.0)
}

fn rotations_about(axis: Vec3, flip: Quat) -> Vec<Quat> {
    let turn = |i: usize| Quat::from_axis_angle(axis, (i as f64 * TAU / ROTATIONS_ABOUT_AXIS as f64) as f32);
    (0..ROTATIONS_ABOUT_AXIS).flat_map(|i| [turn(i), turn(i) * flip]).collect()
}

/// Evenly spaced rotations: [Alexa 2022], "Super-Fibonacci Spirals".
///
/// [Alexa 2022]: https://doi.org/10.1109/CVPR52688.2022.00811
fn super_fibonacci_rotations() -> impl Iterator<Item = Quat> {
    /// Root of ψ⁴ = ψ + 4.
    const PSI: f64 = 1.533_751_168_755_204_3;
    (0..ROTATIONS_ALL_AXES).map(|i| {
        let s = i as f64 + 0.5;
        let t = s / ROTATIONS_ALL_AXES as f64;
        let (a, b) = (TAU * s / SQRT_2, TAU * s / PSI);
        let (r, q) = (t.sqrt(), (1.0 - t).sqrt());
        DQuat::from_xyzw(r * a.sin(), r * a.cos(), q * b.sin(), q * b.cos()).normalize().as_quat()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_is_near_one_that_is_tried() {
        let tried: Vec<Mat3> = candidate_rotations([0.34, 0.33, 0.33]);
        let angle = |a: Mat3, b: Mat3| {
            let relative = a.transpose() * b;
            let trace = relative.x_axis.x + relative.y_axis.y + relative.z_axis.z;
            ((trace - 1.0) / 2.0).clamp(-1.0, 1.0).acos().to_degrees()
        };
        for i in 0..50_u8 {
            let turn = f32::from(i);
            let wanted = Mat3::from_rotation_y(turn * 0.7) * Mat3::from_rotation_x(turn * 1.3);
            let nearest = tried.iter().map(|t| angle(*t, wanted)).fold(f32::MAX, f32::min);
            assert!(nearest < 25.0, "{nearest}° from turn {i}");
        }
    }

    #[test]
    fn clear_axes_leave_four_turns() {
        assert_eq!(candidate_rotations([0.6, 0.3, 0.1]).len(), 4);
        assert_eq!(candidate_rotations([0.45, 0.45, 0.1]).len(), 2 * ROTATIONS_ABOUT_AXIS);
    }
}
