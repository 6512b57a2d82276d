//! CIDEr (<https://arxiv.org/abs/1411.5726>), in the variant with clipped counts and a penalty of length that the paper calls
//! CIDEr-D and that pycocoevalcap reports as CIDEr.

use std::collections::{HashMap, HashSet};

use super::ngrams::{Ngram, count_ngrams, words};
use super::{CaptionItem, CaptionScores, check_items};
use crate::MetricsError;

/// Longest n-gram.
const ORDERS: usize = 4;
/// Standard deviation of the penalty of length.
const SIGMA: f64 = 6.0;
/// The paper's factor.
const SCALE: f64 = 10.0;

/// CIDEr of each item, and their mean, as the factor that papers multiply by 100.
///
/// n-grams are weighted by how few items have them in a reference, so scores depend on the set: those of one item alone are 0.
///
/// # Errors
/// If there are no items, or one has no reference.
pub fn cider(items: &[CaptionItem]) -> Result<CaptionScores, MetricsError> {
    check_items(items)?;
    let references: Vec<Vec<Vec<&str>>> =
        items.iter().map(|item| item.references.iter().map(|reference| words(reference)).collect()).collect();
    let weights = InverseFrequency::new(&references);
    let score = |(item, references): (&CaptionItem, &Vec<Vec<&str>>)| {
        let candidate = words(&item.candidate);
        let candidate = TfIdf::new(&candidate, &weights);
        let sum: f64 =
            references.iter().map(|words| candidate.similarity(&TfIdf::new(words, &weights))).sum();
        SCALE * sum / references.len() as f64
    };
    Ok(CaptionScores::mean_of(items.iter().zip(&references).map(score).collect()))
}

/// How much an n-gram tells about an item.
struct InverseFrequency<'a> {
    /// Logarithm of the number of items.
    log_items: f64,
    /// Items that have an n-gram in a reference.
    items: HashMap<Ngram<'a>, usize>,
}

impl<'a> InverseFrequency<'a> {
    fn new(references: &'a [Vec<Vec<&'a str>>]) -> Self {
        let mut items: HashMap<Ngram<'a>, usize> = HashMap::new();
        for references in references {
            let all = (1..=ORDERS).flat_map(|n| references.iter().flat_map(move |words| words.windows(n)));
            for ngram in all.collect::<HashSet<Ngram<'a>>>() {
                *items.entry(ngram).or_default() += 1;
            }
        }
        Self { log_items: (references.len() as f64).ln(), items }
    }

    fn of(&self, ngram: Ngram<'_>) -> f64 {
        self.log_items - (self.items.get(ngram).copied().unwrap_or(1) as f64).ln()
    }
}

/// A caption as weighted counts of its n-grams, one vector per order.
struct TfIdf<'a> {
    /// In the order of the caption, so that sums are the same in every run.
    ngrams: [Vec<(Ngram<'a>, f64)>; ORDERS],
    weights: [HashMap<Ngram<'a>, f64>; ORDERS],
    norms: [f64; ORDERS],
    /// Number of pairs of words: what the reference's penalty takes as the length.
    pairs: usize,
}

impl<'a> TfIdf<'a> {
    fn new(words: &'a [&'a str], weights: &InverseFrequency<'_>) -> Self {
        let ngrams: [Vec<(Ngram<'a>, f64)>; ORDERS] = std::array::from_fn(|n| {
            let counts = count_ngrams(words, n + 1).into_iter();
            counts.map(|(ngram, count)| (ngram, count as f64 * weights.of(ngram))).collect()
        });
        let norm = |vector: &Vec<(Ngram<'_>, f64)>| vector.iter().map(|(_, w)| w * w).sum::<f64>().sqrt();
        Self {
            norms: std::array::from_fn(|n| norm(&ngrams[n])),
            weights: std::array::from_fn(|n| ngrams[n].iter().copied().collect()),
            ngrams,
            pairs: words.len().saturating_sub(1),
        }
    }

    /// The mean over orders of the clipped cosine, times the penalty of length.
    fn similarity(&self, reference: &Self) -> f64 {
        let difference = self.pairs as f64 - reference.pairs as f64;
        let penalty = (-(difference * difference) / (2.0 * SIGMA * SIGMA)).exp();
        let cosine = |n: usize| {
            let clipped = |(ngram, weight): &(Ngram<'_>, f64)| {
                let other = reference.weights[n].get(ngram).copied().unwrap_or(0.0);
                weight.min(other) * other
            };
            let sum: f64 = self.ngrams[n].iter().map(clipped).sum();
            let norms = self.norms[n] * reference.norms[n];
            if norms == 0.0 { sum } else { sum / norms }
        };
        penalty * (0..ORDERS).map(cosine).sum::<f64>() / ORDERS as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(candidate: &str, references: &[&str]) -> CaptionItem {
        CaptionItem {
            candidate: candidate.to_owned(),
            references: references.iter().map(|&reference| reference.to_owned()).collect(),
        }
    }

    #[test]
    fn equal_captions_have_the_full_score_if_they_are_rare() {
        let items = [item("red chair with four legs", &["red chair with four legs"]), item("", &["blue"])];
        let scores = cider(&items).unwrap();
        assert!((scores.items[0] - SCALE).abs() < 1e-12, "{scores:?}");
        assert_eq!(scores.items[1], 0.0);
        assert!((scores.corpus - SCALE / 2.0).abs() < 1e-12);
    }

    #[test]
    fn what_all_items_have_counts_nothing() {
        let items = [item("a chair", &["a chair"]), item("a chair", &["a chair"])];
        assert_eq!(cider(&items).unwrap().items, [0.0, 0.0]);
    }

    #[test]
    fn length_is_penalized_and_repetition_is_clipped() {
        let items = [item("red red red red", &["red"]), item("x", &["y"])];
        // The cosine of counts 4 and 1 is 1, clipped to ¼; three pairs more.
        let expected = SCALE / 4.0 * 0.25 * (-9.0_f64 / 72.0).exp();
        assert!((cider(&items).unwrap().items[0] - expected).abs() < 1e-12);
    }
}
