//! Metrics of captions: BLEU, ROUGE-L, CIDEr and METEOR, equal to those of pycocoevalcap.
//!
//! [pycocoevalcap](https://github.com/salaniz/pycocoevalcap) is what papers about captions report. Its metrics see captions that
//! its tokenizer has split, lower-cased and stripped of punctuation: [`ptb_tokenize`]. An item is one such caption of a model
//! (the candidate) with at least one reference:
//!
//! ```
//! use lexiform_metrics::caption::{CaptionItem, bleu, cider, ptb_tokenize, rouge_l};
//!
//! let item = |candidate, references: &[&str]| CaptionItem {
//!     candidate: ptb_tokenize(candidate),
//!     references: references.iter().map(|reference| ptb_tokenize(reference)).collect(),
//! };
//! let items = [
//!     item("A red chair.", &["A red chair with four legs.", "Red chair"]),
//!     item("a small table", &["a round table"]),
//! ];
//! assert_eq!(items[0].candidate, "a red chair");
//! let scores = bleu(&items)?;
//! assert!((scores.corpus[0] - 5.0 / 6.0).abs() < 1e-6);
//! assert!(rouge_l(&items)?.corpus > 0.6 && cider(&items)?.corpus > 1.0);
//! # Ok::<(), lexiform_metrics::MetricsError>(())
//! ```
//!
//! METEOR compares words by their stems and meanings as well, and needs tables that are not ours to distribute: [`meteor`].

mod bleu;
mod cider;
pub mod meteor;
mod ngrams;
mod ptb;
mod rouge;

pub use bleu::{BLEU_ORDERS, BleuScores, bleu};
pub use cider::cider;
pub use ptb::ptb_tokenize;
pub use rouge::rouge_l;

use crate::MetricsError;

/// A caption and what it is compared with, both tokenized: tokens separated by single spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptionItem {
    /// The caption of the model.
    pub candidate: String,
    /// Captions of the same item by others.
    pub references: Vec<String>,
}

/// A score of the whole set, and those of its items.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptionScores {
    /// Of all items together.
    pub corpus: f64,
    /// Of each item.
    pub items: Vec<f64>,
}

impl CaptionScores {
    /// The mean over items as the score of all.
    fn mean_of(items: Vec<f64>) -> Self {
        Self { corpus: items.iter().sum::<f64>() / items.len() as f64, items }
    }
}

/// Fails unless there are items, each with a reference.
fn check_items(items: &[CaptionItem]) -> Result<(), MetricsError> {
    if items.is_empty() {
        return Err(MetricsError::NotEnoughData("expected captions to score, found none".to_owned()));
    }
    match items.iter().position(|item| item.references.is_empty()) {
        Some(item) => Err(MetricsError::NotEnoughData(format!("caption {item} has no reference"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_need_references() {
        let none = CaptionItem { candidate: "a chair".to_owned(), references: Vec::new() };
        for items in [&[][..], &[none]] {
            assert!(bleu(items).is_err());
            assert!(rouge_l(items).is_err());
            assert!(cider(items).is_err());
        }
    }
}
