//! Farthest point sampling, nearest neighbors and ball queries against values of the reference implementations.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use glam::Vec3;
use lexiform_geometry::neighbors::{
    Ball, FpsVariant, ball_query, farthest_point_sample, farthest_point_sample_by, knn,
};
use safetensors::SafeTensors;

struct Golden(Vec<u8>);

impl Golden {
    fn read(path: &Path) -> Self {
        Self(std::fs::read(path).unwrap())
    }

    fn here(name: &str) -> Self {
        Self::read(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/geometry").join(name))
    }

    /// Points of the clouds of a `[clouds, n, 3 or more]` or `[n, 3]` tensor.
    fn clouds(&self, name: &str) -> Vec<Vec<Vec3>> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        let &[.., n, width] = tensor.shape() else { panic!("{name} is no list of points") };
        let numbers: Vec<f32> =
            tensor.data().chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
        let points: Vec<Vec3> = numbers.chunks(width).map(Vec3::from_slice).collect();
        points.chunks(n).map(<[Vec3]>::to_vec).collect()
    }

    /// Rows along the first dimension, or the one row of a vector.
    fn indices(&self, name: &str) -> Vec<Vec<usize>> {
        let file = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = file.tensor(name).unwrap();
        let numbers: Vec<usize> = tensor
            .data()
            .chunks_exact(8)
            .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as usize)
            .collect();
        let rows = if tensor.shape().len() > 1 { tensor.shape()[0] } else { 1 };
        numbers.chunks(numbers.len() / rows).map(<[usize]>::to_vec).collect()
    }
}

/// A folder of golden values that is too large to keep here, or a printed line where it is absent.
fn shared(name: &str) -> Option<Golden> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures").join(name);
    if path.exists() {
        return Some(Golden::read(&path));
    }
    println!("skipped: {} is absent", path.display());
    None
}

#[test]
fn farthest_points_are_those_of_each_reference() {
    let golden = Golden::here("fps.safetensors");
    let rules = [
        ("pointnet2", FpsVariant::Pointnet2),
        ("openpoints", FpsVariant::Openpoints),
        ("dgl_cpu_start0", FpsVariant::LowestIndex { first: 0 }),
        ("lowest_index", FpsVariant::LowestIndex { first: 0 }),
    ];
    for set in ["grid", "duplicates", "all_near_origin", "random2000"] {
        let points = &golden.clouds(&format!("{set}.points"))[0];
        for (name, rule) in rules {
            let expected = &golden.indices(&format!("{set}.{name}"))[0];
            let found = farthest_point_sample_by(points, expected.len(), rule);
            assert_eq!(&found, expected, "{set} by {name}");
        }
    }
}

#[test]
fn farthest_points_and_neighbors_are_cg3ds() {
    let (inputs, expected) =
        (Golden::here("cg3d_ops_inputs.safetensors"), Golden::here("cg3d_ops_expected.safetensors"));
    for (set, name) in [("points", "fps_64"), ("points", "fps_400_of_300"), ("grid", "fps_grid_ties_40")] {
        for (points, expected) in inputs.clouds(set).iter().zip(expected.indices(name)) {
            let found = farthest_point_sample_by(points, expected.len(), FpsVariant::Pointnet2);
            assert_eq!(found, expected, "{name}");
        }
    }
    let centers = expected.indices("fps_64");
    for ((points, centers), expected) in
        inputs.clouds("points").iter().zip(centers).zip(expected.indices("knn16_idx_sorted"))
    {
        let queries: Vec<Vec3> = centers.iter().map(|&i| points[i]).collect();
        check_sets(&knn(points, &queries, 16), &expected, 16);
    }
}

#[test]
fn neighbors_are_point_berts() {
    let Some(golden) = shared("pointbert_tiny_xyz/inputs.safetensors") else { return };
    let (centers, neighbors) = (golden.indices("fps_idx"), golden.indices("knn_idx"));
    for ((points, centers), expected) in golden.clouds("clouds").iter().zip(centers).zip(neighbors) {
        assert_eq!(farthest_point_sample_by(points, 16, FpsVariant::Pointnet2), centers);
        let queries: Vec<Vec3> = centers.iter().map(|&i| points[i]).collect();
        check_sets(&knn(points, &queries, 8), &expected, 8);
    }
}

#[test]
fn balls_are_openshapes() {
    let Some(golden) = shared("ppat_tiny_xyz/inputs.safetensors") else { return };
    let (centers, balls) = (golden.indices("fps_idx"), golden.indices("ball_idx"));
    for ((points, centers), expected) in golden.clouds("clouds").iter().zip(centers).zip(balls) {
        assert_eq!(farthest_point_sample(points, 16, 5), centers);
        let queries: Vec<Vec3> = centers.iter().map(|&i| points[i]).collect();
        assert_eq!(ball_query(points, &queries, Ball::Closed { radius: 0.4 }, 8), expected);
    }
}

#[test]
fn farthest_points_are_pointnexts() {
    let Some(golden) = shared("pointnext_tiny/inputs.safetensors") else { return };
    for (points, expected) in golden.clouds("clouds").iter().zip(golden.indices("fps_idx_stage1")) {
        assert_eq!(farthest_point_sample_by(points, 128, FpsVariant::Openpoints), expected);
    }
}

/// The order inside a group of neighbors is not defined.
fn check_sets(found: &[usize], expected: &[usize], count: usize) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.chunks(count).zip(expected.chunks(count)) {
        let sorted = |group: &[usize]| {
            let mut group = group.to_vec();
            group.sort_unstable();
            group
        };
        assert_eq!(sorted(found), sorted(expected));
    }
}
