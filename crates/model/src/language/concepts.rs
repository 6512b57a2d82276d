//! Concepts: kinds of objects, each described by sentences that say what it is, is for, looks like, and where it is.

use serde::{Deserialize, Serialize};

use super::sentence::unit;

/// A kind of objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Concept {
    /// Its name.
    pub name: String,
    /// Number of sentences that describe it, of which the name is the first.
    pub sentences: usize,
}

/// Concepts with the embeddings of their sentences.
#[derive(Clone, Debug)]
pub(super) struct Concepts {
    /// Number of sentences of each concept.
    sizes: Vec<usize>,
    /// Unit vectors of the sentences, row by row.
    sentences: Vec<f32>,
    width: usize,
}

impl Concepts {
    /// The embeddings of all sentences, in the order of the concepts, `[sentences, width]`; as many as the concepts have.
    pub(super) fn new(concepts: &[Concept], sentences: Vec<f32>, width: usize) -> Self {
        Self { sizes: concepts.iter().map(|concept| concept.sentences).collect(), sentences, width }
    }

    /// Unit vectors of the sentences, row by row.
    pub(super) fn sentences(&self) -> &[f32] {
        &self.sentences
    }

    /// How much a query is about each concept: a unit vector of non-negative numbers.
    ///
    /// The similarity to a concept is the mean of two: that of its nearest sentence, because a query usually says one thing,
    /// and the mean of all, because a single sentence may be near by chance. `scale` times similarities are logits.
    pub(super) fn relevance(&self, query: &[f32], scale: f32) -> Vec<f32> {
        unit(softmax(&self.similarities(query), scale))
    }

    /// Similarities of a query to each concept, −1 to 1.
    pub(super) fn similarities(&self, query: &[f32]) -> Vec<f32> {
        let mut rows = self.sentences.chunks_exact(self.width);
        let similarity = |count: &usize| {
            let (mut largest, mut sum) = (-1.0_f32, 0.0);
            for row in rows.by_ref().take(*count) {
                let cosine: f32 = row.iter().zip(query).map(|(a, b)| a * b).sum();
                (largest, sum) = (largest.max(cosine), sum + cosine);
            }
            0.5 * (largest + sum / (*count).max(1) as f32)
        };
        self.sizes.iter().map(similarity).collect()
    }
}

/// `exp(scale · x)`, divided by their sum.
pub(super) fn softmax(values: &[f32], scale: f32) -> Vec<f32> {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weights: Vec<f32> = values.iter().map(|value| (scale * (value - largest)).exp()).collect();
    let total: f32 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_sentence_counts_half() {
        let concept = |sentences| Concept { name: String::new(), sentences };
        let rows = vec![1.0, 0.0, 0.0, 1.0, 0.6, 0.8];
        let concepts = Concepts::new(&[concept(2), concept(1)], rows, 2);
        // Similarities to (1, 0): (1 + 0.5) / 2 = 0.75 and 0.6; the odds at scale ln 2 / 0.15 are 2 : 1.
        let found = concepts.relevance(&[1.0, 0.0], 2.0_f32.ln() / 0.15);
        let expected = [2.0 / 5.0_f32.sqrt(), 1.0 / 5.0_f32.sqrt()];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
    }
}
