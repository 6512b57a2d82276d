//! Duplicate detection among many shapes: candidate pairs by signature, verified by registration.

use std::sync::Arc;

use rayon::prelude::*;

use super::canonical::CanonicalShape;
use super::icp::RegistrationResult;
use super::signature::Signature;

/// Most candidates per shape.
const MAX_CANDIDATES: usize = 24;
/// Signatures that differ by more than this belong to different shapes …
const BASE_SIGNATURE_RADIUS: f32 = 0.025;
/// … and for each part of the diameter that shapes may differ by, this much more.
const SIGNATURE_RADIUS_PER_THRESHOLD: f32 = 2.0;
/// Pairs verified in parallel.
const BATCH: usize = 64;

/// Shapes that are duplicates of each other.
#[derive(Clone, Debug, PartialEq)]
pub struct DuplicateGroup {
    /// The shape that the others are registered to.
    pub reference: usize,
    /// The other shapes in order, each with its registration to the reference.
    pub others: Vec<(usize, RegistrationResult)>,
}

/// Groups of shapes that are the same, or within `threshold` (see [`RegistrationResult::relative_rmse`]) of another shape of
/// the group; shapes without duplicates are in no group. Shapes are numbered as in `signatures`; `shape` loads a shape when it
/// is needed, and shapes that cannot be loaded are skipped.
pub fn duplicate_groups(
    signatures: &[Signature],
    threshold: f32,
    shape: impl Fn(usize) -> Option<Arc<CanonicalShape>> + Sync,
) -> Vec<DuplicateGroup> {
    let mut union_find = UnionFind::new(signatures.len());
    let is_duplicate = |&[a, b]: &[usize; 2]| {
        let result = shape(a).zip(shape(b)).map(|(a, b)| a.register(&b));
        result.is_some_and(|result| result.is_same() || result.relative_rmse <= threshold)
    };
    let mut pairs =
        candidates(signatures, BASE_SIGNATURE_RADIUS + SIGNATURE_RADIUS_PER_THRESHOLD * threshold)
            .into_iter();
    loop {
        // Pairs that are in one group already need no verification.
        let batch: Vec<[usize; 2]> =
            pairs.by_ref().filter(|p| union_find.are_disjoint(*p)).take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        let is_same: Vec<bool> = batch.par_iter().map(is_duplicate).collect();
        batch
            .iter()
            .zip(is_same)
            .filter(|(_, is_same)| *is_same)
            .for_each(|(pair, _)| union_find.union(*pair));
    }
    let mut joined: Vec<Vec<usize>> = vec![Vec::new(); signatures.len()];
    (0..signatures.len()).for_each(|shape| joined[union_find.find(shape)].push(shape));
    let joined = joined.into_par_iter().filter(|shapes| shapes.len() > 1);
    joined.filter_map(|shapes| compared_with_first(&shapes, &shape)).collect()
}

fn compared_with_first(
    shapes: &[usize],
    shape: &(impl Fn(usize) -> Option<Arc<CanonicalShape>> + Sync),
) -> Option<DuplicateGroup> {
    let (&first, others) = shapes.split_first()?;
    let reference = shape(first)?;
    let others = others.iter().filter_map(|&other| Some((other, reference.register(&*shape(other)?))));
    Some(DuplicateGroup { reference: first, others: others.collect() })
}

/// Pairs whose signatures differ by at most `reach`, the most similar first.
fn candidates(signatures: &[Signature], reach: f32) -> Vec<[usize; 2]> {
    let near = |a: usize| {
        let apart = |b: usize| (signatures[a].distance(&signatures[b]), b);
        let others = (0..signatures.len()).filter(|&b| b != a);
        let mut near: Vec<(f32, usize)> = others.map(apart).filter(|(d, _)| *d <= reach).collect();
        near.sort_by(|x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
        near.truncate(MAX_CANDIDATES);
        near.into_iter().map(move |(distance, b)| (distance, [a.min(b), a.max(b)]))
    };
    let mut pairs: Vec<(f32, [usize; 2])> =
        (0..signatures.len()).into_par_iter().flat_map_iter(near).collect();
    pairs.par_sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    pairs.dedup();
    pairs.into_iter().map(|(_, pair)| pair).collect()
}

/// Disjoint sets; the representative of a set is its smallest member.
struct UnionFind(Vec<usize>);

impl UnionFind {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn find(&mut self, member: usize) -> usize {
        let mut leader = member;
        while self.0[leader] != leader {
            // Path halving keeps the trees flat.
            self.0[leader] = self.0[self.0[leader]];
            leader = self.0[leader];
        }
        leader
    }

    fn are_disjoint(&mut self, [a, b]: [usize; 2]) -> bool {
        self.find(a) != self.find(b)
    }

    fn union(&mut self, [a, b]: [usize; 2]) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
}
