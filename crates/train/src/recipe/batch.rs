//! The table `batch`: batch size and sampling.

use serde::{Deserialize, Serialize};

use super::skip_if;

/// Batch size and sampling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// Batch size in shapes or images.
    pub size: BatchSize,
    /// Minimum number of views per shape; each batch samples a number between this and `max_views`.
    #[serde(default = "one")]
    pub min_views: usize,
    /// Maximum number of views per shape.
    #[serde(default = "one")]
    pub max_views: usize,
    /// Use the same view indices for all shapes of a batch ([Duoduo CLIP](https://arxiv.org/abs/2406.11579)).
    #[serde(default)]
    pub same_views: bool,
    /// Sampling order.
    #[serde(default)]
    pub order: SampleOrder,
    /// Which of a shape's captions to sample.
    #[serde(default)]
    pub caption_sampling: CaptionSampling,
    /// Shapes of the same category in a row, so that captions must tell them apart by more than the category: each sampled shape
    /// is followed by this many − 1 random ones of its category. 1: shapes are sampled whatever their category.
    #[serde(default = "one", skip_serializing_if = "skip_if::is_one")]
    pub same_category: usize,
    /// Gradient accumulation: batches per optimizer step, whose gradients are averaged. Shapes are negatives only within their
    /// batch; for more negatives in the same memory use `chunk_size`.
    #[serde(default = "one")]
    pub accumulate_batches: usize,
    /// Compute each batch in chunks of at most this many shapes or images, per device. The loss is still that of the whole
    /// batch (cached gradients, [GradCache](https://arxiv.org/abs/2101.06983)), and so are the gradients up to rounding;
    /// memory for activations is that of one chunk, and a step takes one more forward pass. Each of the `accumulate_batches`
    /// is a contrastive batch of its own, which this does not change. Batch norms use the statistics of each chunk, as they use
    /// those of each device. Default: no chunks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_size: Option<BatchSize>,
    /// Probability of using the stored feature of a shape's thumbnail, if it has one, instead of that of its views, 0–1
    /// ([OpenShape](https://arxiv.org/abs/2305.10764)).
    #[serde(default, skip_serializing_if = "skip_if::is_zero_fraction")]
    pub thumbnail_probability: f32,
    /// Groups of similar shapes as hard negatives ([OpenShape](https://arxiv.org/abs/2305.10764), second stage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_negatives: Option<HardNegativesConfig>,
}

impl BatchConfig {
    /// Optimizer steps per epoch of `samples` shapes, at least 1.
    pub fn steps_per_epoch(&self, samples: usize) -> usize {
        // With a random number of views the batch holds most shapes at `min_views`; an epoch is counted in those, so that
        // no shape comes twice within it.
        (samples / (self.size.shapes(self.min_views) * self.accumulate_batches).max(1)).max(1)
    }
}

/// A batch size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchSize {
    /// Number of shapes.
    Shapes(usize),
    /// Number of images: a batch with `v` views per shape holds `images / v` shapes.
    Images(usize),
}

impl BatchSize {
    /// Number of shapes in a batch with `views` views per shape.
    pub fn shapes(self, views: usize) -> usize {
        match self {
            Self::Shapes(shapes) => shapes,
            Self::Images(images) => images / views.max(1),
        }
    }
}

/// Sampling order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleOrder {
    /// Each shape once per epoch, reshuffled every epoch; the last incomplete batch is dropped.
    #[default]
    Shuffled,
    /// Independent samples: a shape may be in a batch more than once.
    WithReplacement,
}

/// Groups of similar shapes as hard negatives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardNegativesConfig {
    /// Shapes per group: an anchor and some of its nearest neighbors.
    pub group_size: usize,
    /// Number of nearest neighbors to sample from.
    pub neighbors: usize,
    /// Margin: another shape's text is a negative if the image's similarity to its own text is larger by more than this.
    pub margin: f32,
}

/// Which of a shape's captions to sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptionSampling {
    /// Uniformly from all captions.
    #[default]
    Any,
    /// Uniformly from one caption of each source: the shape's own text, a machine caption, and a retrieved text, as
    /// [Duoduo CLIP](https://arxiv.org/abs/2406.11579) and [OpenShape](https://arxiv.org/abs/2305.10764). A coin chooses
    /// between BLIP's and Microsoft's caption; a shape that lacks the chosen one has no machine caption in this batch.
    /// Labels of a data set are captions only of shapes without any other.
    BySource,
    /// Uniformly from the captions of the batch's views ([ULIP-2](https://arxiv.org/abs/2305.08275)); from all captions if
    /// there are none.
    OfView,
    /// The mean feature of all captions of the batch's views, not normalized, as Duoduo CLIP's MVImgNet; one caption of the
    /// shape if there are none.
    ViewMean,
    /// The mean of the unit features of the `k` captions most similar to the image, among those of the batch's views:
    /// ULIP-2's ablation of top-k captions, `{ top-k = 3 }`.
    TopK(usize),
}

fn one() -> usize {
    1
}
