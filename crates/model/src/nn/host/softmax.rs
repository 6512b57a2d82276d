//! Softmax over rows, in place, and its gradient.

use super::simd::{exp, multiversion, reduce, zip_sum};

multiversion! {
    /// `softmax(scale · x)` of each row of `width` numbers, and the logarithm of each row's sum of exponentials; `scale` is
    /// positive.
    pub(super) fn softmax(values: &mut [f32], width: usize, scale: f32, log_sums: &mut [f32]) {
        for (row, log_sum) in values.chunks_exact_mut(width).zip(log_sums) {
            // Exponents are at most 0, so nothing overflows and `exp` stays in its range.
            let most = reduce(row, f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
            for x in row.iter_mut() {
                *x = exp((*x - most) * scale);
            }
            let sum = reduce(row, 0.0, |a, b| a + b);
            let share = 1.0 / sum;
            for x in row.iter_mut() {
                *x *= share;
            }
            *log_sum = most * scale + sum.ln();
        }
    }

    /// [`softmax`] in one pass, from the logarithms of the rows' sums.
    pub(super) fn softmax_from_log_sums(values: &mut [f32], width: usize, scale: f32, log_sums: &[f32]) {
        for (row, log_sum) in values.chunks_exact_mut(width).zip(log_sums) {
            for x in row.iter_mut() {
                *x = exp(*x * scale - log_sum);
            }
        }
    }

    /// From the gradient with respect to `shares`, the output of [`softmax`], to that with respect to its input, in place.
    pub(super) fn softmax_backward(gradient: &mut [f32], shares: &[f32], width: usize, scale: f32) {
        for (gradient, shares) in gradient.chunks_exact_mut(width).zip(shares.chunks_exact(width)) {
            let mean = zip_sum(gradient, shares, |g, s| g * s);
            for (g, share) in gradient.iter_mut().zip(shares) {
                *g = (*g - mean) * share * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData, activation};

    use super::*;

    /// burn's own operation is the slow twin.
    #[test]
    fn matches_the_tensor_operation() {
        let device = Device::flex();
        for width in [1, 7, 16, 77, 513] {
            let mut values: Vec<f32> = (0..6 * width).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.4).collect();
            let x = Tensor::<2>::from_data(TensorData::new(values.clone(), [6, width]), &device);
            let (mut again, mut log_sums) = (values.clone(), vec![0.0; 6]);
            softmax(&mut values, width, 0.125, &mut log_sums);
            softmax_from_log_sums(&mut again, width, 0.125, &log_sums);
            let again = again.iter().zip(&values).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(again < 2e-6, "{width}: {again:e}");
            let fast = Tensor::<2>::from_data(TensorData::new(values, [6, width]), &device);
            let difference = (fast - activation::softmax(x * 0.125, 1)).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-6, "{width}: {difference:e}");
        }
    }
}
