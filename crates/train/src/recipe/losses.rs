//! The tables `losses.*`: terms whose weighted sum is the loss.

use serde::{Deserialize, Serialize};

use super::param_groups::StepParity;

/// One term of the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LossTermConfig {
    /// What it asks for.
    pub kind: LossKind,
    /// The two features it compares; naming compares shapes with nouns.
    #[serde(default = "LossTermConfig::default_pair")]
    pub between: [Modality; 2],
    /// Factor in the sum.
    #[serde(default = "LossTermConfig::default_weight")]
    pub weight: f32,
    /// What pairs that are no match do, in a contrastive term.
    #[serde(default)]
    pub negatives: NegativesMode,
    /// Mass spread over wrong categories when naming.
    #[serde(default)]
    pub label_smoothing: f32,
    /// In which steps it counts.
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

    /// Whether it compares this feature.
    pub(crate) fn compares(&self, feature: Modality) -> bool {
        !matches!(self.kind, LossKind::ClassText | LossKind::ClassHead) && self.between.contains(&feature)
    }
}

/// What a term asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Symmetric InfoNCE: the match is the most similar of the batch.
    Contrastive,
    /// The same, where rows that say the same are all matches.
    MultiPositive,
    /// SigLIP, https://arxiv.org/abs/2303.15343: each pair is a binary classification, match or not.
    Sigmoid,
    /// Each points where its match does; nothing is pushed apart: one less the mean cosine.
    Cosine,
    /// The shape's category is the most similar of all categories' nouns.
    ClassText,
    /// The shape's category is what the network's head says.
    ClassHead,
}

/// A kind of features, `[rows, dim]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// Of the shape, from the encoder that is trained.
    Shape,
    /// Of one of its captions.
    Text,
    /// Of its views as pictures.
    Image,
}

/// What pairs that are no match do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NegativesMode {
    /// All push apart.
    #[default]
    All,
    /// Shapes of the same category do not push where one of the captions is a bare noun.
    MaskSameCategory,
    /// Within a group of hard negatives, those whose text may be true as well have logit 0 (OpenShape).
    Hard,
}
