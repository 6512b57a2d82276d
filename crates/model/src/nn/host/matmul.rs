//! Matrix products of strided views: on the tile unit where the machine has one, otherwise by the crate `gemm`.

use super::matrix::{Matrix, MatrixMut, Parallelism, WriteMode};
#[cfg(target_arch = "x86_64")]
use super::tile_matmul;

/// `out = a · b`, or `out += a · b`.
pub(super) fn matmul_into(
    mut out: MatrixMut<'_>,
    a: Matrix<'_>,
    b: Matrix<'_>,
    mode: WriteMode,
    parallelism: Parallelism,
) {
    let ([m, n], [_, k]) = (out.shape(), a.shape());
    assert!(
        a.shape() == [m, k] && b.shape() == [k, n],
        "{:?} times {:?} into {:?}",
        a.shape(),
        b.shape(),
        out.shape()
    );
    if m == 0 || n == 0 {
        return;
    }
    #[cfg(target_arch = "x86_64")]
    if tile_matmul::multiply(&mut out, a, b, mode, parallelism) {
        return;
    }
    let step = |places: usize| isize::try_from(places).unwrap_or(isize::MAX);
    let gemm_parallelism = match parallelism {
        Parallelism::Serial => gemm::Parallelism::None,
        Parallelism::Parallel => gemm::Parallelism::Rayon(0),
    };
    let (before, add) = match mode {
        WriteMode::Set => (0.0, false),
        WriteMode::Add => (1.0, true),
    };
    // SAFETY: the last values of `a` and `b` were checked to be in their slices when they were made, those of `out` are its
    // own, and shapes were compared above.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            step(out.row_stride()),
            add,
            a.as_ptr(),
            step(a.strides()[1]),
            step(a.strides()[0]),
            b.as_ptr(),
            step(b.strides()[1]),
            step(b.strides()[0]),
            before,
            1.0,
            false,
            false,
            false,
            gemm_parallelism,
        );
    }
}

/// The product of two matrices, contiguous and row-major.
pub(super) fn matmul(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
    let shape = [a.shape()[0], b.shape()[1]];
    let count = shape[0] * shape[1];
    if a.shape()[1] == 0 {
        return vec![0.0; count];
    }
    let mut out = Vec::with_capacity(count);
    let whole = MatrixMut::uninit(out.spare_capacity_mut(), shape);
    matmul_into(whole, a, b, WriteMode::Set, Parallelism::Parallel);
    // SAFETY: the product has written every value. Zeroing them first would be a wasted pass over memory.
    unsafe { out.set_len(count) };
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slowly(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
        let ([rows, inner], [_, columns]) = (a.shape(), b.shape());
        (0..rows * columns)
            .map(|i| (0..inner).map(|l| a.at(i / columns, l) * b.at(l, i % columns)).sum())
            .collect()
    }

    #[test]
    fn products_of_submatrices_match_a_naive_loop() {
        let values: Vec<f32> = (0..200).map(|i| ((i * 7 % 11) as f32) - 5.0).collect();
        let a = Matrix::strided(&values, [6, 4], [20, 1]).rows(1, 5);
        let b = Matrix::strided(&values[3..], [4, 7], [1, 9]);
        assert_eq!(matmul(a, b), slowly(a, b));
        assert_eq!(matmul(b.transposed(), a.transposed()), slowly(b.transposed(), a.transposed()));
        assert_eq!(a.row(2), &values[60..64]);
    }

    #[test]
    fn column_splits_write_disjoint_parts() {
        let mut values = vec![1.0; 12];
        let (one, two) = ([1.0, 2.0], [10.0, 20.0, 30.0, 40.0, 50.0, 60.0]);
        let mut parts = MatrixMut::split_columns(&mut values, 6, 3);
        let (right, mut left) = (parts.pop().unwrap(), parts.pop().unwrap());
        matmul_into(
            right,
            Matrix::new(&one, [2, 1]),
            Matrix::new(&two[..3], [1, 3]),
            WriteMode::Add,
            Parallelism::Serial,
        );
        left.row(1).fill(7.0);
        matmul_into(
            left.rows(0, 1),
            Matrix::new(&one[..1], [1, 1]),
            Matrix::new(&two[3..], [1, 3]),
            WriteMode::Set,
            Parallelism::Serial,
        );
        assert_eq!(values, [40.0, 50.0, 60.0, 11.0, 21.0, 31.0, 7.0, 7.0, 7.0, 21.0, 41.0, 61.0]);
    }

    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919 + seed * 104_729) % 4001) as f32 / 2000.0 - 1.0).collect()
    }

    /// Both operands, each as it is and transposed in memory, of a product `[m, k]` times `[k, n]`.
    fn check_large([m, n, k]: [usize; 3], parallelism: Parallelism) {
        let (left, right) = (numbers(m * k, 1), numbers(k * n, 2));
        for a in [Matrix::new(&left, [m, k]), Matrix::new(&left, [k, m]).transposed()] {
            for b in [Matrix::new(&right, [k, n]), Matrix::new(&right, [n, k]).transposed()] {
                let mut out = vec![0.5; m * n];
                let whole = MatrixMut::new(&mut out, [m, n]);
                matmul_into(whole, a, b, WriteMode::Set, parallelism);
                let whole = MatrixMut::new(&mut out, [m, n]);
                matmul_into(whole, a, b, WriteMode::Add, parallelism);
                for (at, found) in out.iter().enumerate().step_by(101) {
                    let terms = (0..k).map(|l| f64::from(a.at(at / n, l)) * f64::from(b.at(l, at % n)));
                    let (sum, size) = terms.fold((0.0, 0.0), |(sum, size), x| (sum + x, size + x.abs()));
                    // What a rounded multiplication and addition for each term, in any order, and one addition to `out` lose at
                    // most (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1); a missing term is far more.
                    let most = (k + 2) as f64 * f64::from(f32::EPSILON) * size;
                    let lost = (f64::from(*found) - 2.0 * sum).abs();
                    assert!(lost <= most, "{m} {n} {k} at {at}: {lost:e} of {most:e}");
                }
            }
        }
    }

    #[test]
    fn large_products_match_sums_in_64_bits() {
        for sizes in [[257, 65, 70], [320, 40, 1100], [300, 97, 33], [256, 1000, 257]] {
            check_large(sizes, Parallelism::Parallel);
            check_large(sizes, Parallelism::Serial);
        }
    }

    /// Where numbers are split into parts, those of infinity and NaN would not add up.
    #[test]
    fn infinity_and_nan_are_as_in_plain_arithmetic() {
        let (mut left, right) = (vec![1.0; 260 * 64], vec![2.0; 64 * 64]);
        (left[0], left[64], left[128]) = (f32::INFINITY, f32::NAN, f32::MAX);
        let out = matmul(Matrix::new(&left, [260, 64]), Matrix::new(&right, [64, 64]));
        assert_eq!([out[0], out[128], out[192]], [f32::INFINITY, f32::INFINITY, 128.0]);
        assert!(out[64].is_nan());
        // Parts of a large and of a small number are far from the limits of `f32`.
        let right = vec![1e-20; 64 * 64];
        let out = matmul(Matrix::new(&left[192..], [257, 64]), Matrix::new(&right, [64, 64]));
        assert!(out.iter().all(|x| (x / 64e-20 - 1.0).abs() < 1e-6));
    }

    /// A product that is not finite in its last row or column is added as often as the others: once.
    #[test]
    fn infinity_is_added_once() {
        for ([m, n, k], [last_left, last_right]) in [
            ([600, 64, 64], [f32::INFINITY, 2.0]),
            ([600, 64, 64], [1.0, f32::INFINITY]),
            ([256, 5500, 512], [1.0, f32::INFINITY]),
        ] {
            let (mut left, mut right) = (vec![1.0; m * k], vec![2.0; k * n]);
            (left[m * k - 1], right[k * n - 1]) = (last_left, last_right);
            let (a, b) = (Matrix::new(&left, [m, k]), Matrix::new(&right, [k, n]));
            for parallelism in [Parallelism::Serial, Parallelism::Parallel] {
                let mut out = vec![1.0; m * n];
                matmul_into(MatrixMut::new(&mut out, [m, n]), a, b, WriteMode::Add, parallelism);
                assert_eq!(out[m * n - 1], f32::INFINITY);
                let expected = 1.0 + 2.0 * k as f32;
                for row in out.chunks(n).take(m - 1) {
                    assert!(row[..n - 1].iter().all(|x| *x == expected), "{m} {n} {k} {parallelism:?}");
                }
            }
        }
    }

    #[test]
    fn empty_products_are_zero() {
        assert!(matmul(Matrix::new(&[], [0, 3]), Matrix::new(&[0.0; 6], [3, 2])).is_empty());
        assert_eq!(matmul(Matrix::new(&[], [2, 0]), Matrix::new(&[], [0, 2])), [0.0; 4]);
    }
}
