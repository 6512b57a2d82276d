//! The table `batch`: what a batch is.

use serde::{Deserialize, Serialize};

/// What a batch is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// How many shapes or images.
    pub size: BatchSize,
    /// Fewest views of a shape; each batch draws a number of views between this and `max_views`.
    #[serde(default = "one")]
    pub min_views: usize,
    /// Most views of a shape.
    #[serde(default = "one")]
    pub max_views: usize,
    /// Whether all shapes of a batch show the same views, by number (Duoduo CLIP).
    #[serde(default)]
    pub same_views: bool,
    /// In which order samples come.
    #[serde(default)]
    pub order: SampleOrder,
    /// Which caption a sample comes with.
    #[serde(default)]
    pub caption_sampling: CaptionSampling,
    /// Batches whose gradients are averaged to one step.
    #[serde(default = "one")]
    pub accumulate_batches: usize,
    /// Shapes that come together because they look alike (OpenShape's second stage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_negatives: Option<HardNegativesConfig>,
}

impl BatchConfig {
    /// Steps in which every one of `samples` comes once.
    pub fn steps_per_epoch(&self, samples: usize) -> usize {
        (samples / (self.size.shapes(self.min_views) * self.accumulate_batches).max(1)).max(1)
    }
}

/// How large a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BatchSize {
    /// So many shapes.
    Shapes(usize),
    /// So many images: with `v` views a batch has `images / v` shapes.
    Images(usize),
}

impl BatchSize {
    /// Shapes of a batch whose shapes have this many views.
    pub fn shapes(self, views: usize) -> usize {
        match self {
            Self::Shapes(shapes) => shapes,
            Self::Images(images) => images / views.max(1),
        }
    }
}

/// In which order samples come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SampleOrder {
    /// Each once an epoch, in another order every time; what does not fill a batch is left out.
    #[default]
    Shuffled,
    /// Each drawn by itself, so that one may come twice.
    WithReplacement,
}

/// Shapes that come together because they look alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardNegativesConfig {
    /// Shapes in a group: a seed and neighbors of it.
    pub group_size: usize,
    /// Neighbors of a seed to draw from.
    pub neighbors: usize,
    /// How much better its own text must fit an image than another's for that one to be a true negative.
    pub margin: f32,
}

/// Which caption a sample comes with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CaptionSampling {
    /// Any of its captions.
    #[default]
    Any,
    /// Its own words; by a fair coin, what a captioning model says; what was retrieved for it: one of each that there is,
    /// then any of these (Duoduo CLIP, OpenShape).
    BySource,
    /// Any that is about one of the views that are shown (ULIP-2); any at all where none is.
    OfView,
}

fn one() -> usize {
    1
}
