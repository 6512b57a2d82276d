//! Softmax over the last axis, in place and on all cores, for tensors in this machine's memory that need no gradient.
//!
//! burn's attention takes the exponential of one score at a time from the C library; with hundreds of tokens that costs as
//! much as the products around it.

use burn::tensor::Tensor;

use super::on_host;

/// Sums and maxima run in this many lanes, in a fixed order.
const LANES: usize = 16;

/// `softmax(scale · x)` over the last axis; `scale` is positive. For plain tensors only.
pub(super) fn softmax(x: Tensor<4>, scale: f32) -> Tensor<4> {
    let width = x.dims()[3];
    on_host::rows_in_place(x, |values| softmax_here(values, width, scale))
}

fn softmax_here(values: &mut [f32], width: usize, scale: f32) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions.
        unsafe { softmax_avx2(values, width, scale) };
        return;
    }
    softmax_lanes(values, width, scale);
}

/// The same arithmetic, compiled for eight lanes. No fused products: every machine gives the same numbers.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn softmax_avx2(values: &mut [f32], width: usize, scale: f32) {
    softmax_lanes(values, width, scale);
}

#[inline(always)]
fn softmax_lanes(values: &mut [f32], width: usize, scale: f32) {
    for row in values.chunks_exact_mut(width) {
        let most = reduced(row, f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
        for x in row.iter_mut() {
            *x = exp((*x - most) * scale);
        }
        let share = 1.0 / reduced(row, 0.0, |a, b| a + b);
        for x in row.iter_mut() {
            *x *= share;
        }
    }
}

#[inline(always)]
fn reduced(row: &[f32], start: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [start; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = join(*lane, *x);
        }
    }
    lanes.iter().chain(rest).copied().fold(start, join)
}

/// `eˣ` for `x` at most 0, within 2e-7 of its value: `2ⁿ eʳ` with `|r|` at most half of `ln 2`, and a polynomial of degree
/// 6 fitted to relative error 3.1e-9 for `eʳ`. Below -87 it is as good as 0; NaN stays NaN.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding one and a half times 2²³ leaves no bits behind the point: rounding, with the integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let tail =
        0.499_999_94 + r * (0.166_665_21 + r * (0.041_668_39 + r * (0.008_368_717 + r * 0.001_381_459_8)));
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    (1.0 + r + r * r * tail) * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData, activation};

    use super::*;

    /// burn's own operation is the slow twin.
    #[test]
    fn agrees_with_the_tensor_operation() {
        let device = Device::flex();
        for width in [1, 7, 16, 77, 513] {
            let values: Vec<f32> = (0..6 * width).map(|i| ((i * 37 % 101) as f32 - 50.0) * 0.4).collect();
            let x = Tensor::<4>::from_data(TensorData::new(values, [1, 2, 3, width]), &device);
            let slow = activation::softmax(x.clone() * 0.125, 3);
            let difference = (softmax(x, 0.125) - slow).abs().max().into_scalar::<f32>();
            assert!(difference < 1e-6, "{width}: {difference:e}");
        }
    }

    #[test]
    fn exponentials_are_exact_enough() {
        for i in 0..80_000 {
            let x = -(i as f32) * 0.001;
            let expected = f64::from(x).exp();
            assert!((f64::from(exp(x)) / expected - 1.0).abs() < 2e-7, "{x}");
        }
        assert!(exp(f32::NEG_INFINITY) < 1e-37 && exp(f32::NAN).is_nan());
    }
}
