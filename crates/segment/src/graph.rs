//! The nearest neighbors of voxels, their normals, and sets of connected ones.

use glam::Vec3;
use lexiform_geometry::neighbors::knn;
use lexiform_geometry::normals::estimate_normal;
use rayon::prelude::*;

/// Neighbors of a point, itself included.
const NEIGHBORS: usize = 14;

/// Neighbors and normals of points.
pub(crate) struct NeighborGraph {
    /// `[points, each]`, nearest first, the point itself included.
    neighbors: Vec<u32>,
    each: usize,
    /// Unit normals, of either sign.
    pub(crate) normals: Vec<Vec3>,
}

impl NeighborGraph {
    pub(crate) fn new(positions: &[Vec3]) -> Self {
        let each = NEIGHBORS.min(positions.len());
        let neighbors: Vec<u32> =
            knn(positions, positions, NEIGHBORS).into_iter().map(|i| i as u32).collect();
        let normal = |near: &[u32]| estimate_normal(near.iter().map(|&i| positions[i as usize]));
        let normals = neighbors.par_chunks(each.max(1)).map(normal).collect();
        Self { neighbors, each, normals }
    }

    /// The neighbors of a point, nearest first.
    pub(crate) fn of(&self, point: usize) -> &[u32] {
        &self.neighbors[point * self.each..(point + 1) * self.each]
    }

    /// Pairs of neighbors, each once.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let n = self.neighbors.len() / self.each.max(1);
        (0..n as u32).flat_map(move |a| {
            let others = self.of(a as usize).iter().copied().filter(move |&b| b != a);
            // A pair of mutual neighbors is listed by the lower one.
            others
                .filter(move |&b| a < b || !self.of(b as usize).contains(&a))
                .map(move |b| (a.min(b), a.max(b)))
        })
    }
}

/// Disjoint sets with union by size and path halving.
pub(crate) struct DisjointSets {
    parents: Vec<u32>,
    sizes: Vec<u32>,
}

impl DisjointSets {
    pub(crate) fn new(count: usize) -> Self {
        Self { parents: (0..count as u32).collect(), sizes: vec![1; count] }
    }

    /// The representative of the set.
    pub(crate) fn find(&mut self, mut item: u32) -> u32 {
        while self.parents[item as usize] != item {
            let above = self.parents[self.parents[item as usize] as usize];
            self.parents[item as usize] = above;
            item = above;
        }
        item
    }

    /// Joins two sets given by their representatives; returns the new one's.
    pub(crate) fn join(&mut self, a: u32, b: u32) -> u32 {
        if a == b {
            return a;
        }
        let (large, small) = if self.size(a) >= self.size(b) { (a, b) } else { (b, a) };
        self.parents[small as usize] = large;
        self.sizes[large as usize] += self.sizes[small as usize];
        large
    }

    /// Number of items in the set of a representative.
    pub(crate) fn size(&self, representative: u32) -> u32 {
        self.sizes[representative as usize]
    }

    /// The set of each item, numbered by first appearance.
    pub(crate) fn labels(&mut self) -> Vec<u32> {
        let count = self.parents.len() as u32;
        let mut numbers = vec![u32::MAX; self.parents.len()];
        let mut next = 0;
        let label = |item| {
            let root = self.find(item) as usize;
            if numbers[root] == u32::MAX {
                numbers[root] = next;
                next += 1;
            }
            numbers[root]
        };
        (0..count).map(label).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_numbered_by_first_appearance() {
        let mut sets = DisjointSets::new(5);
        let (a, b) = (sets.find(1), sets.find(4));
        sets.join(a, b);
        assert_eq!(sets.labels(), [0, 1, 2, 3, 1]);
        let root = sets.find(4);
        assert_eq!(sets.size(root), 2);
    }

    #[test]
    fn each_pair_is_an_edge_once() {
        let line: Vec<Vec3> = (0..40).map(|i| Vec3::X * (i * i) as f32).collect();
        let graph = NeighborGraph::new(&line);
        let mut edges: Vec<(u32, u32)> = graph.edges().collect();
        let count = edges.len();
        edges.sort_unstable();
        edges.dedup();
        assert_eq!(edges.len(), count);
        let of_pairs =
            (0..40_u32).flat_map(|a| graph.of(a as usize).iter().map(move |&b| (a.min(b), a.max(b))));
        let mut expected: Vec<(u32, u32)> = of_pairs.filter(|(a, b)| a != b).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(edges, expected);
    }
}
