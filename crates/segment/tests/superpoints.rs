//! Superpoints are those of ScanNet's Segmentator.

use std::collections::HashSet;

use glam::Vec3;
use lexiform_segment::superpoints::{SuperpointConfig, mesh_superpoints};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    positions: Vec<[f32; 3]>,
    faces: Vec<[u32; 3]>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    k: f32,
    min_vertices: u32,
    segments: Vec<u32>,
}

/// The numbers of segments depend on the order of equal weights, which is that of a library in the reference; which vertices are together
/// does not.
#[test]
fn segments_are_those_of_the_reference() {
    let file = lexiform_golden::fixture("segment/superpoints.json");
    let golden: Golden = serde_json::from_slice(&fs_err::read(file).unwrap()).unwrap();
    let positions: Vec<Vec3> = golden.positions.iter().map(|&p| p.into()).collect();
    for Case { k, min_vertices, segments } in golden.cases {
        let found = mesh_superpoints(&positions, &golden.faces, &SuperpointConfig { k, min_vertices });
        let pairs: HashSet<(u32, u32)> = segments.iter().copied().zip(found.iter().copied()).collect();
        let count = |list: &[u32]| list.iter().collect::<HashSet<_>>().len();
        assert_eq!([count(&found), pairs.len()], [count(&segments); 2], "k = {k}");
        assert!(count(&segments) > 5);
    }
}
