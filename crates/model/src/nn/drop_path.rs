//! Stochastic depth: while training, rows skip branches of blocks by chance (arXiv 1603.09382).

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// How often rows skip a block's branches, and the chance that decides it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropPath {
    /// Chance in the last block; in the first it is 0, between them it grows evenly.
    pub rate: f32,
    /// Every choice follows from it and the row's number.
    pub seed: u64,
    /// Number of the first row, where the rows are a part of a batch.
    pub first_row: usize,
}

impl DropPath {
    /// Factors of both branches of block `layer` of `layers`, `[rows, 1, 1]`: 0 where a row skips the branch, otherwise the
    /// inverse of the chance that it does not, so that the mean stays.
    pub(super) fn factors(
        &self,
        [layer, layers]: [usize; 2],
        rows: usize,
        device: &Device,
    ) -> [Tensor<3>; 2] {
        let rate = (self.rate * layer as f32 / layers.saturating_sub(1).max(1) as f32).clamp(0.0, 0.99);
        [0, 1].map(|branch| {
            let factor = |row: usize| {
                let place = ((self.first_row + row) as u64) << 16 | (2 * layer + branch) as u64;
                let mut rng = SmallRng::seed_from_u64(self.seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                if rng.random::<f32>() < rate { 0.0 } else { 1.0 / (1.0 - rate) }
            };
            let factors: Vec<f32> = (0..rows).map(factor).collect();
            Tensor::from_data(TensorData::new(factors, [rows, 1, 1]), device)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_skip_by_their_number_and_keep_the_mean() {
        let drop = DropPath { rate: 0.5, seed: 7, first_row: 0 };
        let device = Device::flex();
        let values = |drop: DropPath, rows| -> Vec<f32> {
            let [factors, _] = drop.factors([3, 4], rows, &device);
            factors.into_data().iter::<f32>().collect()
        };
        let all = values(drop, 4000);
        assert_eq!(values(DropPath { first_row: 10, ..drop }, 20), all[10..30]);
        assert!(all.iter().all(|f| *f == 0.0 || *f == 2.0));
        let mean = all.iter().sum::<f32>() / 4000.0;
        assert!((mean - 1.0).abs() < 0.1, "{mean}");
        let [first, _] = drop.factors([0, 4], 50, &device);
        assert!(first.into_data().iter::<f32>().all(|f| f == 1.0));
    }
}
