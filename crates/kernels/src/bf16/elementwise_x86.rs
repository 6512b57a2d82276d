//! The same with AVX-512.

use std::arch::x86_64::{
    __m512, __mmask16, _CMP_LT_OQ, _mm512_add_ps, _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_fnmadd_ps,
    _mm512_loadu_ps, _mm512_mask_mov_ps, _mm512_maskz_mov_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps,
    _mm512_rcp14_ps, _mm512_reduce_add_ps, _mm512_reduce_max_ps, _mm512_roundscale_ps, _mm512_scalef_ps,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_sub_ps,
};

use super::activation::{Activation, GELU_TANH};
use super::lanes::{LANES, load, store};
use crate::blocks::{BLOCK, BlockResult};
use crate::tiles::first_lanes;

/// `activation(block + bias)`.
#[target_feature(enable = "avx512f")]
pub(super) fn finish(block: &mut BlockResult, bias: &[f32; BLOCK], activation: Option<Activation>) {
    match activation {
        None => finish_with(block, bias, |x| x),
        Some(Activation::Gelu) => finish_with(block, bias, |x| gelu(x)),
        Some(Activation::QuickGelu) => finish_with(block, bias, |x| quick_gelu(x)),
        Some(Activation::GeluTanh) => finish_with(block, bias, |x| gelu_tanh(x)),
        Some(Activation::Silu) => finish_with(block, bias, |x| times_logistic(x, x)),
        Some(Activation::Relu) => finish_with(block, bias, |x| relu(x)),
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn finish_with(block: &mut BlockResult, bias: &[f32; BLOCK], activation: impl Fn(__m512) -> __m512) {
    // SAFETY: 16 numbers each.
    let bias = [0, LANES].map(|at| unsafe { _mm512_loadu_ps(bias[at..].as_ptr()) });
    for row in &mut block.0 {
        for (values, bias) in row.chunks_exact_mut(LANES).zip(bias) {
            update(values, |x| activation(_mm512_add_ps(x, bias)));
        }
    }
}

#[target_feature(enable = "avx512f")]
pub(super) fn softmax_row(scores: &mut [BlockResult], row: usize, scale: f32, seen: usize) -> f32 {
    let mask =
        |at: usize, half: usize| first_lanes(seen.saturating_sub(at * BLOCK + half * LANES).min(LANES));
    let mut most = _mm512_set1_ps(f32::NEG_INFINITY);
    for (at, block) in scores.iter().enumerate() {
        for (half, values) in block.0[row].chunks_exact(LANES).enumerate() {
            most = _mm512_mask_mov_ps(most, mask(at, half), _mm512_max_ps(most, load(values)));
        }
    }
    let scale = _mm512_set1_ps(scale * std::f32::consts::LOG2_E);
    let most = _mm512_mul_ps(_mm512_set1_ps(_mm512_reduce_max_ps(most)), scale);
    let mut sum = _mm512_setzero_ps();
    for (at, block) in scores.iter_mut().enumerate() {
        for (half, values) in block.0[row].chunks_exact_mut(LANES).enumerate() {
            let mask = mask(at, half);
            update(values, |x| {
                let power = exp2(_mm512_sub_ps(_mm512_mul_ps(x, scale), most));
                let power = _mm512_maskz_mov_ps(mask, power);
                sum = _mm512_add_ps(sum, power);
                power
            });
        }
    }
    1.0 / _mm512_reduce_add_ps(sum)
}

/// Replaces the 16 numbers of half a row of a block.
#[inline]
#[target_feature(enable = "avx512f")]
fn update(values: &mut [f32], function: impl FnOnce(__m512) -> __m512) {
    store(values, function(load(values)));
}

/// A polynomial by Horner's rule; coefficients by rising power.
#[inline]
#[target_feature(enable = "avx512f")]
fn horner<const N: usize>(x: __m512, coefficients: [f32; N]) -> __m512 {
    let mut sum = _mm512_setzero_ps();
    for coefficient in coefficients.into_iter().rev() {
        sum = _mm512_fmadd_ps(sum, x, _mm512_set1_ps(coefficient));
    }
    sum
}

/// `2ˣ` with a relative error below 3e-6; 0 far below 0.
#[inline]
#[target_feature(enable = "avx512f")]
fn exp2(x: __m512) -> __m512 {
    const NEAREST: i32 = 0;
    let whole = _mm512_roundscale_ps::<NEAREST>(x);
    // 2ᵗ for |t| ≤ ½, fitted with a relative error of 2.6e-6.
    let power =
        horner(_mm512_sub_ps(x, whole), [0.999_999_3, 0.693_121_8, 0.240_247_45, 0.055_917_86, 0.009_570_1]);
    _mm512_scalef_ps(power, whole)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn quick_gelu(x: __m512) -> __m512 {
    times_logistic(x, _mm512_mul_ps(x, _mm512_set1_ps(1.702)))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn gelu_tanh(x: __m512) -> __m512 {
    let [linear, cubic] = GELU_TANH.map(|factor| _mm512_set1_ps(factor));
    let slope = _mm512_fmadd_ps(_mm512_mul_ps(x, x), cubic, linear);
    times_logistic(x, _mm512_mul_ps(x, slope))
}

/// `x / (1 + exp(-u))`.
#[inline]
#[target_feature(enable = "avx512f")]
fn times_logistic(x: __m512, u: __m512) -> __m512 {
    let power = exp2(_mm512_mul_ps(u, _mm512_set1_ps(-std::f32::consts::LOG2_E)));
    let denominator = _mm512_add_ps(power, _mm512_set1_ps(1.0));
    // 14 bits, and twice as many after a step of Newton's method; none is needed where the power is infinite and the share 0.
    let share = _mm512_rcp14_ps(denominator);
    let twice = _mm512_fnmadd_ps(denominator, share, _mm512_set1_ps(2.0));
    let is_finite = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(denominator, _mm512_set1_ps(1e30));
    _mm512_mul_ps(x, _mm512_mask_mov_ps(share, is_finite, _mm512_mul_ps(share, twice)))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn gelu(x: __m512) -> __m512 {
    const END: f32 = 4.3;
    let inside = _mm512_max_ps(_mm512_min_ps(x, _mm512_set1_ps(END)), _mm512_set1_ps(-END));
    // (Φ(x) − ½) / x as a polynomial of x², fitted so that x Φ(x) is within 2e-5 inside.
    let slope = horner(_mm512_mul_ps(inside, inside), GELU);
    let share = _mm512_fmadd_ps(inside, slope, _mm512_set1_ps(0.5));
    let is_below: __mmask16 = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(x, _mm512_set1_ps(-END));
    _mm512_mul_ps(x, _mm512_mask_mov_ps(share, is_below, _mm512_setzero_ps()))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn relu(x: __m512) -> __m512 {
    let is_negative = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(x, _mm512_setzero_ps());
    _mm512_mask_mov_ps(x, is_negative, _mm512_setzero_ps())
}

/// The polynomial of [`gelu`], by rising power.
const GELU: [f32; 10] = [
    0.398_909_33,
    -0.066_396_56,
    0.009_880_342_5,
    -0.001_140_823_9,
    1.017_895_9e-4,
    -6.872_877e-6,
    3.361_781_5e-7,
    -1.111_131_1e-8,
    2.199_583_2e-10,
    -1.956_531_7e-12,
];
