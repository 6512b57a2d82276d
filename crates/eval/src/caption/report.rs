//! Scores of captions.

use std::path::Path;

use lexiform_formats::{csv_cell, write_file};
use lexiform_metrics::caption::CaptionItem;
use serde::{Serialize, Serializer};

use super::pair::Pair;
use crate::error::EvalError;
use crate::unusable::UnusableFile;

/// Scores of all captions and of each.
#[derive(Clone, Debug, Serialize)]
pub struct CaptionScoresReport {
    /// Number of predictions.
    pub predictions: usize,
    /// Number of references of the predictions.
    pub references: usize,
    /// The model of the cosines, if there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Scores of all captions.
    #[serde(serialize_with = "as_object")]
    pub scores: Vec<MetricScores>,
    /// The items.
    #[serde(skip)]
    pub items: Vec<ItemScores>,
    /// Shapes that the model could not use.
    #[serde(skip)]
    pub unusable: Vec<UnusableFile>,
}

/// A metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricScores {
    /// Its name: `bleu_1` to `bleu_4`, `meteor`, `rouge_l`, `cider`, `cosine`, `shape_cosine`.
    pub metric: &'static str,
    /// Of all captions together.
    pub corpus: f64,
}

/// An item and its scores.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemScores {
    /// Name of the item.
    pub key: String,
    /// The tokens of its caption.
    pub tokens: String,
    /// Scores in the order of the report's; `None` for an item whose shape cannot be used.
    pub scores: Vec<Option<f64>>,
}

impl CaptionScoresReport {
    pub(super) fn new(pairs: &[Pair], tokens: &[CaptionItem]) -> Self {
        let item = |(pair, tokens): (&Pair, &CaptionItem)| ItemScores {
            key: pair.key.clone(),
            tokens: tokens.candidate.clone(),
            scores: Vec::new(),
        };
        Self {
            predictions: pairs.len(),
            references: pairs.iter().map(|pair| pair.references.len()).sum(),
            model: None,
            scores: Vec::new(),
            items: pairs.iter().zip(tokens).map(item).collect(),
            unusable: Vec::new(),
        }
    }

    /// Adds a metric; one score per item.
    pub(super) fn add(&mut self, metric: &'static str, corpus: f64, items: Vec<f64>) {
        self.add_some(metric, corpus, items.into_iter().map(Some).collect());
    }

    /// Adds a metric that some items do not have.
    pub(super) fn add_some(&mut self, metric: &'static str, corpus: f64, items: Vec<Option<f64>>) {
        self.scores.push(MetricScores { metric, corpus });
        self.items.iter_mut().zip(items).for_each(|(item, score)| item.scores.push(score));
    }

    /// The score of all captions in a metric.
    pub fn score(&self, metric: &str) -> Option<f64> {
        self.scores.iter().find(|score| score.metric == metric).map(|score| score.corpus)
    }

    /// Writes the scores of every item to a CSV file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_items(&self, path: &Path) -> Result<(), EvalError> {
        let mut text = String::from("key");
        self.scores.iter().for_each(|score| text.extend([",", score.metric]));
        text.push_str(",tokens\n");
        for item in &self.items {
            text.push_str(&csv_cell(&item.key));
            for score in &item.scores {
                text.push(',');
                text.extend(score.map(|score| score.to_string()));
            }
            text.extend([",", &csv_cell(&item.tokens), "\n"]);
        }
        Ok(write_file(path, text.as_bytes())?)
    }
}

/// Metrics as the keys of an object.
fn as_object<S: Serializer>(scores: &[MetricScores], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(scores.iter().map(|score| (score.metric, score.corpus)))
}
