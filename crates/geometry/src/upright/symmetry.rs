//! How far a shape is from being its own image when it is mirrored or turned.

use glam::{Mat3, Vec3};

use crate::neighbors::KdTree;

/// Every fourth point is compared with its neighbors: the mean over them is steady enough.
const STRIDE: usize = 4;
/// Points without a counterpart count as this far away, relative to the diagonal, so that one outlier does not decide.
const MAX_DISTANCE: f32 = 0.2;

/// Mean distances between a shape and its images, relative to the diagonal, per axis.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asymmetry {
    /// Mirrored along the axis.
    pub mirror: [f32; 3],
    /// Turned by 180° around the axis.
    pub half_turn: [f32; 3],
    /// Turned by 90° around the axis.
    pub quarter_turn: [f32; 3],
    /// Mirrored at the center.
    pub inversion: f32,
}

impl Asymmetry {
    /// Of points around the origin, the center of their bounding box.
    pub fn of(positions: &[Vec3], diagonal: f32) -> Self {
        let tree = KdTree::new(positions);
        let distance = |image: Mat3| {
            let far = |point: &Vec3| {
                let nearest = tree.nearest(image * *point, 1);
                let distance =
                    nearest.first().map_or(0.0, |near| (positions[near.index] - image * *point).length());
                distance.min(MAX_DISTANCE * diagonal)
            };
            let compared: Vec<f32> = positions.iter().step_by(STRIDE).map(far).collect();
            compared.iter().sum::<f32>() / (compared.len() as f32 * diagonal)
        };
        let mirrored = |axis: usize| {
            let mut scale = Vec3::ONE;
            scale[axis] = -1.0;
            Mat3::from_diagonal(scale)
        };
        let half = |axis: usize| mirrored(axis) * -1.0;
        Self {
            mirror: [0, 1, 2].map(|axis| distance(mirrored(axis))),
            half_turn: [0, 1, 2].map(|axis| distance(half(axis))),
            quarter_turn: [0, 1, 2].map(|axis| distance(quarter_turn(axis))),
            inversion: distance(Mat3::from_diagonal(-Vec3::ONE)),
        }
    }
}

/// The turn by 90° around an axis. A permutation with a sign, so that nothing is rounded.
fn quarter_turn(axis: usize) -> Mat3 {
    match axis {
        0 => Mat3::from_cols(Vec3::X, Vec3::Z, -Vec3::Y),
        1 => Mat3::from_cols(-Vec3::Z, Vec3::Y, Vec3::X),
        _ => Mat3::from_cols(Vec3::Y, -Vec3::X, Vec3::Z),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_and_mirrors_of_an_arrow() {
        // Along +Y, with a head in the plane z = 0.
        let shaft = (0..40).map(|i| Vec3::Y * (i as f32 / 20.0 - 1.0));
        let head = (0..40).flat_map(|i| {
            [1.0, -1.0].map(|side| Vec3::new(side * i as f32 / 80.0, 1.0 - i as f32 / 80.0, 0.0))
        });
        let points: Vec<Vec3> = shaft.chain(head).collect();
        let Asymmetry { mirror, half_turn, quarter_turn, inversion } = Asymmetry::of(&points, 2.0);
        assert!(mirror[0] < 1e-6 && mirror[2] < 1e-6 && mirror[1] > 0.02, "{mirror:?}");
        assert!(half_turn[1] < 1e-6 && half_turn[0] > 0.02 && half_turn[2] > 0.02, "{half_turn:?}");
        assert!(quarter_turn[1] > 0.02 && quarter_turn[2] > 0.1, "{quarter_turn:?}");
        assert!((inversion - mirror[1]).abs() < 1e-6, "the arrow is flat");
    }
}
