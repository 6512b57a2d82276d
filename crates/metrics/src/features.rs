//! Feature matrices.

use rayon::prelude::*;
use std::cmp::Ordering;

use crate::MetricsError;
use crate::error::{check_indices, check_len};

/// A row-major matrix `[rows, dim]`. All values are finite and no row is zero.
///
/// ```
/// use lexiform_metrics::Features;
///
/// let features = Features::new(vec![3.0, 4.0, 0.0, 2.0], 2)?;
/// assert_eq!(features.normalized().row(0), [0.6, 0.8]);
/// assert!(Features::new(vec![0.0, 0.0], 2).is_err());
/// # Ok::<(), lexiform_metrics::MetricsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    dim: usize,
}

/// Rows with a smaller norm cannot be normalized.
const MIN_NORM: f64 = 1e-12;
/// Rows per parallel task.
const CHUNK_ROWS: usize = 256;

impl Features {
    /// From values in row-major order.
    ///
    /// # Errors
    /// If the values do not fill whole rows of `dim`, or a row is zero or has a NaN or an infinity.
    pub fn new(values: Vec<f32>, dim: usize) -> Result<Self, MetricsError> {
        if dim == 0 || !values.len().is_multiple_of(dim) {
            return Err(MetricsError::RaggedRows { found: values.len(), dim });
        }
        // `partial_cmp` is `None` for NaN, so that rows with NaN norms are found, too.
        let reason = values
            .par_chunks(dim)
            .position_first(|row| norm(row).partial_cmp(&MIN_NORM) != Some(Ordering::Greater));
        match reason {
            None => Ok(Self { values, dim }),
            Some(row) => {
                let finite = values[row * dim..(row + 1) * dim].iter().all(|x| x.is_finite());
                let reason = if finite { "is zero" } else { "has a NaN or an infinity" };
                Err(MetricsError::InvalidRow { row, reason })
            }
        }
    }

    /// Copies rows of equal length into one matrix.
    ///
    /// # Errors
    /// If there is no row, the lengths differ, or a row is invalid.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a [f32]>) -> Result<Self, MetricsError> {
        let (mut values, mut dim) = (Vec::new(), None);
        for row in rows {
            let expected = *dim.get_or_insert(row.len());
            if row.len() != expected {
                return Err(MetricsError::DimMismatch { what: "features", expected, found: row.len() });
            }
            values.extend_from_slice(row);
        }
        Self::new(values, dim.unwrap_or(0))
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.dim
    }

    /// Length of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One row, `[dim]`.
    pub fn row(&self, index: usize) -> &[f32] {
        &self.values[index * self.dim..(index + 1) * self.dim]
    }

    /// All values, `[rows, dim]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// Euclidean norm of a row.
    pub fn norm(&self, index: usize) -> f64 {
        norm(self.row(index))
    }

    /// The same rows with unit norm.
    pub fn normalized(&self) -> Self {
        let mut values = vec![0.0_f32; self.values.len()];
        let chunk = self.dim * CHUNK_ROWS;
        values.par_chunks_mut(chunk).zip(self.values.par_chunks(chunk)).for_each(|(to, from)| {
            for (to, from) in to.chunks_mut(self.dim).zip(from.chunks(self.dim)) {
                let norm = norm(from);
                to.iter_mut().zip(from).for_each(|(to, x)| *to = (f64::from(*x) / norm) as f32);
            }
        });
        Self { values, dim: self.dim }
    }

    /// These rows, in this order.
    ///
    /// # Errors
    /// If an index is out of range.
    pub fn select(&self, rows: &[usize]) -> Result<Self, MetricsError> {
        check_indices("row", rows, self.rows())?;
        let values = rows.iter().flat_map(|&r| self.row(r)).copied().collect();
        Ok(Self { values, dim: self.dim })
    }

    /// The mean of every `size` consecutive rows, `[rows / size, dim]`.
    ///
    /// # Errors
    /// If `size` does not divide the number of rows, or the mean of a group is zero.
    pub fn group_means(&self, size: usize) -> Result<Self, MetricsError> {
        let groups = self.rows() / size.max(1);
        check_len("rows in groups", groups * size, self.rows())?;
        let mut values = Vec::with_capacity(groups * self.dim);
        let mut sum = vec![0.0_f64; self.dim];
        for group in self.values.chunks(self.dim * size) {
            sum.fill(0.0);
            for row in group.chunks(self.dim) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += f64::from(*x));
            }
            values.extend(sum.iter().map(|s| (s / size as f64) as f32));
        }
        Self::new(values, self.dim)
    }

    /// Fails unless the row lengths are equal; `what` names these rows in the error.
    pub(crate) fn check_dim(&self, what: &'static str, other: &Self) -> Result<(), MetricsError> {
        let (expected, found) = (other.dim, self.dim);
        if expected == found { Ok(()) } else { Err(MetricsError::DimMismatch { what, expected, found }) }
    }
}

/// Euclidean norm of a row; NaN if a value is not finite.
fn norm(row: &[f32]) -> f64 {
    /// Independent partial sums, so that the compiler vectorizes the loop.
    const LANES: usize = 8;
    let chunks = row.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|x| f64::from(*x).powi(2)).sum();
    let mut lanes = [0.0_f64; LANES];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += f64::from(*x) * f64::from(*x));
    }
    let square = lanes.iter().sum::<f64>() + rest;
    if square.is_finite() { square.sqrt() } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_rows_are_errors_with_their_index() {
        let check = |values: &[f32], expected: &str| {
            assert_eq!(Features::new(values.to_vec(), 2).unwrap_err().to_string(), expected);
        };
        check(&[1.0, 0.0, 0.0, 0.0], "row 1 is zero");
        check(&[f32::NAN, 0.0], "row 0 has a NaN or an infinity");
        check(&[1.0, f32::INFINITY], "row 0 has a NaN or an infinity");
        check(&[1.0, 2.0, 3.0], "expected rows of 2 numbers, found 3 numbers");
        assert!(Features::new(vec![], 0).is_err());
    }

    #[test]
    fn means_and_directions() {
        let features = Features::new(vec![3.0, 4.0, 0.0, 2.0, 1.0, 0.0, 1.0, 2.0], 2).unwrap();
        assert_eq!(features.normalized().row(0), [0.6, 0.8]);
        assert_eq!(features.group_means(2).unwrap().as_slice(), [1.5, 3.0, 1.0, 1.0]);
        assert!(features.group_means(3).is_err());
        assert_eq!(features.select(&[2, 0]).unwrap().as_slice(), [1.0, 0.0, 3.0, 4.0]);
        let opposite = Features::new(vec![1.0, 0.0, -1.0, 0.0], 2).unwrap();
        assert!(opposite.group_means(2).is_err(), "rows that cancel out have no mean direction");
    }
}
