//! Concepts: kinds of objects, each described by sentences that say what it is, is for, looks like, and where it is.

use lexiform_kernels::{Kernel, SimdLevel};
use serde::{Deserialize, Serialize};

use super::sentence::unit;

/// Sums of a product of vectors that do not wait for each other.
const LANES: usize = 32;

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

    /// Similarities of queries to each concept, −1 to 1, query by query.
    ///
    /// The similarity to a concept is the mean of two: that of its nearest sentence, because a query usually says one thing,
    /// and the mean of all, because a single sentence may be near by chance.
    pub(super) fn similarities(&self, queries: &[Vec<f32>]) -> Vec<Vec<f32>> {
        let n_queries = queries.len();
        let mut cosines = vec![0.0; n_queries * (self.sentences.len() / self.width)];
        SimdLevel::detect().run(Cosines {
            sentences: &self.sentences,
            queries,
            width: self.width,
            cosines: &mut cosines,
        });
        let of_query = |query: usize| {
            let mut cosines = cosines.iter().skip(query).step_by(n_queries);
            let similarity = |count: &usize| {
                let (mut largest, mut sum) = (-1.0_f32, 0.0);
                for cosine in cosines.by_ref().take(*count) {
                    (largest, sum) = (largest.max(*cosine), sum + cosine);
                }
                0.5 * (largest + sum / (*count).max(1) as f32)
            };
            self.sizes.iter().map(similarity).collect()
        };
        (0..n_queries).map(of_query).collect()
    }
}

/// How much a query is about each concept, from its similarities to them: a unit vector of non-negative numbers. `scale` times
/// similarities are logits.
pub(super) fn relevance(similarities: &[f32], scale: f32) -> Vec<f32> {
    unit(softmax(similarities, scale))
}

/// Cosine similarities of unit vectors, `[sentences, queries]`. The sentences, of some megabytes, are read once for all queries.
struct Cosines<'a> {
    sentences: &'a [f32],
    queries: &'a [Vec<f32>],
    width: usize,
    cosines: &'a mut [f32],
}

impl Kernel for Cosines<'_> {
    #[inline(always)]
    fn run(self) {
        let Self { sentences, queries, width, cosines } = self;
        let rows = sentences.chunks_exact(width).zip(cosines.chunks_exact_mut(queries.len().max(1)));
        for (sentence, cosines) in rows {
            for (query, cosine) in queries.iter().zip(cosines) {
                *cosine = dot(sentence, query);
            }
        }
    }
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (mut a, mut b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut sums = [0.0; LANES];
    for (a, b) in a.by_ref().zip(b.by_ref()) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a.remainder().iter().zip(b.remainder()).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
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
        let similarities = concepts.similarities(&[vec![0.0, 1.0], vec![1.0, 0.0]]);
        let found = relevance(&similarities[1], 2.0_f32.ln() / 0.15);
        let expected = [2.0 / 5.0_f32.sqrt(), 1.0 / 5.0_f32.sqrt()];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}");
    }

    #[test]
    fn cosines_of_any_width_are_sums_of_products() {
        let numbers =
            |count: usize, step: f32| -> Vec<f32> { (0..count).map(|i| (i as f32 * step).sin()).collect() };
        for width in [1, 31, 32, 70, 384] {
            let (sentences, queries) = (numbers(3 * width, 0.7), [numbers(width, 0.3), numbers(width, 1.1)]);
            let mut cosines = vec![0.0; 6];
            SimdLevel::detect().run(Cosines {
                sentences: &sentences,
                queries: &queries,
                width,
                cosines: &mut cosines,
            });
            for (i, found) in cosines.iter().enumerate() {
                let (sentence, query) = (&sentences[i / 2 * width..][..width], &queries[i % 2]);
                let expected: f64 = sentence.iter().zip(query).map(|(a, b)| f64::from(a * b)).sum();
                // Sums in another order.
                assert!((f64::from(*found) - expected).abs() < 1e-4, "{width}: {found} {expected}");
            }
        }
    }
}
