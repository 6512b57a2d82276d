//! Matrix products of strided views, by the crate `gemm`.

use std::marker::PhantomData;

/// A matrix to read: a view of a slice, with a stride for rows and one for columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    shape: [usize; 2],
    strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// A contiguous, row-major matrix.
    pub fn new(values: &'a [f32], shape: [usize; 2]) -> Self {
        Self::strided(values, shape, [shape[1], 1])
    }

    /// A matrix with the strides `strides` of rows and columns.
    pub fn strided(values: &'a [f32], shape: [usize; 2], strides: [usize; 2]) -> Self {
        assert!(fits(values.len(), shape, strides), "a matrix {shape:?} of {} numbers", values.len());
        Self { values, shape, strides }
    }

    pub fn transposed(self) -> Self {
        let ([rows, columns], [row_stride, right]) = (self.shape, self.strides);
        Self { shape: [columns, rows], strides: [right, row_stride], ..self }
    }

    /// Rows `first..first + count`.
    pub fn rows(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.shape[0]);
        let values = &self.values[(first * self.strides[0]).min(self.values.len())..];
        Self { values, shape: [count, self.shape[1]], ..self }
    }

    /// Row `at`, which must be contiguous.
    pub fn row(&self, at: usize) -> &'a [f32] {
        assert!(self.strides[1] == 1 && at < self.shape[0]);
        &self.values[at * self.strides[0]..][..self.shape[1]]
    }
}

/// A matrix to write: contiguous rows, `row_stride` values apart. Several may interleave in one slice, which `&mut [f32]` cannot
/// express: the heads of an attention layer are written by different threads into columns of one output.
#[derive(Debug)]
pub(super) struct MatrixMut<'a> {
    start: *mut f32,
    shape: [usize; 2],
    row_stride: usize,
    marker: PhantomData<&'a mut [f32]>,
}

// SAFETY: a matrix is the only one that accesses its values, as a mutable borrow of them would be.
unsafe impl Send for MatrixMut<'_> {}

impl<'a> MatrixMut<'a> {
    /// A contiguous, row-major matrix.
    pub fn new(values: &'a mut [f32], [rows, columns]: [usize; 2]) -> Self {
        assert!(values.len() >= rows * columns);
        Self { start: values.as_mut_ptr(), shape: [rows, columns], row_stride: columns, marker: PhantomData }
    }

    /// Splits a matrix with rows of `width` values into matrices of `part` columns each, from left to right.
    pub fn split_columns(values: &'a mut [f32], width: usize, part: usize) -> Vec<Self> {
        assert!(width > 0 && part > 0 && width.is_multiple_of(part) && values.len().is_multiple_of(width));
        let rows = values.len() / width;
        let start = values.as_mut_ptr();
        let of = |at: usize| Self {
            // SAFETY: below `width`, so inside the first row, or at the start of an empty list.
            start: if rows == 0 { start } else { unsafe { start.add(at * part) } },
            shape: [rows, part],
            row_stride: width,
            marker: PhantomData,
        };
        (0..width / part).map(of).collect()
    }

    /// Rows `first..first + count`.
    pub fn rows(&mut self, first: usize, count: usize) -> MatrixMut<'_> {
        assert!(first + count <= self.shape[0]);
        // SAFETY: the row is part of this matrix, or one past its last if `count` is 0 and nothing is accessed.
        let start = self.start.wrapping_add(first * self.row_stride);
        MatrixMut { start, shape: [count, self.shape[1]], row_stride: self.row_stride, marker: PhantomData }
    }

    /// Row `at`.
    pub fn row(&mut self, at: usize) -> &mut [f32] {
        assert!(at < self.shape[0]);
        // SAFETY: the row is part of this matrix and contiguous.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at * self.row_stride), self.shape[1]) }
    }
}

/// What a product does with the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteMode {
    /// Overwrites it.
    Set,
    /// Adds to it.
    Add,
}

/// Threads of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parallelism {
    /// The caller's alone, where other threads run other products.
    Serial,
    /// The thread pool.
    Parallel,
}

/// `out = a · b`, or `out += a · b`.
pub(super) fn matmul_into(
    out: MatrixMut<'_>,
    a: Matrix<'_>,
    b: Matrix<'_>,
    mode: WriteMode,
    parallelism: Parallelism,
) {
    let ([m, n], [_, k]) = (out.shape, a.shape);
    assert!(a.shape == [m, k] && b.shape == [k, n], "{:?} times {:?} into {:?}", a.shape, b.shape, out.shape);
    if m == 0 || n == 0 {
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
            out.start,
            1,
            step(out.row_stride),
            add,
            a.values.as_ptr(),
            step(a.strides[1]),
            step(a.strides[0]),
            b.values.as_ptr(),
            step(b.strides[1]),
            step(b.strides[0]),
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
    let shape = [a.shape[0], b.shape[1]];
    let count = shape[0] * shape[1];
    if a.shape[1] == 0 {
        return vec![0.0; count];
    }
    let mut out = Vec::with_capacity(count);
    let whole = MatrixMut { start: out.as_mut_ptr(), shape, row_stride: shape[1], marker: PhantomData };
    matmul_into(whole, a, b, WriteMode::Set, Parallelism::Parallel);
    // SAFETY: the product has written every value. Zeroing them first would be a wasted pass over memory.
    unsafe { out.set_len(count) };
    out
}

fn fits(length: usize, [rows, columns]: [usize; 2], [row_stride, right]: [usize; 2]) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * row_stride + (columns - 1) * right < length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slowly(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
        let at = |m: &Matrix<'_>, i: usize, j: usize| m.values[i * m.strides[0] + j * m.strides[1]];
        let ([rows, inner], [_, columns]) = (a.shape, b.shape);
        (0..rows * columns)
            .map(|i| (0..inner).map(|l| at(&a, i / columns, l) * at(&b, l, i % columns)).sum())
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

    #[test]
    fn empty_products_are_zero() {
        assert!(matmul(Matrix::new(&[], [0, 3]), Matrix::new(&[0.0; 6], [3, 2])).is_empty());
        assert_eq!(matmul(Matrix::new(&[], [2, 0]), Matrix::new(&[], [0, 2])), [0.0; 4]);
    }
}
