//! DeCap's memory ([arXiv 2303.03032](https://arxiv.org/abs/2303.03032), section 3.2): embeddings of texts that the embedding of an
//! image or shape is projected on.

use serde::{Deserialize, Serialize};

use crate::embedding::Embedding;
use crate::error::ModelError;
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Embeddings of the texts, `[texts, dim]`.
const TEXTS: &str = "memory.texts";
/// Number of texts of each kind, `[kinds]`.
const ROWS: &str = "memory.rows";

/// Sizes of a memory, stored in the header of its file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryConfig {
    /// Number of texts.
    pub texts: usize,
    /// Number of kinds of objects that texts are sorted by; 0 for none.
    pub kinds: usize,
    /// Factor of similarities before softmax: the reciprocal of DeCap's temperature.
    pub scale: f32,
}

/// Embeddings of texts, perhaps sorted by the kinds of objects that they describe.
#[derive(Clone, Debug, PartialEq)]
pub struct TextMemory {
    config: MemoryConfig,
    /// Unit vectors, row by row.
    texts: Vec<f32>,
    /// Number of texts of each kind.
    rows: Vec<usize>,
    dim: usize,
}

impl TextMemory {
    /// A memory of embedded texts of `dim` numbers, in the order of kinds, with the number of texts of each kind (empty without
    /// kinds). `scale` is the factor of similarities before softmax; DeCap's is 150 in CLIP's space.
    pub fn new(texts: &[Embedding], rows: Vec<usize>, scale: f32) -> Self {
        let dim = texts.first().map_or(0, |text| text.as_slice().len());
        let config = MemoryConfig { texts: texts.len(), kinds: rows.len(), scale };
        let texts = texts.iter().flat_map(|text| text.as_slice().to_vec()).collect();
        Self { config, texts, rows, dim }
    }

    /// Reads `memory.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped, or the numbers of texts do not fit each other.
    pub(crate) fn load(
        source: &WeightSource,
        config: MemoryConfig,
        dim: usize,
    ) -> Result<Self, WeightsError> {
        let fill = Initializer::Normal(1.0);
        let values = |tensor: burn::tensor::Tensor<2>| -> Vec<f32> {
            tensor.into_data().try_into_vec().expect("weights are f32")
        };
        let texts = values(source.tensor(TEXTS, [config.texts, dim], fill)?);
        // A vector is part of the fingerprint of the captioner, as it should be.
        let rows = match config.kinds {
            0 => Vec::new(),
            kinds => source
                .tensor::<1>(ROWS, [kinds], fill)?
                .into_data()
                .try_into_vec::<f32>()
                .expect("weights are f32"),
        };
        let rows: Vec<usize> = rows.into_iter().map(|count| count.max(0.0) as usize).collect();
        let sum = rows.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count));
        if config.texts == 0 || !config.scale.is_finite() || (config.kinds > 0 && sum != Some(config.texts)) {
            return Err(source.invalid(format!("invalid header: a memory of {} texts", config.texts)));
        }
        Ok(Self { config, texts, rows, dim })
    }

    /// Number of kinds that texts are sorted by.
    pub fn n_kinds(&self) -> usize {
        self.rows.len()
    }

    /// Sizes and scale.
    pub fn config(&self) -> MemoryConfig {
        self.config
    }

    /// The mean of the texts, weighted by softmax of their similarities to `features` and by the relevance of their kinds, if
    /// these are known: relevances of kinds are not negative, and their scale does not matter.
    ///
    /// # Errors
    /// [`ModelError::InvalidNorm`] if the mean has no direction.
    pub fn project(&self, features: &Embedding, kinds: Option<&[f32]>) -> Result<Embedding, ModelError> {
        let weights = self.weights(features, kinds);
        let mut mean = vec![0.0; self.dim];
        for (text, weight) in self.texts.chunks_exact(self.dim.max(1)).zip(&weights) {
            mean.iter_mut().zip(text).for_each(|(mean, x)| *mean += weight * x);
        }
        Embedding::new(mean)
    }

    /// The weight of each text, of sum 1.
    fn weights(&self, features: &Embedding, kinds: Option<&[f32]>) -> Vec<f32> {
        let dot = |text: &[f32]| text.iter().zip(features.as_slice()).map(|(a, b)| a * b).sum::<f32>();
        let mut logits: Vec<f32> =
            self.texts.chunks_exact(self.dim.max(1)).map(|text| self.config.scale * dot(text)).collect();
        if let Some(kinds) = kinds {
            let relevances =
                self.rows.iter().zip(kinds).flat_map(|(count, kind)| std::iter::repeat_n(kind, *count));
            // A probability is a factor, its logarithm is added; no kind is impossible.
            logits.iter_mut().zip(relevances).for_each(|(logit, kind)| *logit += kind.max(1e-12).ln());
        }
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let weights: Vec<f32> = logits.iter().map(|logit| (logit - largest).exp()).collect();
        let total: f32 = weights.iter().sum();
        weights.iter().map(|weight| weight / total).collect()
    }

    /// Adds the tensors to `list`.
    pub(super) fn save(&self, list: &mut TensorList) {
        list.push_values(TEXTS.to_owned(), vec![self.config.texts, self.dim], self.texts.clone());
        if !self.rows.is_empty() {
            let rows = self.rows.iter().map(|count| *count as f32).collect();
            list.push_values(ROWS.to_owned(), vec![self.rows.len()], rows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(values: [f32; 2]) -> Embedding {
        Embedding::new(values.to_vec()).unwrap()
    }

    #[test]
    fn near_texts_of_relevant_kinds_count() {
        let texts = [unit([1.0, 0.0]), unit([0.0, 1.0]), unit([0.6, 0.8])];
        let memory = TextMemory::new(&texts, vec![1, 2], 2.0_f32.ln() / 0.2);
        // Cosines 1, 0 and 0.6: each 0.2 doubles the odds, 32 : 1 : 8.
        let found = memory.weights(&unit([1.0, 0.0]), None);
        let close = |expected: [f32; 3]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close([32.0 / 41.0, 1.0 / 41.0, 8.0 / 41.0]), "{found:?}");
        // The second kind is four times as probable: 32 : 4 : 32.
        let found = memory.weights(&unit([1.0, 0.0]), Some(&[0.2, 0.8]));
        let close = |expected: [f32; 3]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close([32.0 / 68.0, 4.0 / 68.0, 32.0 / 68.0]), "{found:?}");
        let mean = memory.project(&unit([1.0, 0.0]), Some(&[0.0, 1.0])).unwrap();
        // Only the second kind is left, 1 : 8.
        assert!(mean.dot(&unit([4.8, 7.4])) > 0.9999, "{mean:?}");
    }
}
