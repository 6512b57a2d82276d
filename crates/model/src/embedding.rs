//! Unit vectors in the joint space.

use burn::tensor::Tensor;

use crate::error::ModelError;

/// A unit vector in a model's joint space. Only embeddings of the same model can be compared.
///
/// ```
/// use lexiform_model::Embedding;
///
/// let chair = Embedding::new(vec![3.0, 4.0])?;
/// let stool = Embedding::new(vec![4.0, 3.0])?;
/// assert_eq!(chair.as_slice(), [0.6, 0.8]);
/// assert!((chair.dot(&stool) - 0.96).abs() < 1e-6);
/// # Ok::<(), lexiform_model::ModelError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Normalizes features `[dim]` to unit length.
    ///
    /// # Errors
    /// [`ModelError::InvalidNorm`] if the norm is zero, infinite or NaN.
    pub fn new(mut features: Vec<f32>) -> Result<Self, ModelError> {
        let norm = features.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt() as f32;
        if !norm.is_finite() || norm <= 1e-12 {
            return Err(ModelError::InvalidNorm { length: features.len(), norm });
        }
        features.iter_mut().for_each(|x| *x /= norm);
        Ok(Self(features))
    }

    /// The normalized weighted sum of embeddings; negative weights move it away.
    ///
    /// ```
    /// use lexiform_model::Embedding;
    ///
    /// let [chair, red] = [vec![1.0, 0.0], vec![0.0, 1.0]].map(|v| Embedding::new(v).expect("not zero"));
    /// let red_chair = Embedding::weighted_sum(&[(1.0, &chair), (1.0, &red)])?;
    /// assert!((red_chair.dot(&chair) - 0.5_f32.sqrt()).abs() < 1e-6);
    /// # Ok::<(), lexiform_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::InvalidNorm`] if the sum is zero, infinite or NaN.
    pub fn weighted_sum(parts: &[(f32, &Embedding)]) -> Result<Self, ModelError> {
        let dim = parts.first().map_or(0, |(_, e)| e.0.len());
        let mut sum = vec![0.0; dim];
        for (weight, embedding) in parts {
            sum.iter_mut().zip(&embedding.0).for_each(|(s, x)| *s += weight * x);
        }
        Self::new(sum)
    }

    /// Components, `[dim]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Cosine similarity.
    pub fn dot(&self, other: &Self) -> f32 {
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }
}

/// The rows of a tensor of features, `[n, dim]`.
pub(crate) fn rows(features: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, dim] = features.dims();
    let values: Vec<f32> = features.into_data().try_into_vec().expect("features are f32");
    values.chunks(dim.max(1)).map(<[f32]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_nan_cannot_be_normalized() {
        assert!(Embedding::new(vec![0.0; 4]).is_err());
        assert!(Embedding::new(vec![f32::NAN, 1.0]).is_err());
    }

    #[test]
    fn weighted_sums_lean_to_the_larger_weight() {
        let (x, y) = (Embedding::new(vec![2.0, 0.0]).unwrap(), Embedding::new(vec![0.0, 3.0]).unwrap());
        let mixed = Embedding::weighted_sum(&[(2.0, &x), (1.0, &y)]).unwrap();
        assert!(mixed.dot(&x) > mixed.dot(&y));
        assert!((mixed.dot(&mixed) - 1.0).abs() < 1e-6);
    }
}
