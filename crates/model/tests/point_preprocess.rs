//! Preprocessing of point clouds against ULIP's and OpenShape's loaders.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use glam::Vec3;
use lexiform_geometry::PointCloud;
use lexiform_geometry::neighbors::farthest_point_sample;
use lexiform_golden::{Golden, check, fixture};
use lexiform_model::point::{FpsStart, ModelFamily, PointNormalization, PointPreprocess};

/// The references compute in f64, this project keeps positions in f32.
const TOLERANCE: f64 = 3e-7;

struct Reference(Golden);

impl Reference {
    fn read() -> Self {
        Self(Golden::read(&fixture("training/preprocess.safetensors")))
    }

    /// Points of a `[64, 3]` tensor.
    fn positions(&self, name: &str) -> Vec<Vec3> {
        let values: Vec<f32> = self.0.values(name).iter().map(|v| *v as f32).collect();
        values.chunks_exact(3).map(Vec3::from_slice).collect()
    }

    /// Compares the reference's tensor with the raw points after `input`.
    fn check(&self, name: &str, input: PointPreprocess) {
        let cloud = PointCloud::new(self.positions("points")).unwrap();
        let found = input.prepare(&cloud, FpsStart::default()).positions;
        let found: Vec<f64> = found.iter().flat_map(|p| p.to_array()).map(f64::from).collect();
        check(name, &found, &self.0.values(name), TOLERANCE);
    }
}

fn input(system: ModelFamily) -> PointPreprocess {
    PointPreprocess { n_points: 64, ..PointPreprocess::of(system, false) }
}

#[test]
fn clouds_are_normalized_as_in_the_references() {
    let reference = Reference::read();
    reference.check("pc_norm", input(ModelFamily::Ulip));
    reference.check("openshape_norm", input(ModelFamily::OpenShapeYUp));
}

#[test]
fn openshape_swaps_y_and_z() {
    let stored =
        PointPreprocess { normalization: PointNormalization::None, ..input(ModelFamily::OpenShapeZUp) };
    Reference::read().check("openshape_yz_swap", stored);
}

#[test]
fn ulips_farthest_points_are_found_from_the_same_start() {
    let reference = Reference::read();
    let (start, expected) = (reference.0.indices("np_fps_start")[0], reference.0.indices("np_fps_idx"));
    assert_eq!(farthest_point_sample(&reference.positions("points"), expected.len(), start), expected);
}
