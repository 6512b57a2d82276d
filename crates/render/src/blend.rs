//! Blended fragments: the nearest layers of each sample, sorted by depth.

/// Layers kept per sample; farther ones are hardly visible.
const MAX_LAYERS: usize = 8;

/// Blended fragments of a band of samples.
pub(crate) struct Layers {
    count: Vec<u8>,
    /// `MAX_LAYERS` per sample, nearest first: inverse depth and id.
    fragments: Vec<(f32, u32)>,
}

impl Layers {
    pub(crate) fn new(n_samples: usize) -> Self {
        Self { count: vec![0; n_samples], fragments: vec![(0.0, 0); n_samples * MAX_LAYERS] }
    }

    pub(crate) fn any(&self, sample: usize) -> bool {
        self.count[sample] > 0
    }

    /// Inserts a fragment; drops the farthest if there are too many.
    pub(crate) fn put(&mut self, sample: usize, depth: f32, id: u32) {
        let slots = &mut self.fragments[sample * MAX_LAYERS..(sample + 1) * MAX_LAYERS];
        let count = usize::from(self.count[sample]);
        let place = slots[..count].partition_point(|&(other, _)| other >= depth);
        if place == MAX_LAYERS {
            return;
        }
        let count = (count + 1).min(MAX_LAYERS);
        // Insertion sort: makes room by moving the farther ones back.
        slots[place..count].rotate_right(1);
        slots[place] = (depth, id);
        self.count[sample] = count as u8;
    }

    /// Depth and id of the nearest fragment in front of `depth`.
    pub(crate) fn nearest(&self, sample: usize, depth: f32) -> Option<(f32, u32)> {
        let nearest = self.any(sample).then(|| self.fragments[sample * MAX_LAYERS])?;
        (nearest.0 > depth).then_some(nearest)
    }

    /// Ids of the fragments in front of `depth`, nearest first.
    pub(crate) fn nearest_first(&self, sample: usize, depth: f32) -> impl Iterator<Item = u32> + '_ {
        let slots = &self.fragments[sample * MAX_LAYERS..][..usize::from(self.count[sample])];
        slots.iter().take_while(move |&&(nearer, _)| nearer > depth).map(|&(_, id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_nearest_in_order() {
        let mut layers = Layers::new(2);
        for (id, depth) in [0.3, 0.9, 0.1, 0.5, 0.2, 0.8, 0.4, 0.7, 0.6, 0.05].into_iter().enumerate() {
            layers.put(1, depth, id as u32);
        }
        assert!(!layers.any(0));
        assert_eq!(
            (layers.nearest(1, 0.25), layers.nearest(1, 0.9), layers.nearest(0, 0.0)),
            (Some((0.9, 1)), None, None)
        );
        assert_eq!(layers.nearest_first(1, 0.25).collect::<Vec<_>>(), [1, 5, 7, 8, 3, 6, 0]);
    }
}
