//! Which way is up: +Y or +Z, decided from the shape alone.
//!
//! A direction is scored by what upright things have in common: they stand on something flat, are wider or heavier below than above,
//! and are mirrored left to right or turned around their up axis rather than upside down ([Fu et al., *Upright orientation of
//! man-made objects*](https://doi.org/10.1145/1360612.1360641)). The scores come from a small network of one hidden layer, whose
//! weights `crates/shapes/examples/learn_up_axis.rs` learned; the direction with the larger score is up.

mod features;
mod symmetry;
mod weights;

pub use self::features::{Direction, N_FEATURES, ShapeFeatures};
use self::weights::{HIDDEN_BIAS, HIDDEN_WEIGHTS, OUTPUT_WEIGHTS};
use crate::Scene;

/// The probability that +Z rather than +Y is up; `None` for a scene without extent.
///
/// It depends neither on position and scale nor on which way the shape faces. Points are as good as triangles.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::upright::z_up_probability;
/// use lexiform_geometry::{Mesh, Scene};
///
/// // A pyramid that stands on the plane z = 0.
/// let base = [Vec3::ZERO, Vec3::X, Vec3::new(1.0, 1.0, 0.0), Vec3::Y];
/// let positions = [&base[..], &[Vec3::new(0.5, 0.5, 1.0)]].concat();
/// let faces = vec![[0, 2, 1], [0, 3, 2], [0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]];
/// let pyramid = Scene::from_mesh(Mesh::new(positions, faces)?);
/// assert!(z_up_probability(&pyramid).is_some_and(|probability| probability > 0.5));
/// assert_eq!(z_up_probability(&Scene::default()), None);
/// # Ok::<(), lexiform_geometry::MeshError>(())
/// ```
pub fn z_up_probability(scene: &Scene) -> Option<f32> {
    let features = ShapeFeatures::of(scene)?;
    let difference = score(&features.toward(Direction::Z)) - score(&features.toward(Direction::Y));
    Some(1.0 / (1.0 + (-difference).exp()))
}

/// How upright a shape looks in one direction; only differences mean something.
fn score(features: &[f32; N_FEATURES]) -> f32 {
    let unit = |((weights, bias), output): ((&[f32; N_FEATURES], &f32), &f32)| {
        let sum: f32 = weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum();
        output * (sum + bias).tanh()
    };
    HIDDEN_WEIGHTS.iter().zip(&HIDDEN_BIAS).zip(&OUTPUT_WEIGHTS).map(unit).sum()
}
