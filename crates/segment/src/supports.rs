//! Things on flat tops: a cluster of a table and a mug is split into what is above the top and what is below.

use glam::Vec3;

use crate::components::components;

/// Smallest cosine between a normal and the up axis on a flat top.
const LEVEL: f32 = 0.9;
/// Smallest share of a cluster's points in a top, and their smallest number.
const MIN_TOP_SHARE: f32 = 0.04;
const MIN_TOP_POINTS: usize = 40;
/// Tops of a cluster, the largest first: a bookcase has many.
const MAX_TOPS: usize = 5;
/// Distance above a top, in voxels, from which points are on it.
const CLEARANCE: f32 = 1.3;
/// Distance in voxels between two things on a top.
const GAP: f32 = 2.0;

/// The points of a scene with their normals.
pub(crate) struct Surface<'a> {
    pub(crate) positions: &'a [Vec3],
    pub(crate) normals: &'a [Vec3],
    pub(crate) up: Vec3,
    /// Edge of a voxel.
    pub(crate) size: f32,
}

/// The groups into which flat tops split a cluster: each thing above a top, and the cluster without them. Both have at least
/// `min_points`.
pub(crate) fn split_at_tops(surface: &Surface<'_>, cluster: &[u32], min_points: usize) -> Vec<Vec<u32>> {
    let height = |i: u32| surface.positions[i as usize].dot(surface.up);
    let mut groups = Vec::new();
    for top in tops(surface, cluster) {
        let limit = top + CLEARANCE * surface.size;
        let (above, below): (Vec<u32>, Vec<u32>) = cluster.iter().partition(|&&i| height(i) > limit);
        if above.len() < min_points || below.len() < min_points {
            continue;
        }
        let things = components(surface.positions, &above, GAP * surface.size);
        groups.extend(things.into_iter().filter(|thing| thing.len() >= min_points));
        groups.push(below);
    }
    groups
}

/// The heights of level patches in a cluster.
fn tops(surface: &Surface<'_>, cluster: &[u32]) -> Vec<f32> {
    let heights = || cluster.iter().map(|&i| surface.positions[i as usize].dot(surface.up));
    let low = heights().fold(f32::INFINITY, f32::min);
    let bin = |height: f32| ((height - low) / surface.size) as usize;
    let mut counts = vec![0_usize; heights().map(bin).max().unwrap_or(0) + 2];
    for (&i, height) in cluster.iter().zip(heights()) {
        if surface.normals[i as usize].dot(surface.up).abs() > LEVEL {
            counts[bin(height)] += 1;
        }
    }
    // A top may be on the border of two bins.
    let sum = |b: usize| counts[b] + counts.get(b + 1).copied().unwrap_or(0);
    let enough = MIN_TOP_POINTS.max((cluster.len() as f32 * MIN_TOP_SHARE) as usize);
    let is_peak = |b: &usize| {
        let near = b.saturating_sub(2)..(*b + 3).min(counts.len());
        sum(*b) >= enough
            && near.clone().all(|other| sum(other) < sum(*b) || (sum(other) == sum(*b) && other >= *b))
    };
    let mut peaks: Vec<usize> = (0..counts.len()).filter(is_peak).collect();
    peaks.sort_by_key(|&b| (std::cmp::Reverse(sum(b)), b));
    peaks.truncate(MAX_TOPS);
    peaks.into_iter().map(|b| low + (b as f32 + 1.0) * surface.size).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_top_separates_what_is_on_it() {
        // A board of 20 × 20 at height 10 with a column of 30 points below and a pile of 40 above.
        let board = (0..400).map(|i| Vec3::new((i % 20) as f32, 10.0, (i / 20) as f32));
        let leg = (0..30).map(|i| Vec3::new(0.0, 9.5 - 0.3 * i as f32, 0.0));
        let thing = (0..40).map(|i| Vec3::new(8.0 + (i % 2) as f32, 11.9 + (i / 2) as f32, 8.0));
        let positions: Vec<Vec3> = board.chain(leg).chain(thing).collect();
        let normals: Vec<Vec3> = (0..470).map(|i| if i < 400 { Vec3::Y } else { Vec3::X }).collect();
        let surface = Surface { positions: &positions, normals: &normals, up: Vec3::Y, size: 1.0 };
        let cluster: Vec<u32> = (0..470).collect();
        assert_eq!(
            split_at_tops(&surface, &cluster, 20),
            [(430..470).collect::<Vec<u32>>(), (0..430).collect()]
        );
        assert!(split_at_tops(&surface, &cluster[..430], 20).is_empty());
    }
}
