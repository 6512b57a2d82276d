//! Batches with several shapes of each category.

use std::collections::HashMap;

use lexiform_shapes::Rng;

use crate::data::pool::ShapePool;

/// Each anchor with `each` − 1 random shapes of its category, `rows` in all; anchors without a label are repeated.
pub(super) fn with_siblings(
    pool: &ShapePool,
    anchors: Vec<usize>,
    each: usize,
    rows: usize,
    rng: &mut Rng,
) -> Vec<usize> {
    if each == 1 {
        return anchors;
    }
    let categories = anchors.iter().filter_map(|anchor| pool.category(*anchor));
    let mut members: HashMap<usize, Vec<usize>> = categories.map(|category| (category, Vec::new())).collect();
    for at in 0..pool.len() {
        if let Some(list) = pool.category(at).and_then(|category| members.get_mut(&category)) {
            list.push(at);
        }
    }
    let mut samples = Vec::with_capacity(anchors.len() * each);
    for anchor in anchors {
        let siblings = pool.category(anchor).map_or(&[][..], |category| members[&category].as_slice());
        samples.push(anchor);
        samples.extend((1..each).map(|_| siblings.get(rng.index(siblings.len().max(1))).unwrap_or(&anchor)));
    }
    samples.truncate(rows);
    samples
}

#[cfg(test)]
mod tests {
    use lexiform_geometry::PointCloud;

    use super::*;
    use crate::data::pool::InMemoryPool;
    use crate::data::shape_set::{Sample, ShapeSet};

    #[test]
    fn siblings_are_of_the_category_of_their_anchor() {
        let sample = |i: usize| Sample {
            category: i % 3,
            views: Vec::new(),
            cloud: PointCloud::default(),
            captions: Vec::new(),
        };
        let shapes = ShapeSet { samples: (0..30).map(sample).collect(), ..ShapeSet::default() };
        let pool = ShapePool::InMemory(InMemoryPool { shapes, targets: None });
        let mut rng = Rng::new(2);
        let found = with_siblings(&pool, vec![4, 9, 11], 4, 10, &mut rng);
        let categories: Vec<usize> = found.iter().map(|shape| shape % 3).collect();
        assert_eq!(categories, [1, 1, 1, 1, 0, 0, 0, 0, 2, 2]);
        assert_eq!([found[0], found[4], found[8]], [4, 9, 11]);
        // Ten shapes of each category: three more of each are not all the anchor itself.
        assert!(found[..4].iter().any(|shape| *shape != 4) && found[4..8].iter().any(|shape| *shape != 9));
        assert_eq!(with_siblings(&pool, vec![4, 9], 1, 2, &mut rng), [4, 9]);
    }
}
