//! Dot products of one query with many rows, as fast as memory allows.
//!
//! A plain loop, compiled for every [`SimdLevel`] and chosen at run time. Integer sums are the same on every machine;
//! final scores come from [`dot_f64`], which is too.

use lexiform_kernels::{Kernel, SimdLevel};

use super::quantize::decode;

/// The product of a row with the query, and the bound on its error.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RowScore {
    /// Sum of products of integers.
    pub(super) sum: i32,
    /// Scale of the row.
    pub(super) scale: f32,
    /// Bound on the norm of the row's quantization error.
    pub(super) error: f32,
}

/// `query [dim]`, `rows [out.len(), code_bytes(dim)]` → `out [rows]`. Products must stay below 2³¹ in sum.
pub(super) fn dots(level: SimdLevel, query: &[i16], rows: &[u8], out: &mut [RowScore]) {
    level.run(Dots { query, rows, out });
}

struct Dots<'a> {
    query: &'a [i16],
    rows: &'a [u8],
    out: &'a mut [RowScore],
}

impl Kernel for Dots<'_> {
    #[inline(always)]
    fn run(self) {
        let row_bytes = super::code_bytes(self.query.len());
        for (row, out) in self.rows.chunks_exact(row_bytes).zip(self.out) {
            let (scale, error, codes) = decode(row);
            // 16-bit factors and a 32-bit sum: the shape of the multiply-add instruction, of which each does two.
            let products =
                self.query.iter().zip(codes).map(|(a, b)| i32::from(*a) * i32::from(b.cast_signed()));
            // Wrapping, although the sum fits: a check for overflow would keep builds that have one from vectorizing it.
            let sum = products.fold(0_i32, i32::wrapping_add);
            *out = RowScore { sum, scale, error };
        }
    }
}

/// The dot product that is reported as score: sums are in the same order on every machine.
pub fn dot_f64(a: &[f32], b: &[f32]) -> f64 {
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

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::super::{code_bytes, encode};
    use super::*;

    #[test]
    fn the_kernel_is_exact_on_every_level() {
        const ROWS: usize = 5;
        let mut rng = SmallRng::seed_from_u64(2);
        for dim in [1, 7, 31, 32, 33, 64, 257, 768] {
            let query: Vec<i16> = (0..dim).map(|_| rng.random_range(-4095..=4095)).collect();
            let mut rows = Vec::new();
            for _ in 0..ROWS {
                let row: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
                encode(&row, &mut rows);
            }
            for level in SimdLevel::available() {
                let mut out = [RowScore::default(); ROWS];
                dots(level, &query, &rows, &mut out);
                for (row, out) in rows.chunks_exact(code_bytes(dim)).zip(out) {
                    let mut expected = 0;
                    for column in 0..dim {
                        let code = row[8 + column].cast_signed();
                        expected += i32::from(query[column]) * i32::from(code);
                    }
                    assert_eq!(out.sum, expected, "{level:?} {dim}");
                    assert!(out.scale > 0.0 && out.error > 0.0);
                }
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
