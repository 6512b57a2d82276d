//! Rows of numbers in a joint space.

use rayon::prelude::*;
use std::cmp::Ordering;

use crate::MetricsError;
use crate::error::{check_count, check_indices};

/// A matrix `[rows, dim]`, row-major. Every number is finite and every row has a direction.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    values: Vec<f32>,
    dim: usize,
}

/// A row shorter than this has no direction.
const SHORTEST: f64 = 1e-12;
/// Rows that one task works on.
const ROWS_AT_ONCE: usize = 256;

impl Features {
    /// `values` are the rows one after another.
    ///
    /// # Errors
    /// If they do not make rows of `dim`, or a row is zero or holds a NaN or an infinity.
    pub fn new(values: Vec<f32>, dim: usize) -> Result<Self, MetricsError> {
        if dim == 0 || !values.len().is_multiple_of(dim) {
            return Err(MetricsError::Ragged { found: values.len(), dim });
        }
        let fault = values
            .par_chunks(dim)
            .position_first(|row| norm(row).partial_cmp(&SHORTEST) != Some(Ordering::Greater));
        match fault {
            None => Ok(Self { values, dim }),
            Some(row) => {
                let finite = values[row * dim..(row + 1) * dim].iter().all(|x| x.is_finite());
                let fault =
                    if finite { "is zero and has no direction" } else { "holds a NaN or an infinity" };
                Err(MetricsError::Row { row, fault })
            }
        }
    }

    /// Rows of equal length, copied into one matrix.
    pub fn from_rows<'a>(rows: impl IntoIterator<Item = &'a [f32]>) -> Result<Self, MetricsError> {
        let (mut values, mut dim) = (Vec::new(), None);
        for row in rows {
            let expected = *dim.get_or_insert(row.len());
            if row.len() != expected {
                return Err(MetricsError::Dim { what: "features", expected, found: row.len() });
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

    /// All numbers, `[rows, dim]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.values
    }

    /// Euclidean length of a row.
    pub fn norm(&self, index: usize) -> f64 {
        norm(self.row(index))
    }

    /// The same directions at length one.
    pub fn normalized(&self) -> Self {
        let mut values = vec![0.0_f32; self.values.len()];
        let chunk = self.dim * ROWS_AT_ONCE;
        values.par_chunks_mut(chunk).zip(self.values.par_chunks(chunk)).for_each(|(to, from)| {
            for (to, from) in to.chunks_mut(self.dim).zip(from.chunks(self.dim)) {
                let norm = norm(from);
                to.iter_mut().zip(from).for_each(|(to, x)| *to = (f64::from(*x) / norm) as f32);
            }
        });
        Self { values, dim: self.dim }
    }

    /// These rows, in this order.
    pub fn select(&self, rows: &[usize]) -> Result<Self, MetricsError> {
        check_indices("row", rows, self.rows())?;
        let values = rows.iter().flat_map(|&r| self.row(r)).copied().collect();
        Ok(Self { values, dim: self.dim })
    }

    /// The mean of each `size` rows that follow one another.
    ///
    /// # Errors
    /// If `size` does not divide the number of rows, or rows cancel out.
    pub fn means(&self, size: usize) -> Result<Self, MetricsError> {
        let groups = self.rows() / size.max(1);
        check_count("rows in groups", groups * size, self.rows())?;
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

    /// Fails unless rows of both can be compared; `what` names these.
    pub(crate) fn check_dim(&self, what: &'static str, other: &Self) -> Result<(), MetricsError> {
        let (expected, found) = (other.dim, self.dim);
        if expected == found { Ok(()) } else { Err(MetricsError::Dim { what, expected, found }) }
    }
}

/// Length of a row; NaN if it holds one.
fn norm(row: &[f32]) -> f64 {
    /// Partial sums kept apart, so that the sum runs in vectors.
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
    fn rows_without_direction_are_refused_by_number() {
        let check = |values: &[f32], expected: &str| {
            assert_eq!(Features::new(values.to_vec(), 2).unwrap_err().to_string(), expected);
        };
        check(&[1.0, 0.0, 0.0, 0.0], "row 1 is zero and has no direction");
        check(&[f32::NAN, 0.0], "row 0 holds a NaN or an infinity");
        check(&[1.0, f32::INFINITY], "row 0 holds a NaN or an infinity");
        check(&[1.0, 2.0, 3.0], "3 numbers do not make rows of 2");
        assert!(Features::new(vec![], 0).is_err());
    }

    #[test]
    fn means_and_directions() {
        let features = Features::new(vec![3.0, 4.0, 0.0, 2.0, 1.0, 0.0, 1.0, 2.0], 2).unwrap();
        assert_eq!(features.normalized().row(0), [0.6, 0.8]);
        assert_eq!(features.means(2).unwrap().as_slice(), [1.5, 3.0, 1.0, 1.0]);
        assert!(features.means(3).is_err());
        assert_eq!(features.select(&[2, 0]).unwrap().as_slice(), [1.0, 0.0, 3.0, 4.0]);
        let opposite = Features::new(vec![1.0, 0.0, -1.0, 0.0], 2).unwrap();
        assert!(opposite.means(2).is_err(), "rows that cancel out have no mean direction");
    }
}
