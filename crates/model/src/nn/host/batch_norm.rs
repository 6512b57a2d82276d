//! Batch normalization of rows with their own statistics, optionally followed by ReLU, and its gradients.

use rayon::prelude::*;

use super::simd::multiversion;

/// Rows per task. Fixed, so that sums over rows do not depend on the number of threads.
const ROWS: usize = 256;

/// Statistics and parameters of one batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchNorm<'a> {
    /// Mean, then biased variance: `[2, width]`.
    pub moments: &'a [f32],
    pub weight: &'a [f32],
    pub bias: &'a [f32],
    pub epsilon: f32,
    /// Whether ReLU follows.
    pub relu: bool,
}

/// Mean and biased variance over rows `[rows, width]`: `[2, width]`.
pub(super) fn moments(x: &[f32], width: usize) -> Vec<f32> {
    let rows = (x.len() / width.max(1)).max(1) as f64;
    let mean = chunked_mean(x, width, add, rows);
    // Two passes: `E[x²] − E[x]²` cancels badly in f32.
    let variance = chunked_mean(x, width, |sum, rows| add_squares(sum, rows, &mean), rows);
    [mean, variance].concat()
}

/// Sums over blocks of rows, added in their order and divided. Blocks are summed in `f32`, which vectorizes, and added in
/// `f64`, so that the error does not grow with the number of rows.
fn chunked_mean(x: &[f32], width: usize, part: impl Fn(&mut [f32], &[f32]) + Sync, divisor: f64) -> Vec<f32> {
    let sums: Vec<Vec<f32>> = (x.par_chunks((ROWS * width).max(1)))
        .map(|rows| {
            let mut sum = vec![0.0; width];
            part(&mut sum, rows);
            sum
        })
        .collect();
    sum_partials(sums, width).into_iter().map(|sum| (sum / divisor) as f32).collect()
}

fn sum_partials(sums: Vec<Vec<f32>>, width: usize) -> Vec<f64> {
    let mut all = vec![0.0; width];
    // In the order of chunks, whichever thread computed them: the same bits at any number of threads.
    for sum in sums {
        all.iter_mut().zip(sum).for_each(|(all, x)| *all += f64::from(x));
    }
    all
}

impl BatchNorm<'_> {
    /// `[rows, width]` → the same shape.
    pub fn apply(self, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        let (scale, shift) = self.scale_and_shift();
        let size = (ROWS * scale.len()).max(1);
        (out.par_chunks_mut(size).zip(x.par_chunks(size)))
            .for_each(|(out, x)| affine(out, x, &scale, &shift, self.relu));
        out
    }

    /// Gradients of `x` `[rows, width]`, weight and bias `[width]`, including that through the statistics to `x`.
    pub fn backward(self, gradient: Vec<f32>, x: &[f32]) -> [Vec<f32>; 3] {
        let width = self.weight.len();
        let size = (ROWS * width).max(1);
        let (scale, shift) = self.scale_and_shift();
        let (means, deviations) = (&self.moments[..width], self.deviations());
        let mut of_x = gradient;
        let sums: Vec<(Vec<f32>, Vec<f32>)> = (of_x.par_chunks_mut(size).zip(x.par_chunks(size)))
            .map(|(gradient, x)| {
                if self.relu {
                    // Recomputes the sign of the output instead of keeping the output.
                    mask_relu(gradient, x, &scale, &shift);
                }
                let (mut of_weight, mut of_bias) = (vec![0.0; width], vec![0.0; width]);
                parameter_gradients(&mut of_weight, &mut of_bias, gradient, x, means, &deviations);
                (of_weight, of_bias)
            })
            .collect();
        let (of_weights, of_biases) = sums.into_iter().unzip();
        let [of_weight, of_bias] = [of_weights, of_biases].map(|sums: Vec<Vec<f32>>| {
            sum_partials(sums, width).iter().map(|x| *x as f32).collect::<Vec<f32>>()
        });
        // 1 / rows: the means of the two sums are what the gradient through mean and variance subtracts.
        let share = width as f32 / x.len().max(1) as f32;
        let level: Vec<f32> = of_bias.iter().map(|sum| sum * share).collect();
        let tilt: Vec<f32> = of_weight.iter().zip(&deviations).map(|(sum, d)| sum * share * d).collect();
        (of_x.par_chunks_mut(size).zip(x.par_chunks(size)))
            .for_each(|(gradient, x)| input_gradient(gradient, x, means, &scale, &level, &tilt));
        [of_x, of_weight, of_bias]
    }

    /// Reciprocal of the standard deviation of each column.
    fn deviations(&self) -> Vec<f32> {
        self.moments[self.weight.len()..]
            .iter()
            .map(|variance| 1.0 / (variance + self.epsilon).sqrt())
            .collect()
    }

    /// Normalization and affine parameters as one scale and shift per column.
    fn scale_and_shift(&self) -> (Vec<f32>, Vec<f32>) {
        let scale: Vec<f32> =
            self.weight.iter().zip(self.deviations()).map(|(weight, d)| weight * d).collect();
        let shift =
            (self.bias.iter().zip(self.moments).zip(&scale)).map(|((b, mean), s)| b - mean * s).collect();
        (scale, shift)
    }
}

multiversion! {
    fn add(sum: &mut [f32], rows: &[f32]) {
        for row in rows.chunks_exact(sum.len()) {
            sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
    }

    fn add_squares(sum: &mut [f32], rows: &[f32], mean: &[f32]) {
        for row in rows.chunks_exact(sum.len()) {
            sum.iter_mut().zip(row).zip(mean).for_each(|((sum, x), mean)| *sum += (x - mean) * (x - mean));
        }
    }

    fn affine(out: &mut [f32], x: &[f32], scale: &[f32], shift: &[f32], relu: bool) {
        // Not `max`: NaN stays NaN, as in torch.
        let least = if relu { 0.0 } else { f32::NEG_INFINITY };
        for (out, x) in out.chunks_exact_mut(scale.len()).zip(x.chunks_exact(scale.len())) {
            for (((out, x), scale), shift) in out.iter_mut().zip(x).zip(scale).zip(shift) {
                let value = x * scale + shift;
                *out = if value < least { least } else { value };
            }
        }
    }

    /// Zeroes the gradient where ReLU did.
    fn mask_relu(gradient: &mut [f32], x: &[f32], scale: &[f32], shift: &[f32]) {
        for (gradient, x) in gradient.chunks_exact_mut(scale.len()).zip(x.chunks_exact(scale.len())) {
            for (((g, x), scale), shift) in gradient.iter_mut().zip(x).zip(scale).zip(shift) {
                *g = if x * scale + shift <= 0.0 { 0.0 } else { *g };
            }
        }
    }

    fn parameter_gradients(
        of_weight: &mut [f32],
        of_bias: &mut [f32],
        gradient: &[f32],
        x: &[f32],
        mean: &[f32],
        deviation: &[f32],
    ) {
        let width = of_bias.len();
        for (gradient, x) in gradient.chunks_exact(width).zip(x.chunks_exact(width)) {
            for ((((g, x), mean), deviation), (of_weight, of_bias)) in (gradient.iter().zip(x).zip(mean))
                .zip(deviation)
                .zip(of_weight.iter_mut().zip(of_bias.iter_mut()))
            {
                *of_bias += g;
                *of_weight += g * (x - mean) * deviation;
            }
        }
    }

    fn input_gradient(gradient: &mut [f32], x: &[f32], mean: &[f32], scale: &[f32], level: &[f32], tilt: &[f32]) {
        let width = mean.len();
        for (gradient, x) in gradient.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
            for (((g, x), (mean, scale)), (level, tilt)) in (gradient.iter_mut().zip(x))
                .zip(mean.iter().zip(scale))
                .zip(level.iter().zip(tilt))
            {
                *g = scale * (*g - level - (x - mean) * tilt);
            }
        }
    }
}
