//! Vectorization: loops compiled for AVX2 and AVX-512 as well, and `exp`, `erf` and friends in arithmetic that the compiler can
//! vectorize.
//!
//! No fused multiply-add, and reductions over a fixed number of lanes: every machine gives the same bits.

use lexiform_kernels::bf16::GELU_TANH;

/// Partial sums and maxima of a reduction. Fixed, whatever the width of vectors, so that the order of additions is too;
/// two AVX2 registers, to hide the latency of an addition.
const LANES: usize = 16;

/// Defines functions that are compiled for AVX2 and AVX-512 as well, and run the widest copy that the machine supports.
///
/// The body must be `#[inline(always)]`, with all that it calls: only what is inlined into a copy is compiled for its instructions.
macro_rules! multiversion {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $body:block)+) => { $(
        $(#[$meta])*
        $vis fn $name($($arg: $kind),*) {
            #[inline(always)]
            fn plain($($arg: $kind),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                use lexiform_kernels::SimdLevel;
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $kind),*) {
                    plain($($arg),*);
                }
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                fn avx512($($arg: $kind),*) {
                    plain($($arg),*);
                }
                match SimdLevel::detect() {
                    SimdLevel::Portable => plain($($arg),*),
                    // SAFETY: the machine has the instructions of its level.
                    SimdLevel::Avx2 => unsafe { avx2($($arg),*) },
                    // SAFETY: as above.
                    SimdLevel::Avx512 => unsafe { avx512($($arg),*) },
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            plain($($arg),*);
        }
    )+ };
}
pub(super) use multiversion;

/// Reduces a row with `join`, in a fixed order.
#[inline(always)]
pub(super) fn reduce(row: &[f32], start: f32, join: impl Fn(f32, f32) -> f32) -> f32 {
    let (chunks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [start; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = join(*lane, *x);
        }
    }
    lanes.iter().chain(rest).copied().fold(start, join)
}

/// The sum of `term(a, b)` over two rows of the same length, in a fixed order.
#[inline(always)]
pub(super) fn zip_sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += term(*a, *b);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| term(*a, *b)).sum();
    lanes.iter().sum::<f32>() + rest
}

/// `eˣ` for `x ≤ 0`, with a relative error below 2e-7: `2ⁿ eʳ` with `|r| ≤ ln 2 / 2`, and a polynomial of degree 6 for `eʳ`
/// (relative error 3.1e-9). Returns 0 below -64, so that products with the result are not subnormal numbers, which
/// processors are a hundred times slower at; NaN stays NaN.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    // 1.5 · 2²³: the sum has no fraction bits, so the addition rounds to an integer, which ends up in the low mantissa bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    const LEAST: f32 = -64.0;
    let is_nothing = x < LEAST;
    let x = if is_nothing { LEAST } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // Cody–Waite: `n · LN_2_HIGH` is exact, since the constant has few bits, so `r` keeps its precision.
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let tail =
        0.499_999_94 + r * (0.166_665_21 + r * (0.041_668_39 + r * (0.008_368_717 + r * 0.001_381_459_8)));
    // 2ⁿ, by writing the biased exponent.
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    let value = (1.0 + r + r * r * tail) * f32::from_bits(power);
    if is_nothing { 0.0 } else { value }
}

/// `1 / (1 + e⁻ˣ)`.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    // Of a negative number only, which neither overflows nor leaves the range of `exp`.
    let small = exp(-x.abs());
    let share = 1.0 / (1.0 + small);
    if x < 0.0 { small * share } else { share }
}

/// `x Φ(x)` with the error function.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// GELU by the hyperbolic tangent.
#[inline(always)]
pub(super) fn gelu_tanh(x: f32) -> f32 {
    x * sigmoid(x * (GELU_TANH[0] + GELU_TANH[1] * x * x))
}

/// The derivative of [`gelu_tanh`].
#[inline(always)]
pub(super) fn gelu_tanh_derivative(x: f32) -> f32 {
    let square = x * x;
    let share = sigmoid(x * (GELU_TANH[0] + GELU_TANH[1] * square));
    share * (1.0 + x * (GELU_TANH[0] + 3.0 * GELU_TANH[1] * square) * (1.0 - share))
}

/// The derivative of [`gelu`]: `Φ(x) + x φ(x)`.
#[inline(always)]
pub(super) fn gelu_derivative(x: f32) -> f32 {
    /// `1 / √(2π)`.
    const PEAK: f32 = 0.398_942_3;
    0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2)) + x * PEAK * exp(-0.5 * x * x)
}

/// The error function, within 4.2e-7: an odd rational function, fitted on `0..=3.95` with relative error 2.1e-8; above, it
/// rounds to 1 in `f32`.
#[inline(always)]
#[expect(
    clippy::approx_constant,
    clippy::excessive_precision,
    reason = "fitted coefficients, as they were found"
)]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-3.95, 3.95);
    let u = x * x;
    let above = horner(
        u,
        &[1.128_379_1, 0.191_540_12, 0.052_873_876, 0.003_807_663_2, 0.000_284_666_63, 2.025_859e-6],
    );
    let below = horner(u, &[1.0, 0.503_080_73, 0.114_555_21, 0.015_054_099, 0.001_170_586_3, 3.783_018e-5]);
    (x * above / below).clamp(-1.0, 1.0)
}

/// A polynomial by Horner's rule; coefficients by rising power.
#[inline(always)]
fn horner<const N: usize>(u: f32, coefficients: &[f32; N]) -> f32 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * u + c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_exact_enough() {
        for i in 0..=64_000 {
            let x = -(i as f32) * 0.001;
            let expected = f64::from(x).exp();
            assert!((f64::from(exp(x)) / expected - 1.0).abs() < 2e-7, "{x}");
        }
        assert!(exp(f32::NEG_INFINITY) == 0.0 && exp(f32::NAN).is_nan());
    }

    #[test]
    fn extreme_values_do_not_overflow() {
        assert_eq!([erf(0.0), erf(9.0), erf(-9.0), erf(f32::INFINITY)], [0.0, 1.0, -1.0, 1.0]);
        assert!(gelu(f32::NAN).is_nan() && gelu_derivative(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan());
        assert_eq!([gelu(1e30), gelu_derivative(40.0), sigmoid(200.0)], [1e30, 1.0, 1.0]);
        assert!(sigmoid(-200.0) == 0.0 && gelu_derivative(-40.0).abs() < 1e-6);
    }

    #[test]
    fn derivatives_match_finite_differences() {
        for i in -60..=60 {
            let (x, step) = (f64::from(i) * 0.1, 1e-3);
            let wide = |f: fn(f32) -> f32| {
                f64::from((f((x + step) as f32) - f((x - step) as f32)) / (2.0 * step as f32))
            };
            assert!((f64::from(gelu_derivative(x as f32)) - wide(gelu)).abs() < 1e-3, "{x}");
        }
    }

    #[test]
    fn sums_include_every_element() {
        for length in [0, 1, 15, 16, 17, 40] {
            let row: Vec<f32> = (0..length).map(|i| i as f32).collect();
            let expected = (0..length).sum::<usize>() as f32;
            assert_eq!(reduce(&row, 0.0, |a, b| a + b), expected);
            assert_eq!(zip_sum(&row, &vec![2.0; length], |a, b| a * b), 2.0 * expected);
        }
    }
}
