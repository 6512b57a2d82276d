//! BLEU-1 to BLEU-4 (<https://aclanthology.org/P02-1040>) with the closest reference length.

use std::collections::HashMap;

use super::ngrams::{Ngram, count_ngrams, words};
use super::{CaptionItem, check_items};
use crate::MetricsError;

/// Longest n-gram.
pub const BLEU_ORDERS: usize = 4;

/// Keeps a score of nothing above 0, as pycocoevalcap does: a product of precisions stays comparable.
const TINY: f64 = 1e-15;
/// Keeps denominators above 0.
const SMALL: f64 = 1e-9;

/// BLEU-1 to BLEU-4, each of which is the geometric mean of the precisions up to this order times the brevity penalty.
#[derive(Clone, Debug, PartialEq)]
pub struct BleuScores {
    /// Of all items together: counts are added before they are divided.
    pub corpus: [f64; BLEU_ORDERS],
    /// Of each item.
    pub items: Vec<[f64; BLEU_ORDERS]>,
}

/// BLEU of all items.
///
/// # Errors
/// If there are no items, or one has no reference.
pub fn bleu(items: &[CaptionItem]) -> Result<BleuScores, MetricsError> {
    check_items(items)?;
    let counts: Vec<Counts> = items.iter().map(Counts::of).collect();
    let total = counts.iter().fold(Counts::default(), Counts::plus);
    Ok(BleuScores { corpus: total.score(), items: counts.iter().map(Counts::score).collect() })
}

/// What BLEU is computed from.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Words of the candidate.
    length: usize,
    /// Words of the reference whose length is closest.
    reference_length: usize,
    /// n-grams of the candidate.
    ngrams: [usize; BLEU_ORDERS],
    /// n-grams of the candidate that a reference has, each at most as often as in one reference.
    matches: [usize; BLEU_ORDERS],
}

impl Counts {
    fn of(item: &CaptionItem) -> Self {
        let candidate = words(&item.candidate);
        let references: Vec<Vec<&str>> = item.references.iter().map(|reference| words(reference)).collect();
        let length = candidate.len();
        // Of two lengths at the same distance, the shorter.
        let closest = references.iter().map(Vec::len).min_by_key(|found| (found.abs_diff(length), *found));
        let ngrams = std::array::from_fn(|n| length.saturating_sub(n));
        let matches = std::array::from_fn(|n| matching_ngrams(&candidate, &references, n + 1));
        Self { length, reference_length: closest.unwrap_or(0), ngrams, matches }
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            length: self.length + other.length,
            reference_length: self.reference_length + other.reference_length,
            ngrams: std::array::from_fn(|n| self.ngrams[n] + other.ngrams[n]),
            matches: std::array::from_fn(|n| self.matches[n] + other.matches[n]),
        }
    }

    fn score(&self) -> [f64; BLEU_ORDERS] {
        let ratio = (self.length as f64 + TINY) / (self.reference_length as f64 + SMALL);
        let brevity = if ratio < 1.0 { (1.0 - 1.0 / ratio).exp() } else { 1.0 };
        let mut product = 1.0;
        std::array::from_fn(|n| {
            product *= (self.matches[n] as f64 + TINY) / (self.ngrams[n] as f64 + SMALL);
            product.powf(1.0 / (n + 1) as f64) * brevity
        })
    }
}

/// n-grams of the candidate that occur in a reference, counted at most as often as in the reference with most of them.
fn matching_ngrams(candidate: &[&str], references: &[Vec<&str>], n: usize) -> usize {
    let mut most: HashMap<Ngram<'_>, usize> = HashMap::new();
    for (ngram, count) in references.iter().flat_map(|reference| count_ngrams(reference, n)) {
        let known = most.entry(ngram).or_default();
        *known = (*known).max(count);
    }
    let matching = |(ngram, count): (Ngram<'_>, usize)| count.min(most.get(ngram).copied().unwrap_or(0));
    count_ngrams(candidate, n).into_iter().map(matching).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What [`SMALL`] takes from a score.
    const TOLERANCE: f64 = 1e-8;

    #[test]
    fn the_paper_clips_repeated_words() {
        // Section 2.1: seven times "the", of which the reference has two.
        let item = CaptionItem {
            candidate: "the the the the the the the".to_owned(),
            references: vec!["the cat is on the mat".to_owned(), "there is a cat on the mat".to_owned()],
        };
        let scores = bleu(&[item]).unwrap();
        assert!((scores.corpus[0] - 2.0 / 7.0).abs() < TOLERANCE, "{scores:?}");
        assert_eq!(scores.corpus, scores.items[0]);
    }

    #[test]
    fn short_candidates_are_penalized_by_the_closest_length() {
        let references = ["a red chair", "a red wooden chair with arms"].map(str::to_owned).to_vec();
        let item = CaptionItem { candidate: "a chair".to_owned(), references };
        let expected = (1.0_f64 - 3.0 / 2.0).exp();
        assert!((bleu(&[item]).unwrap().corpus[0] - expected).abs() < TOLERANCE);
    }
}
