//! Published results, each with its source.

use serde::Serialize;

use super::benchmark::{Benchmark, Paper};

/// One published result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PublishedResult {
    /// The benchmark.
    pub benchmark: Benchmark,
    /// The paper with the protocol.
    pub paper: Paper,
    /// Whether the authors of the protocol published it for their own model.
    pub by_authors: bool,
    /// The model and what it was trained on.
    pub model: &'static str,
    /// The metrics.
    pub values: PublishedMetrics,
    /// Where it is published.
    pub source: &'static str,
}

/// Metrics in percent; `None` if not published.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "measure")]
pub enum PublishedMetrics {
    /// Zero-shot top-k accuracy.
    ZeroShot {
        /// Overall accuracy.
        top_1: f64,
        /// Top-3 accuracy.
        top_3: Option<f64>,
        /// Top-5 accuracy.
        top_5: Option<f64>,
    },
    /// Zero-shot overall and mean class accuracy.
    OverallAndMeanClass {
        /// Overall accuracy.
        overall_accuracy: f64,
        /// Mean class accuracy.
        mean_class_accuracy: f64,
    },
    /// Fine-tuned on the training split of the benchmark.
    FineTuned {
        /// Overall accuracy.
        overall_accuracy: f64,
        /// Mean class accuracy.
        mean_class_accuracy: Option<f64>,
        /// Whether several augmentations vote.
        vote: bool,
    },
    /// Retrieval.
    Retrieval {
        /// RR@1: captions whose top result is relevant.
        rr_1: f64,
    },
}

impl PublishedMetrics {
    /// Whether this is a zero-shot result.
    pub fn is_zero_shot(&self) -> bool {
        matches!(self, Self::ZeroShot { .. } | Self::OverallAndMeanClass { .. })
    }

    /// Whether this is a fine-tuning result.
    pub fn is_fine_tuned(&self) -> bool {
        matches!(self, Self::FineTuned { .. })
    }

    /// Whether this is a retrieval result.
    pub fn is_retrieval(&self) -> bool {
        matches!(self, Self::Retrieval { .. })
    }

    /// A short description.
    pub fn describe(self) -> String {
        let or_dash = |x: Option<f64>| x.map_or("–".to_owned(), |x| format!("{x:.1}"));
        match self {
            Self::ZeroShot { top_1, top_3, top_5 } => {
                format!("top-1 / 3 / 5: {top_1:.1} / {} / {}", or_dash(top_3), or_dash(top_5))
            }
            Self::OverallAndMeanClass { overall_accuracy, mean_class_accuracy } => {
                format!("overall / mean class accuracy: {overall_accuracy:.1} / {mean_class_accuracy:.1}")
            }
            Self::FineTuned { overall_accuracy, mean_class_accuracy, vote } => {
                let vote = if vote { ", with voting" } else { "" };
                format!(
                    "fine-tuned, overall / mean class accuracy: {overall_accuracy:.1} / {}{vote}",
                    or_dash(mean_class_accuracy)
                )
            }
            Self::Retrieval { rr_1 } => format!("RR@1: {rr_1:.2}"),
        }
    }
}
