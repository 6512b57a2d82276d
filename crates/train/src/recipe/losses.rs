//! The tables `losses.*`: the terms of the loss, which is their weighted sum.

use serde::{Deserialize, Serialize};

use super::param_groups::StepParity;

/// One term of the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossTermConfig {
    /// Loss function.
    pub kind: LossKind,
    /// The two modalities it compares; ignored by `class-text` and `class-head`.
    #[serde(default = "LossTermConfig::default_pair")]
    pub between: [Modality; 2],
    /// Weight in the sum.
    #[serde(default = "LossTermConfig::default_weight")]
    pub weight: f32,
    /// Which non-matching pairs are negatives; contrastive terms only.
    #[serde(default)]
    pub negatives: NegativesMode,
    /// Label smoothing, 0–1; `class-text` and `class-head` only.
    #[serde(default)]
    pub label_smoothing: f32,
    /// Steps in which the term is part of the loss.
    #[serde(default)]
    pub step_parity: StepParity,
}

impl LossTermConfig {
    fn default_pair() -> [Modality; 2] {
        [Modality::Shape, Modality::Text]
    }

    fn default_weight() -> f32 {
        1.0
    }

    /// Whether the term compares shapes with classes, and ignores `between`.
    pub(crate) fn is_of_classes(&self) -> bool {
        matches!(self.kind, LossKind::ClassText | LossKind::ClassHead)
    }

    /// Whether the term compares this modality.
    pub(crate) fn compares(&self, modality: Modality) -> bool {
        !self.is_of_classes() && self.between.contains(&modality)
    }
}

/// Loss function of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Symmetric InfoNCE, as in [CLIP](https://arxiv.org/abs/2103.00020).
    Contrastive,
    /// Symmetric InfoNCE in which all rows with the same caption are positives, as in
    /// [supervised contrastive learning](https://arxiv.org/abs/2004.11362).
    MultiPositive,
    /// [SigLIP](https://arxiv.org/abs/2303.15343): binary classification of every pair.
    Sigmoid,
    /// 1 − mean cosine similarity of matching rows; no negatives.
    Cosine,
    /// Cross entropy of the shape's similarities to the text features of all class names.
    ClassText,
    /// Cross entropy of the classification head's logits.
    ClassHead,
}

/// A modality with features `[rows, dim]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// The shape, encoded by the network in training.
    Shape,
    /// One of its captions.
    Text,
    /// Its views.
    Image,
}

/// Which non-matching pairs are negatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NegativesMode {
    /// All of them.
    #[default]
    All,
    /// All but pairs of the same category where one caption is only the class name, which fits both shapes.
    MaskSameCategory,
    /// Within a group of hard negatives, logits of possibly true texts are set to 0
    /// ([OpenShape](https://arxiv.org/abs/2305.10764)).
    Hard,
}
