//! Augmentations with the random draws of ULIP's and OpenShape's loaders, against what those loaders gave.

use glam::Vec3;
use lexiform_golden::{Golden, check, fixture};

use super::{Axis, drop_points, perturbation, rotated};

/// The references compute in f64, this project in f32.
const TOLERANCE: f64 = 3e-7;

/// The file with the references' draws and results.
struct Draws(Golden);

impl Draws {
    fn read() -> Self {
        Self(Golden::read(&fixture("training/preprocess.safetensors")))
    }

    /// The normalized cloud that every augmentation changes, `[64, 3]`.
    fn cloud(&self) -> Vec<Vec3> {
        let values: Vec<f32> = self.0.values("pc_norm").iter().map(|v| *v as f32).collect();
        values.chunks_exact(3).map(Vec3::from_slice).collect()
    }

    fn numbers(&self, name: &str) -> Vec<f32> {
        self.0.values(name).iter().map(|v| *v as f32).collect()
    }

    fn check(&self, name: &str, found: &[Vec3]) {
        let found: Vec<f64> = found.iter().flat_map(|p| p.to_array()).map(f64::from).collect();
        check(name, &found, &self.0.values(name), TOLERANCE);
    }

    /// Checks a change of every point.
    fn check_each(&self, name: &str, change: impl Fn(Vec3) -> Vec3) {
        let changed: Vec<Vec3> = self.cloud().into_iter().map(change).collect();
        self.check(name, &changed);
    }
}

#[test]
fn dropout_is_ulips() {
    let draws = Draws::read();
    let (mut cloud, uniform) = (draws.cloud(), draws.numbers("dropout_uniform"));
    let mut next = uniform.into_iter();
    drop_points(&mut cloud, draws.numbers("dropout_ratio")[0], || next.next().unwrap());
    assert!(next.next().is_none(), "one draw per point");
    draws.check("dropout_out", &cloud);
}

#[test]
fn scale_and_shift_are_ulips() {
    let draws = Draws::read();
    let (scale, shift) = (draws.numbers("scale")[0], Vec3::from_slice(&draws.numbers("shift")));
    draws.check_each("scale_out", |p| p * scale);
    draws.check_each("shift_out", |p| p + shift);
}

#[test]
fn rotations_are_ulips_and_openshapes() {
    let draws = Draws::read();
    let [x, y, z] = draws.numbers("perturb_angles")[..] else { panic!("expected three angles") };
    draws.check_each("perturb_out", |p| rotated(p, perturbation(x, y, z)));
    let yaw = Axis::Y.turn(draws.numbers("yaw_angle")[0]);
    draws.check_each("yaw_out", |p| rotated(p, yaw));
    let about_z = Axis::Z.turn(draws.numbers("openshape_z_angle")[0]);
    draws.check_each("openshape_z_out", |p| rotated(p, about_z));
}
