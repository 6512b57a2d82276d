//! Dot products of one query with many rows, at memory bandwidth.
//!
//! Plain loops over fixed lanes, also compiled for AVX2 and AVX-512 and selected at run time. Sums differ in the last
//! bits between machines; callers allow for that with [`rounding`] and compute final scores with [`exact`], which is
//! the same on every machine.

use std::sync::OnceLock;

use half::f16;

/// Independent partial sums: two registers of AVX-512, four of AVX2, enough to hide the latency of an addition.
const LANES: usize = 32;

/// The instruction set that the loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    fn detect() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| Self::available().pop().unwrap_or(Self::Portable))
    }

    /// All levels that this CPU supports, the fastest last.
    fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "other machines have one level"))]
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("fma")
            {
                levels.push(Self::Avx512);
            }
        }
        levels
    }
}

/// Defines a kernel: its body compiled for every level, and the choice between them.
macro_rules! kernel {
    ($(#[$doc:meta])* $name:ident, $at_level:ident, $body:ident, $query:ty, $cell:ty, $out:ty) => {
        $(#[$doc])*
        pub(crate) fn $name(query: &[$query], rows: &[$cell], out: &mut [$out]) {
            $at_level(Level::detect(), query, rows, out);
        }

        fn $at_level(level: Level, query: &[$query], rows: &[$cell], out: &mut [$out]) {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2(query: &[$query], rows: &[$cell], out: &mut [$out]) {
                $body::<true>(query, rows, out);
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,fma")]
            fn avx512(query: &[$query], rows: &[$cell], out: &mut [$out]) {
                $body::<true>(query, rows, out);
            }
            match level {
                Level::Portable => $body::<false>(query, rows, out),
                // SAFETY: `Level::available` names this level only where the machine has its features.
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { avx2(query, rows, out) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { avx512(query, rows, out) },
            }
        }
    };
}

kernel!(
    /// `query [dim]`, `rows [out.len(), dim]` → `out [rows]`.
    dots_f32, dots_f32_at, dots_f32_body, f32, f32, f32
);
kernel!(
    /// As [`dots_f32`], with rows in half precision; finite cells only.
    dots_f16, dots_f16_at, dots_f16_body, f32, f16, f32
);
kernel!(
    /// As [`dots_f32`], in integers, exactly: products must stay below 2³¹ in sum.
    dots_i8, dots_i8_at, dots_i8_body, i16, i8, i32
);

#[inline(always)]
fn dots_f32_body<const FUSED: bool>(query: &[f32], rows: &[f32], out: &mut [f32]) {
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        *out = dot::<FUSED, f32>(query, row, |cell| cell);
    }
}

#[inline(always)]
fn dots_f16_body<const FUSED: bool>(query: &[f32], rows: &[f16], out: &mut [f32]) {
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        *out = dot::<FUSED, f16>(query, row, f32_from_f16);
    }
}

#[inline(always)]
fn dot<const FUSED: bool, C: Copy>(query: &[f32], row: &[C], widen: impl Fn(C) -> f32) -> f32 {
    // One sum per lane: a single sum would be a chain of dependent additions, which the compiler must not reorder.
    let mut sums = [0.0_f32; LANES];
    let (query, query_rest) = query.as_chunks::<LANES>();
    let (row, row_rest) = row.as_chunks::<LANES>();
    for (a, b) in query.iter().zip(row) {
        for lane in 0..LANES {
            let cell = widen(b[lane]);
            // On a CPU without FMA, `mul_add` is a slow library call.
            sums[lane] = if FUSED { a[lane].mul_add(cell, sums[lane]) } else { sums[lane] + a[lane] * cell };
        }
    }
    let rest: f32 = query_rest.iter().zip(row_rest).map(|(a, b)| a * widen(*b)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Finite halves only. One multiplication corrects the exponent, for subnormal numbers too. Unlike the conversion
/// instruction, compilers vectorize this for every CPU.
#[inline(always)]
pub(super) fn f32_from_f16(half: f16) -> f32 {
    const TWO_TO_112: f32 = f32::from_bits(0x7780_0000);
    let bits = u32::from(half.to_bits());
    // Exponent and mantissa moved to their places in an f32; the exponent is then too small by the difference of the
    // biases, 127 - 15.
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * TWO_TO_112;
    f32::from_bits(magnitude.to_bits() | ((bits & 0x8000) << 16))
}

#[inline(always)]
fn dots_i8_body<const FUSED: bool>(query: &[i16], rows: &[i8], out: &mut [i32]) {
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        // 16-bit factors let compilers multiply and add pairs in one instruction. Integer sums may be reordered,
        // so this needs no lanes.
        *out = query.iter().zip(row).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
    }
}

/// The reported scores: products are exact in f64, and the order of the sums is the same on every machine.
pub(crate) fn exact(a: &[f32], b: &[f32]) -> f64 {
    // No `mul_add`: products of two f32 are exact in f64, so fusing could not change the result.
    let mut sums = [0.0_f64; 8];
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    sums.iter().sum::<f64>() + rest
}

/// Maximum difference between an f32 kernel and [`exact`] for (nearly) unit vectors, including the rounding of the exact
/// score to f32: the standard bound dim · 2⁻²⁴ for sums in any order.
#[expect(clippy::cast_precision_loss, reason = "dims are small")]
pub(crate) fn rounding(dim: usize) -> f32 {
    (dim as f32 + 16.0) * 1.02 * 2.0_f32.powi(-24)
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    const DIMS: [usize; 8] = [1, 7, 31, 32, 33, 64, 257, 768];
    const ROWS: usize = 5;

    fn unit(rng: &mut SmallRng, dim: usize) -> Vec<f32> {
        let raw: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
        let norm = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
        raw.iter().map(|x| x / norm).collect()
    }

    #[test]
    fn float_kernels_agree_with_the_reference_on_every_level() {
        let mut rng = SmallRng::seed_from_u64(1);
        for dim in DIMS {
            let query = unit(&mut rng, dim);
            let rows: Vec<f32> = (0..ROWS).flat_map(|_| unit(&mut rng, dim)).collect();
            let halves: Vec<f16> = rows.iter().map(|x| f16::from_f32(*x)).collect();
            let widened: Vec<f32> = halves.iter().map(|x| x.to_f32()).collect();
            for level in Level::available() {
                let (mut singles_out, mut halves_out) = ([0.0; ROWS], [0.0; ROWS]);
                dots_f32_at(level, &query, &rows, &mut singles_out);
                dots_f16_at(level, &query, &halves, &mut halves_out);
                for row in 0..ROWS {
                    let range = row * dim..(row + 1) * dim;
                    let single = exact(&query, &rows[range.clone()]);
                    let half = exact(&query, &widened[range]);
                    assert!(
                        (f64::from(singles_out[row]) - single).abs() <= f64::from(rounding(dim)),
                        "{level:?} {dim}"
                    );
                    assert!(
                        (f64::from(halves_out[row]) - half).abs() <= f64::from(rounding(dim)),
                        "{level:?} {dim}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_integer_kernel_is_exact_on_every_level() {
        let mut rng = SmallRng::seed_from_u64(2);
        for dim in DIMS {
            let query: Vec<i16> = (0..dim).map(|_| rng.random_range(-4095..=4095)).collect();
            let rows: Vec<i8> = (0..ROWS * dim).map(|_| rng.random_range(-127..=127)).collect();
            for level in Level::available() {
                let mut out = [0; ROWS];
                dots_i8_at(level, &query, &rows, &mut out);
                for row in 0..ROWS {
                    let mut expected = 0;
                    for column in 0..dim {
                        expected += i32::from(query[column]) * i32::from(rows[row * dim + column]);
                    }
                    assert_eq!(out[row], expected, "{level:?} {dim}");
                }
            }
        }
    }

    #[test]
    fn every_finite_half_widens_exactly() {
        for bits in 0..=u16::MAX {
            let half = f16::from_bits(bits);
            if half.is_finite() {
                assert_eq!(f32_from_f16(half).to_bits(), half.to_f32().to_bits(), "{bits:#x}");
            }
        }
    }

    #[test]
    fn the_exact_score_is_a_plain_sum() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [1.0; 9]);
        assert_eq!(exact(&a, &b), 45.0);
        assert_eq!(exact(&[], &[]), 0.0);
    }
}
