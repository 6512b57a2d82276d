//! Farthest points, neighbors and balls against the reference implementations' values.

use glam::Vec3;
use lexiform_geometry::neighbors::{
    Ball, FpsVariant, ball_query, farthest_point_sample, farthest_point_sample_by, knn,
};
use lexiform_golden::{Golden, fixture};

fn golden(name: &str) -> Golden {
    Golden::read(&fixture("geometry").join(name))
}

/// Points of the clouds of a `[clouds, n, 3 or more]` or `[n, 3]` tensor.
fn clouds(golden: &Golden, name: &str) -> Vec<Vec<Vec3>> {
    let [.., n, width] = golden.shape(name)[..] else { panic!("{name}: expected a list of points") };
    let points: Vec<Vec3> = golden.values_f32(name).chunks(width).map(Vec3::from_slice).collect();
    points.chunks(n).map(<[Vec3]>::to_vec).collect()
}

/// Rows along the first dimension, or the one row of a vector.
fn indices(golden: &Golden, name: &str) -> Vec<Vec<usize>> {
    let rows = if let [rows, _, ..] = golden.shape(name)[..] { rows } else { 1 };
    let numbers = golden.indices(name);
    numbers.chunks(numbers.len() / rows).map(<[usize]>::to_vec).collect()
}

#[test]
fn farthest_points_are_those_of_each_reference() {
    let golden = golden("fps.safetensors");
    let rules = [
        ("pointnet2", FpsVariant::Pointnet2),
        ("openpoints", FpsVariant::Openpoints),
        ("dgl_cpu_start0", FpsVariant::LowestIndex { first: 0 }),
        ("lowest_index", FpsVariant::LowestIndex { first: 0 }),
    ];
    for set in ["grid", "duplicates", "all_near_origin", "random2000"] {
        let points = &clouds(&golden, &format!("{set}.points"))[0];
        for (name, rule) in rules {
            let expected = &indices(&golden, &format!("{set}.{name}"))[0];
            let found = farthest_point_sample_by(points, expected.len(), rule);
            assert_eq!(&found, expected, "{set} by {name}");
        }
    }
}

#[test]
fn farthest_points_and_neighbors_are_cg3ds() {
    let (inputs, expected) = (golden("cg3d_ops_inputs.safetensors"), golden("cg3d_ops_expected.safetensors"));
    for (set, name) in [("points", "fps_64"), ("points", "fps_400_of_300"), ("grid", "fps_grid_ties_40")] {
        for (points, expected) in clouds(&inputs, set).iter().zip(indices(&expected, name)) {
            let found = farthest_point_sample_by(points, expected.len(), FpsVariant::Pointnet2);
            assert_eq!(found, expected, "{name}");
        }
    }
    let centers = indices(&expected, "fps_64");
    for ((points, centers), expected) in
        clouds(&inputs, "points").iter().zip(centers).zip(indices(&expected, "knn16_idx_sorted"))
    {
        let queries: Vec<Vec3> = centers.iter().map(|&i| points[i]).collect();
        check_sets(&knn(points, &queries, 16), &expected, 16);
    }
}

#[test]
fn neighbors_are_point_berts() {
    let golden = golden("point_bert.safetensors");
    let (centers, neighbors) = (indices(&golden, "fps_idx"), indices(&golden, "knn_idx"));
    for ((points, centers), expected) in clouds(&golden, "clouds").iter().zip(centers).zip(neighbors) {
        assert_eq!(farthest_point_sample_by(points, 16, FpsVariant::Pointnet2), centers);
        let queries: Vec<Vec3> = centers.iter().map(|&i| points[i]).collect();
        check_sets(&knn(points, &queries, 8), &expected, 8);
    }
}

#[test]
fn balls_are_openshapes() {
    let golden = golden("openshape_ppat.safetensors");
    let (centers, balls) = (indices(&golden, "fps_idx"), indices(&golden, "ball_idx"));
    for ((points, centers), expected) in clouds(&golden, "clouds").iter().zip(centers).zip(balls) {
        assert_eq!(farthest_point_sample(points, 16, 5), centers);
        let queries: Vec<Vec3> = centers.iter().map(|&i| points[i]).collect();
        assert_eq!(ball_query(points, &queries, Ball::Closed { radius: 0.4 }, 8), expected);
    }
}

#[test]
fn farthest_points_are_pointnexts() {
    let golden = golden("pointnext.safetensors");
    for (points, expected) in clouds(&golden, "clouds").iter().zip(indices(&golden, "fps_idx_stage1")) {
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
