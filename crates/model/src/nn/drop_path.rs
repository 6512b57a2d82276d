//! Regularization in training: stochastic depth and dropout. Random numbers follow from a seed and the row's number, so that
//! results do not depend on how a batch is divided among devices.

use burn::tensor::{Device, Tensor, TensorData};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// Stochastic depth ([arXiv 1603.09382](https://arxiv.org/abs/1603.09382)): rows randomly skip branches of blocks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropPath {
    /// Drop probability in the last block; it grows linearly from 0 in the first.
    pub rate: f32,
    /// Random seed.
    pub seed: u64,
    /// Index of the first row in the batch, if the rows are a part of one.
    pub first_row: usize,
}

impl DropPath {
    /// Factors of both branches of block `layer` of `layers`, `[rows, 1, 1]`: 0 for a row that skips the branch, otherwise
    /// `1 / (1 − rate)`, which keeps the expected value.
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
                keep_factor(rate, &mut rng_at(self.seed, place))
            };
            let factors: Vec<f32> = (0..rows).map(factor).collect();
            Tensor::from_data(TensorData::new(factors, [rows, 1, 1]), device)
        })
    }
}

/// Dropout of single features ([JMLR 15, 2014](https://jmlr.org/papers/v15/srivastava14a.html)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// Drop probability.
    pub rate: f32,
    /// Random seed.
    pub seed: u64,
    /// Index of the first row in the batch, if the rows are a part of one.
    pub first_row: usize,
}

impl Dropout {
    /// `[rows, width]` → the same shape, with dropped features 0 and the others divided by `1 − rate`.
    pub fn apply(&self, features: Tensor<2>) -> Tensor<2> {
        let [rows, width] = features.dims();
        let rate = self.rate.clamp(0.0, 0.99);
        let of_row = |row: usize| {
            // A number that no branch of a block has, so that streams differ from those of stochastic depth.
            let mut rng = rng_at(self.seed, ((self.first_row + row) as u64) << 16 | 0xffff);
            (0..width).map(|_| keep_factor(rate, &mut rng)).collect::<Vec<f32>>()
        };
        let factors: Vec<f32> = (0..rows).flat_map(of_row).collect();
        let device = features.device();
        features * Tensor::from_data(TensorData::new(factors, [rows, width]), &device)
    }
}

fn rng_at(seed: u64, place: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// 0 with probability `rate`, otherwise `1 / (1 − rate)`.
fn keep_factor(rate: f32, rng: &mut SmallRng) -> f32 {
    if rng.random::<f32>() < rate { 0.0 } else { 1.0 / (1.0 - rate) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_path_depends_on_the_row_and_keeps_the_mean() {
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

    #[test]
    fn dropout_depends_on_the_row_and_keeps_the_mean() {
        let device = Device::flex();
        let dropout = |first_row| Dropout { rate: 0.25, seed: 3, first_row };
        let values = |first_row, rows: usize| -> Vec<f32> {
            let found = dropout(first_row).apply(Tensor::ones([rows, 40], &device));
            found.into_data().iter::<f32>().collect()
        };
        let all = values(0, 100);
        assert_eq!(values(60, 40), all[60 * 40..]);
        assert!(all.iter().all(|value| *value == 0.0 || (*value - 4.0 / 3.0).abs() < 1e-6));
        assert!(all[..40] != all[40..80]);
        let mean = all.iter().sum::<f32>() / 4000.0;
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
    }
}
