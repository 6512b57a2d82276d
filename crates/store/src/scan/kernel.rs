//! Dot products of one query with many rows, as fast as memory allows.
//!
//! Plain loops over fixed lanes, compiled for every [`SimdLevel`] and chosen at run time. Sums differ in the last bits
//! between machines; callers allow for that with [`rounding_error_bound`] and take final scores from [`dot_f64`],
//! which is the same on every machine.

use half::f16;
use lexiform_kernels::{Kernel, SimdLevel};

/// Independent partial sums: two registers of AVX-512, four of AVX2, enough to hide the latency of an addition.
const LANES: usize = 32;

/// `query [dim]`, `rows [out.len(), dim]` → `out [rows]`.
pub(crate) fn dots_f32(query: &[f32], rows: &[f32], out: &mut [f32]) {
    dots_at(SimdLevel::detect(), query, rows, out);
}

/// As [`dots_f32`], with rows in half precision; finite cells only.
pub(crate) fn dots_f16(query: &[f32], rows: &[f16], out: &mut [f32]) {
    dots_at(SimdLevel::detect(), query, rows, out);
}

/// As [`dots_f32`], in integers, exactly: products must stay below 2³¹ in sum.
pub(crate) fn dots_i8(query: &[i16], rows: &[i8], out: &mut [i32]) {
    dots_at(SimdLevel::detect(), query, rows, out);
}

/// Dot products of a query with rows of cells of type `C`; `FUSED` rounds each product and sum once.
struct Dots<'a, Q, C, O, const FUSED: bool> {
    query: &'a [Q],
    rows: &'a [C],
    out: &'a mut [O],
}

fn dots_at<'a, Q, C, O>(level: SimdLevel, query: &'a [Q], rows: &'a [C], out: &'a mut [O])
where
    Dots<'a, Q, C, O, true>: Kernel,
    Dots<'a, Q, C, O, false>: Kernel,
{
    match level {
        SimdLevel::Portable => level.run(Dots::<Q, C, O, false> { query, rows, out }),
        // All other levels have fused multiply-add.
        #[cfg(target_arch = "x86_64")]
        _ => level.run(Dots::<Q, C, O, true> { query, rows, out }),
    }
}

impl<const FUSED: bool> Kernel for Dots<'_, f32, f32, f32, FUSED> {
    #[inline(always)]
    fn run(self) {
        for (row, out) in self.rows.chunks_exact(self.query.len()).zip(self.out) {
            *out = dot::<FUSED, f32>(self.query, row, |cell| cell);
        }
    }
}

impl<const FUSED: bool> Kernel for Dots<'_, f32, f16, f32, FUSED> {
    #[inline(always)]
    fn run(self) {
        for (row, out) in self.rows.chunks_exact(self.query.len()).zip(self.out) {
            *out = dot::<FUSED, f16>(self.query, row, f32_from_f16);
        }
    }
}

impl<const FUSED: bool> Kernel for Dots<'_, i16, i8, i32, FUSED> {
    #[inline(always)]
    fn run(self) {
        for (row, out) in self.rows.chunks_exact(self.query.len()).zip(self.out) {
            // Widened before the product, which does not fit into 16 bits.
            *out = self.query.iter().zip(row).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum();
        }
    }
}

#[inline(always)]
fn dot<const FUSED: bool, C: Copy>(query: &[f32], row: &[C], widen: impl Fn(C) -> f32) -> f32 {
    // Floating-point addition is not associative: only separate sums can be vectorized.
    let mut sums = [0.0_f32; LANES];
    let (query, query_rest) = query.as_chunks::<LANES>();
    let (row, row_rest) = row.as_chunks::<LANES>();
    for (a, b) in query.iter().zip(row) {
        for lane in 0..LANES {
            let cell = widen(b[lane]);
            // Without the instruction, `mul_add` is a slow library call.
            sums[lane] = if FUSED { a[lane].mul_add(cell, sums[lane]) } else { sums[lane] + a[lane] * cell };
        }
    }
    let rest: f32 = query_rest.iter().zip(row_rest).map(|(a, b)| a * widen(*b)).sum();
    sums.iter().sum::<f32>() + rest
}

/// Converts a finite half. One multiplication corrects the exponent, of subnormal numbers too; unlike the conversion
/// instruction, compilers turn this into vector code for every machine.
#[inline(always)]
pub(super) fn f32_from_f16(half: f16) -> f32 {
    const TWO_TO_112: f32 = f32::from_bits(0x7780_0000);
    let bits = u32::from(half.to_bits());
    // Moved from a mantissa of 10 bits to one of 23; the exponent is then too small by the difference of the biases,
    // 127 - 15 = 112.
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * TWO_TO_112;
    // The sign bit moves from 15 to 31.
    f32::from_bits(magnitude.to_bits() | ((bits & 0x8000) << 16))
}

/// The dot product that is reported as score: sums are in the same order on every machine.
pub(crate) fn dot_f64(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0_f64; 8];
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            // Exact: a product of two f32 has 48 significant bits, and f64 has 53.
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    sums.iter().sum::<f64>() + rest
}

/// A bound on the difference between an f32 kernel and [`dot_f64`] for (nearly) unit vectors, including the rounding of
/// the exact score to f32: the standard bound dim · 2⁻²⁴ for sums in any order (Higham, *Accuracy and Stability of
/// Numerical Algorithms*, section 3.1), with a margin.
#[expect(clippy::cast_precision_loss, reason = "dims are small")]
pub(crate) fn rounding_error_bound(dim: usize) -> f32 {
    // The margin covers norms slightly above 1, the partial sums and the final rounding.
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
    fn float_kernels_agree_with_dot_f64_on_every_level() {
        let mut rng = SmallRng::seed_from_u64(1);
        for dim in DIMS {
            let query = unit(&mut rng, dim);
            let rows: Vec<f32> = (0..ROWS).flat_map(|_| unit(&mut rng, dim)).collect();
            let halves: Vec<f16> = rows.iter().map(|x| f16::from_f32(*x)).collect();
            let widened: Vec<f32> = halves.iter().map(|x| x.to_f32()).collect();
            for level in SimdLevel::available() {
                let (mut singles_out, mut halves_out) = ([0.0; ROWS], [0.0; ROWS]);
                dots_at(level, &query, &rows, &mut singles_out);
                dots_at(level, &query, &halves, &mut halves_out);
                for row in 0..ROWS {
                    let range = row * dim..(row + 1) * dim;
                    let single = dot_f64(&query, &rows[range.clone()]);
                    let half = dot_f64(&query, &widened[range]);
                    assert!(
                        (f64::from(singles_out[row]) - single).abs() <= f64::from(rounding_error_bound(dim)),
                        "{level:?} {dim}"
                    );
                    assert!(
                        (f64::from(halves_out[row]) - half).abs() <= f64::from(rounding_error_bound(dim)),
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
            for level in SimdLevel::available() {
                let mut out = [0; ROWS];
                dots_at(level, &query, &rows, &mut out);
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
    fn dot_f64_is_a_plain_sum() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0], [1.0; 9]);
        assert_eq!(dot_f64(&a, &b), 45.0);
        assert_eq!(dot_f64(&[], &[]), 0.0);
    }
}
