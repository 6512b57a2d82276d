//! Layer normalization of rows and its gradients.

use rayon::prelude::*;

use super::linear::sum_partials;
use super::simd::{multiversion, reduce, zip_sum};

/// Rows per task. Fixed, so that sums over rows do not depend on the number of threads.
const ROWS: usize = 32;

/// `(x − mean) / √(variance + ε) · weight + bias` of each row, `[rows, width]`.
pub(super) fn norm(x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let size = (ROWS * weight.len()).max(1);
    (out.par_chunks_mut(size).zip(x.par_chunks(size)))
        .for_each(|(out, x)| norm_rows(out, x, weight, bias, epsilon));
    out
}

/// Gradients of `x` `[rows, width]`, weight and bias `[width]`.
pub(super) fn layer_norm_backward(
    gradient: &[f32],
    x: &[f32],
    weight: &[f32],
    epsilon: f32,
) -> [Vec<f32>; 3] {
    let width = weight.len();
    let mut of_x = vec![0.0; x.len()];
    let size = (ROWS * width).max(1);
    let parts: Vec<[Vec<f32>; 2]> = (of_x.par_chunks_mut(size).zip(x.par_chunks(size)))
        .zip(gradient.par_chunks(size))
        .map(|((of_x, x), gradient)| {
            let (mut of_weight, mut of_bias) = (vec![0.0; width], vec![0.0; width]);
            rows_back(of_x, [&mut of_weight, &mut of_bias], gradient, x, weight, epsilon);
            [of_weight, of_bias]
        })
        .collect();
    let (of_weights, of_biases) = parts.into_iter().map(|[weight, bias]| (weight, bias)).unzip();
    [of_x, sum_partials(of_weights, width), sum_partials(of_biases, width)]
}

/// Mean and reciprocal of the standard deviation, in two passes: a difference of large sums of squares would cancel.
#[inline(always)]
fn mean_rstd(x: &[f32], epsilon: f32) -> (f32, f32) {
    let share = 1.0 / x.len() as f32;
    let mean = reduce(x, 0.0, |a, b| a + b) * share;
    let variance = zip_sum(x, x, |x, _| (x - mean) * (x - mean)) * share;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

multiversion! {
    /// [`norm`] by the calling thread.
    pub(super) fn norm_rows(out: &mut [f32], x: &[f32], weight: &[f32], bias: &[f32], epsilon: f32) {
        let width = weight.len();
        for (out, x) in out.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
            let (mean, scale) = mean_rstd(x, epsilon);
            for (((out, x), weight), bias) in out.iter_mut().zip(x).zip(weight).zip(bias) {
                *out = (x - mean) * scale * weight + bias;
            }
        }
    }

    fn rows_back(
        of_x: &mut [f32],
        sums: [&mut Vec<f32>; 2],
        gradient: &[f32],
        x: &[f32],
        weight: &[f32],
        epsilon: f32,
    ) {
        let width = weight.len();
        let [of_weight, of_bias] = sums;
        let rows = of_x.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(gradient.chunks_exact(width));
        for ((of_x, x), gradient) in rows {
            let (mean, scale) = mean_rstd(x, epsilon);
            for ((((of_x, x), g), weight), (of_weight, of_bias)) in (of_x.iter_mut().zip(x).zip(gradient).zip(weight))
                .zip(of_weight.iter_mut().zip(of_bias.iter_mut()))
            {
                *of_weight += g * (x - mean) * scale;
                *of_bias += g;
                *of_x = g * weight;
            }
            // `of_x` holds g = gradient · weight; the result is scale · (g − mean(g) − x̂ · mean(g · x̂)) with
            // x̂ = (x − mean) · scale.
            let share = 1.0 / width as f32;
            let level = reduce(of_x, 0.0, |a, b| a + b) * share;
            let tilt = zip_sum(of_x, x, |g, x| g * (x - mean)) * scale * share;
            for (of_x, x) in of_x.iter_mut().zip(x) {
                *of_x = scale * (*of_x - level - (x - mean) * scale * tilt);
            }
        }
    }
}
