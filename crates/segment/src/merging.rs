//! Regions by merging superpoints: those with the longest common border for their size first, until none touch. Regions that exist for
//! long before they are merged are proposals.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use glam::Vec3;

/// How much a difference of colors lessens the affinity of regions; colors are square roots of linear ones.
const COLOR_WEIGHT: f32 = 6.0;
/// A region is proposed if its affinity to what it is merged with is below this share of that inside it.
const MAX_AFFINITY_RATIO: f32 = 0.7;

/// Superpoints with their sizes, colors, and common borders.
pub(crate) struct RegionGraph {
    sizes: Vec<f32>,
    /// Sums over points.
    colors: Vec<Vec3>,
    /// Edges between points of two regions.
    borders: Vec<BTreeMap<u32, f32>>,
    /// Regions that a region consists of; `None` for a superpoint.
    children: Vec<Option<[u32; 2]>>,
    /// Affinity at which the children were merged.
    formed: Vec<f32>,
    merged: Vec<bool>,
}

#[derive(PartialEq)]
struct Candidate {
    affinity: f32,
    regions: [u32; 2],
}

impl Eq for Candidate {}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        self.affinity.total_cmp(&other.affinity).then_with(|| other.regions.cmp(&self.regions))
    }
}

impl RegionGraph {
    /// `labels` are the superpoints of points, numbered from 0.
    pub(crate) fn new(labels: &[u32], colors: &[Vec3], edges: impl Iterator<Item = (u32, u32)>) -> Self {
        let count = labels.iter().max().map_or(0, |&l| l as usize + 1);
        let mut graph = Self {
            sizes: vec![0.0; count],
            colors: vec![Vec3::ZERO; count],
            borders: vec![BTreeMap::new(); count],
            children: vec![None; count],
            formed: vec![f32::INFINITY; count],
            merged: vec![false; count],
        };
        for (&label, color) in labels.iter().zip(colors) {
            graph.sizes[label as usize] += 1.0;
            graph.colors[label as usize] += color.max(Vec3::ZERO).map(f32::sqrt);
        }
        for (a, b) in edges {
            let (a, b) = (labels[a as usize], labels[b as usize]);
            if a != b {
                *graph.borders[a as usize].entry(b).or_default() += 1.0;
                *graph.borders[b as usize].entry(a).or_default() += 1.0;
            }
        }
        graph
    }

    /// Merges everything that touches; returns the superpoints of each region that was distinct for long.
    pub(crate) fn regions(mut self) -> Vec<Vec<u32>> {
        let mut queue = BinaryHeap::new();
        for a in 0..self.sizes.len() as u32 {
            let later = self.borders[a as usize].range(a + 1..);
            queue.extend(later.map(|(&b, _)| Candidate { affinity: self.affinity(a, b), regions: [a, b] }));
        }
        let mut distinct = Vec::new();
        while let Some(Candidate { affinity, regions }) = queue.pop() {
            if regions.iter().any(|&r| self.merged[r as usize]) {
                continue;
            }
            for region in regions {
                if affinity < MAX_AFFINITY_RATIO * self.formed[region as usize] {
                    distinct.push(region);
                }
            }
            let joined = self.merge(regions, affinity);
            let others = self.borders[joined as usize].keys();
            queue.extend(
                others.map(|&b| Candidate { affinity: self.affinity(joined, b), regions: [joined, b] }),
            );
        }
        distinct.into_iter().map(|region| self.superpoints(region)).collect()
    }

    /// The common border relative to that of the smaller region's size, less for different colors.
    fn affinity(&self, a: u32, b: u32) -> f32 {
        let (i, j) = (a as usize, b as usize);
        let contact = self.borders[i].get(&b).copied().unwrap_or(0.0);
        let difference = (self.colors[i] / self.sizes[i] - self.colors[j] / self.sizes[j]).length();
        contact / self.sizes[i].min(self.sizes[j]).sqrt() * (-COLOR_WEIGHT * difference).exp()
    }

    fn merge(&mut self, [a, b]: [u32; 2], affinity: f32) -> u32 {
        let joined = self.sizes.len() as u32;
        let (i, j) = (a as usize, b as usize);
        (self.merged[i], self.merged[j]) = (true, true);
        let mut borders = std::mem::take(&mut self.borders[i]);
        for (other, contact) in std::mem::take(&mut self.borders[j]) {
            *borders.entry(other).or_default() += contact;
        }
        borders.remove(&a);
        borders.remove(&b);
        for (&other, &contact) in &borders {
            let of_other = &mut self.borders[other as usize];
            of_other.remove(&a);
            of_other.remove(&b);
            of_other.insert(joined, contact);
        }
        self.sizes.push(self.sizes[i] + self.sizes[j]);
        self.colors.push(self.colors[i] + self.colors[j]);
        self.borders.push(borders);
        self.children.push(Some([a, b]));
        self.formed.push(affinity);
        self.merged.push(false);
        joined
    }

    fn superpoints(&self, region: u32) -> Vec<u32> {
        let mut open = vec![region];
        let mut found = Vec::new();
        while let Some(region) = open.pop() {
            match self.children[region as usize] {
                Some(children) => open.extend(children),
                None => found.push(region),
            }
        }
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_little_is_distinct() {
        // Two pairs of superpoints of 4 points each; pairs share 4 edges inside and 1 between them.
        let labels: Vec<u32> = (0..16).map(|i| i / 4).collect();
        let inside = [(0, 4), (1, 5), (2, 6), (3, 7), (8, 12), (9, 13), (10, 14), (11, 15)];
        let edges = inside.into_iter().chain([(7, 8)]);
        let regions = RegionGraph::new(&labels, &[Vec3::ONE; 16], edges).regions();
        // Superpoints themselves are distinct too: nothing was merged to form them.
        let mut pairs: Vec<_> = regions.into_iter().filter(|r| r.len() == 2).collect();
        pairs.sort();
        assert_eq!(pairs, [[0, 1], [2, 3]]);
    }
}
