//! Strided views of slices as matrices.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use lexiform_kernels::blocks::fits;
#[cfg(target_arch = "x86_64")]
use lexiform_kernels::tiles::Operand;

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

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Distances from one row to the next, and from one column to the next.
    pub fn strides(&self) -> [usize; 2] {
        self.strides
    }

    /// The values from the first on.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The first value.
    pub fn as_ptr(&self) -> *const f32 {
        self.values.as_ptr()
    }

    /// One value.
    #[cfg(test)]
    pub fn at(&self, row: usize, column: usize) -> f32 {
        self.values[row * self.strides[0] + column * self.strides[1]]
    }

    /// The rows as an operand of the tile unit, unless neither rows nor columns are contiguous.
    #[cfg(target_arch = "x86_64")]
    pub fn operand(self) -> Option<Operand<'a>> {
        Operand::new(self.values, self.shape, self.strides)
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

    /// A contiguous, row-major matrix of values that are still to be written.
    pub fn uninit(values: &'a mut [MaybeUninit<f32>], [rows, columns]: [usize; 2]) -> Self {
        assert!(values.len() >= rows * columns);
        let start = values.as_mut_ptr().cast();
        Self { start, shape: [rows, columns], row_stride: columns, marker: PhantomData }
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

    /// Splits a matrix into blocks of `size` rows and columns, fewer at the end, with the first row and column of each.
    pub fn split_blocks(self, size: [usize; 2]) -> Vec<([usize; 2], Self)> {
        let [rows, columns] = self.shape;
        let block = |row: usize, column: usize| {
            // SAFETY: the block is inside of this matrix, and no two overlap.
            let start = self.start.wrapping_add(row * self.row_stride + column);
            let shape = [size[0].min(rows - row), size[1].min(columns - column)];
            ([row, column], Self { start, shape, ..self })
        };
        let rows = (0..rows).step_by(size[0]);
        rows.flat_map(|row| (0..columns).step_by(size[1]).map(move |column| block(row, column))).collect()
    }

    /// Rows and columns.
    pub fn shape(&self) -> [usize; 2] {
        self.shape
    }

    /// Columns `first..first + count`.
    pub fn columns(&mut self, first: usize, count: usize) -> MatrixMut<'_> {
        assert!(first + count <= self.shape[1]);
        // SAFETY: as in `rows`.
        let start = self.start.wrapping_add(first);
        MatrixMut { start, shape: [self.shape[0], count], row_stride: self.row_stride, marker: PhantomData }
    }

    /// Rows `first..first + count`.
    pub fn rows(&mut self, first: usize, count: usize) -> MatrixMut<'_> {
        assert!(first + count <= self.shape[0]);
        // SAFETY: the row is part of this matrix, or one past its last if `count` is 0 and nothing is accessed.
        let start = self.start.wrapping_add(first * self.row_stride);
        MatrixMut { start, shape: [count, self.shape[1]], row_stride: self.row_stride, marker: PhantomData }
    }

    /// The first value.
    pub fn as_mut_ptr(&mut self) -> *mut f32 {
        self.start
    }

    /// Distance from one row to the next.
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Writes row `at`.
    pub fn write_row(&mut self, at: usize, values: &[f32], mode: WriteMode) {
        assert!(at < self.shape[0] && values.len() == self.shape[1]);
        let row = self.start.wrapping_add(at * self.row_stride);
        match mode {
            // SAFETY: the row is part of this matrix and contiguous; it may hold no values yet.
            WriteMode::Set => unsafe { row.copy_from_nonoverlapping(values.as_ptr(), values.len()) },
            WriteMode::Add => self.row(at).iter_mut().zip(values).for_each(|(sum, x)| *sum += x),
        }
    }

    /// As [`write_row`](Self::write_row), for a number of columns that the compiler knows.
    pub fn write_row_of<const N: usize>(&mut self, at: usize, values: &[f32; N], mode: WriteMode) {
        assert!(at < self.shape[0] && self.shape[1] == N);
        let row: *mut [f32; N] = self.start.wrapping_add(at * self.row_stride).cast();
        match mode {
            // SAFETY: as in `write_row`.
            WriteMode::Set => unsafe { row.write(*values) },
            // SAFETY: the row is part of this matrix and contiguous, and its values were written.
            WriteMode::Add => unsafe { (*row).iter_mut().zip(values).for_each(|(sum, x)| *sum += x) },
        }
    }

    /// Row `at`, whose values were written.
    pub fn row(&mut self, at: usize) -> &mut [f32] {
        assert!(at < self.shape[0]);
        // SAFETY: the row is part of this matrix and contiguous.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(at * self.row_stride), self.shape[1]) }
    }
}

/// What a product does with the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteMode {
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
