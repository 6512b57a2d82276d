//! Proposals: sets of voxels that may be an object, without near duplicates.

use glam::Vec3;
use lexiform_geometry::Bounds;

/// Intersection over union above which the lesser of two proposals is dropped.
const SAME: f32 = 0.75;

/// A set of voxels that may be an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Indices of voxels, ascending.
    pub voxels: Vec<u32>,
    /// How much it is separate from everything else but the building, `0..=1`.
    pub objectness: f32,
}

impl Proposal {
    /// The box around the centers of its voxels.
    pub fn bounds(&self, positions: &[Vec3]) -> Option<Bounds> {
        Bounds::from_points(self.voxels.iter().map(|&v| positions[v as usize]))
    }
}

/// Size of the intersection of two ascending lists, and intersection over union.
///
/// ```
/// use lexiform_segment::overlap;
///
/// assert_eq!(overlap(&[1, 2, 5], &[2, 5, 7]), (2, 0.5));
/// ```
pub fn overlap(a: &[u32], b: &[u32]) -> (usize, f32) {
    let (mut i, mut j, mut both) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, both) = (i + 1, j + 1, both + 1),
        }
    }
    let union = a.len() + b.len() - both;
    (both, if union == 0 { 0.0 } else { both as f32 / union as f32 })
}

/// Non-maximum suppression: the most object-like proposals, larger ones first among equals, none nearly the same as another.
pub(crate) fn suppress_duplicates(mut proposals: Vec<Proposal>, most: usize) -> Vec<Proposal> {
    proposals.sort_by(|a, b| {
        let by_score = b.objectness.total_cmp(&a.objectness);
        by_score.then_with(|| b.voxels.len().cmp(&a.voxels.len())).then_with(|| a.voxels.cmp(&b.voxels))
    });
    let mut kept: Vec<Proposal> = Vec::new();
    for proposal in proposals {
        if kept.len() == most {
            break;
        }
        let is_new = kept.iter().all(|other| {
            let (small, large) = (
                proposal.voxels.len().min(other.voxels.len()),
                proposal.voxels.len().max(other.voxels.len()),
            );
            // Sizes alone rule most pairs out.
            (small as f32) < SAME * large as f32 || overlap(&proposal.voxels, &other.voxels).1 < SAME
        });
        if is_new {
            kept.push(proposal);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_of_two_duplicates_stays() {
        let proposal =
            |voxels: std::ops::Range<u32>, objectness| Proposal { voxels: voxels.collect(), objectness };
        let kept =
            suppress_duplicates(vec![proposal(0..10, 0.5), proposal(0..9, 0.9), proposal(5..15, 0.7)], 9);
        assert_eq!(kept, [proposal(0..9, 0.9), proposal(5..15, 0.7)]);
    }
}
