//! Superpoints: patches of a surface without sharp concave edges, by graph-based segmentation ([Felzenszwalb and Huttenlocher]) with
//! the weights of ScanNet's [Segmentator], of whose segments its annotations are made.
//!
//! [Felzenszwalb and Huttenlocher]: https://doi.org/10.1023/B:VISI.0000022288.19776.77
//! [Segmentator]: https://github.com/ScanNet/ScanNet/tree/master/Segmentator

use glam::Vec3;
use serde::{Deserialize, Serialize};

/// Settings, with the names and defaults of Segmentator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuperpointConfig {
    /// Larger values give larger segments: a segment of `n` vertices tolerates weights up to its largest one plus `k / n`.
    #[serde(rename = "kThresh")]
    pub k: f32,
    /// Smaller segments are joined with a neighbor.
    #[serde(rename = "segMinVerts")]
    pub min_vertices: u32,
}

impl Default for SuperpointConfig {
    fn default() -> Self {
        Self { k: 0.01, min_vertices: 20 }
    }
}

/// Two vertices and how much they differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge {
    /// Indices of the vertices.
    pub vertices: [u32; 2],
    /// Weight, at least 0.
    pub weight: f32,
}

/// Superpoints of a mesh: for each vertex the index of the vertex that represents its segment, as in `segIndices` of ScanNet's
/// `segs.json`. Edges of equal weight are taken in the order of the triangles; in the reference their order depends on its library.
///
/// ```
/// use glam::vec3;
/// use lexiform_segment::superpoints::{SuperpointConfig, mesh_superpoints};
///
/// // Two triangles that share no vertex.
/// let positions: Vec<_> = (0..6).map(|i| vec3((i % 3) as f32, (i % 2) as f32, i as f32)).collect();
/// let segments = mesh_superpoints(&positions, &[[0, 1, 2], [3, 4, 5]], &SuperpointConfig::default());
/// assert!(segments[..3].iter().all(|s| *s == segments[0]) && segments[0] != segments[3]);
/// ```
///
/// # Panics
/// If a face names a vertex that does not exist.
pub fn mesh_superpoints(positions: &[Vec3], faces: &[[u32; 3]], config: &SuperpointConfig) -> Vec<u32> {
    let normals = smoothed_normals(positions, faces);
    let weight = |a: u32, b: u32| {
        let [n1, n2] = [a, b].map(|v| normals[v as usize]);
        let along = unit(positions[b as usize] - positions[a as usize]);
        let weight = 1.0 - n1.dot(n2);
        // Across a convex edge, parts of one object meet; across a concave one, different objects may.
        if n2.dot(along) > 0.0 { weight * weight } else { weight }
    };
    let pairs = faces.iter().flat_map(|&[a, b, c]| [[a, b], [a, c], [c, b]]);
    let edges = pairs.map(|[a, b]| Edge { vertices: [a, b], weight: weight(a, b) }).collect();
    graph_superpoints(positions.len(), edges, config)
}

/// The segmentation of a graph: for each vertex the representative of its segment.
pub fn graph_superpoints(vertices: usize, mut edges: Vec<Edge>, config: &SuperpointConfig) -> Vec<u32> {
    // A stable sort: equal weights keep their order on every machine.
    edges.sort_by(|a, b| a.weight.total_cmp(&b.weight));
    let mut forest = RankedForest::new(vertices);
    let mut thresholds = vec![config.k; vertices];
    for edge in &edges {
        let [a, b] = edge.vertices.map(|v| forest.find(v));
        if a != b && edge.weight <= thresholds[a as usize] && edge.weight <= thresholds[b as usize] {
            let joined = forest.join(a, b);
            thresholds[joined as usize] = edge.weight + config.k / forest.sizes[joined as usize] as f32;
        }
    }
    for edge in &edges {
        let [a, b] = edge.vertices.map(|v| forest.find(v));
        let smaller = forest.sizes[a as usize].min(forest.sizes[b as usize]);
        if a != b && smaller < config.min_vertices {
            forest.join(a, b);
        }
    }
    (0..vertices as u32).map(|v| forest.find(v)).collect()
}

/// The running mean of the unit normals of each vertex's faces, in their order; not normalized, as in Segmentator.
fn smoothed_normals(positions: &[Vec3], faces: &[[u32; 3]]) -> Vec<Vec3> {
    let mut normals = vec![Vec3::ZERO; positions.len()];
    let mut counts = vec![0_u32; positions.len()];
    for face in faces {
        let [a, b, c] = face.map(|v| positions[v as usize]);
        let normal = unit((b - a).cross(c - a));
        for v in face.map(|v| v as usize) {
            let share = 1.0 / (counts[v] as f32 + 1.0);
            // The order of operations is the reference's: the last bits decide which of nearly equal weights comes first.
            normals[v] = normal * share + normals[v] * (1.0 - share);
            counts[v] += 1;
        }
    }
    normals
}

/// A vector of length 1, by division and not by the reciprocal of the length, as in the reference; zero stays zero.
fn unit(vector: Vec3) -> Vec3 {
    let length = vector.length();
    if length > 0.0 { vector / length } else { Vec3::ZERO }
}

/// Disjoint sets with union by rank, whose representatives are those of the reference: they are part of `segs.json`.
struct RankedForest {
    parents: Vec<u32>,
    ranks: Vec<u32>,
    sizes: Vec<u32>,
}

impl RankedForest {
    fn new(count: usize) -> Self {
        Self { parents: (0..count as u32).collect(), ranks: vec![0; count], sizes: vec![1; count] }
    }

    fn find(&mut self, vertex: u32) -> u32 {
        let mut root = vertex;
        while self.parents[root as usize] != root {
            root = self.parents[root as usize];
        }
        self.parents[vertex as usize] = root;
        root
    }

    /// Joins two roots. At equal rank the second becomes the root.
    fn join(&mut self, a: u32, b: u32) -> u32 {
        let (root, child) = if self.ranks[a as usize] > self.ranks[b as usize] { (a, b) } else { (b, a) };
        self.parents[child as usize] = root;
        self.sizes[root as usize] += self.sizes[child as usize];
        if self.ranks[a as usize] == self.ranks[b as usize] {
            self.ranks[b as usize] += 1;
        }
        root
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(a: u32, b: u32, weight: f32) -> Edge {
        Edge { vertices: [a, b], weight }
    }

    const NO_MINIMUM: SuperpointConfig = SuperpointConfig { k: 0.01, min_vertices: 0 };

    /// By hand: 0–1 (0.001 ≤ 0.01) join, threshold 0.001 + 0.01/2 = 0.006 at vertex 1. 1–2 (0.005 ≤ 0.006, ≤ 0.01) join to three
    /// vertices, threshold 0.005 + 0.01/3 = 0.00833. 2–3 (0.009) exceeds it, although vertex 3 alone would tolerate 0.01.
    #[test]
    fn a_segment_tolerates_less_as_it_grows() {
        let edges = vec![edge(2, 3, 0.009), edge(0, 1, 0.001), edge(1, 2, 0.005)];
        assert_eq!(graph_superpoints(4, edges, &NO_MINIMUM), [1, 1, 1, 3]);
    }

    /// As above, and then the edge 2–3 joins the single vertex: rank 1 of vertex 1 against 0 keeps it as root.
    #[test]
    fn small_segments_are_joined_at_the_end() {
        let edges = vec![edge(2, 3, 0.009), edge(0, 1, 0.001), edge(1, 2, 0.005)];
        let config = SuperpointConfig { min_vertices: 2, ..NO_MINIMUM };
        assert_eq!(graph_superpoints(4, edges, &config), [1; 4]);
    }

    /// Two flat strips that meet along the y axis in a right angle: a convex roof ridge and a concave valley.
    fn strips(slope: f32) -> (Vec<Vec3>, Vec<[u32; 3]>) {
        let at = |i: i32, j: i32| Vec3::new(i as f32, j as f32, slope * (i.abs() as f32));
        let positions = (-2..=2).flat_map(|i| (0..3).map(move |j| at(i, j))).collect();
        let quad = |i: u32, j: u32| {
            let [a, b, c, d] = [i * 3 + j, (i + 1) * 3 + j, (i + 1) * 3 + j + 1, i * 3 + j + 1];
            [[a, b, c], [a, c, d]]
        };
        let faces = (0..4).flat_map(|i| (0..2).flat_map(move |j| quad(i, j))).collect();
        (positions, faces)
    }

    /// By hand for slopes of 45°: the normals of the sides are at right angles. On the crease, of one to two faces of either side, the
    /// mean's cosine with a side is 1/3, 1/2 or 2/3, so the weight is at least 1/3, or its square 1/9 across a convex edge: both exceed
    /// k = 0.01. Within a side all weights are 0.
    #[test]
    fn creases_separate_sides() {
        for slope in [-1.0, 1.0] {
            let (positions, faces) = strips(slope);
            let segments = mesh_superpoints(&positions, &faces, &NO_MINIMUM);
            assert_eq!(segments[0], segments[5], "the left side is one segment");
            assert_eq!(segments[9], segments[14], "the right side is one segment");
            assert_ne!(segments[0], segments[14]);
            assert!(segments[6..9].iter().all(|s| *s != segments[0] && *s != segments[14]));
        }
    }

    #[test]
    fn normals_are_running_means() {
        // Two faces at right angles share the edge 0–1: their mean has length 1/√2.
        let positions = [Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::Z];
        let normals = smoothed_normals(&positions, &[[0, 1, 2], [0, 1, 3]]);
        assert_eq!(normals[0], Vec3::new(0.0, -0.5, 0.5));
        assert_eq!(normals[2], Vec3::Z);
        assert_eq!(normals[3], Vec3::NEG_Y);
    }
}
