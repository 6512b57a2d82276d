//! What a step learns from, as plain data, and what a recipe says of it.

use std::ops::Range;

use burn::tensor::{Bool, Device, Tensor, TensorData};
use lexiform_model::point::Cloud;
use serde::{Deserialize, Serialize};

use crate::loss;
use crate::saying::CaptionRule;

/// What a batch is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchConfig {
    /// How many shapes or images.
    pub size: Size,
    /// Fewest views of a shape; drawn anew for each batch.
    #[serde(default = "one")]
    pub fewest_views: usize,
    /// Most views of a shape.
    #[serde(default = "one")]
    pub most_views: usize,
    /// Whether all shapes of a batch show the same views, by number (Duoduo CLIP).
    #[serde(default)]
    pub same_views: bool,
    /// In which order samples come.
    #[serde(default)]
    pub order: Order,
    /// Which caption a sample comes with.
    #[serde(default)]
    pub captions: CaptionRule,
    /// Batches whose gradients are averaged to one step.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Shapes that come together because they look alike (OpenShape's second stage).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard: Option<HardConfig>,
}

/// How large a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// So many shapes.
    Shapes(usize),
    /// So many images: with `v` views a batch has `images / v` shapes.
    Images(usize),
}

/// In which order samples come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Each once an epoch, in another order every time; what does not fill a batch is left out.
    #[default]
    Shuffled,
    /// Each drawn by itself, so that one may come twice.
    Drawn,
}

/// Shapes that come together because they look alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HardConfig {
    /// Shapes in a group: a seed and neighbors of it.
    pub each: usize,
    /// Neighbors of a seed to draw from.
    pub among: usize,
    /// How much better its own text must fit an image than another's for that one to be a true negative.
    pub margin: f32,
}

fn one() -> usize {
    1
}

impl Size {
    /// Shapes of a batch whose shapes have this many views.
    pub fn shapes(self, views: usize) -> usize {
        match self {
            Self::Shapes(shapes) => shapes,
            Self::Images(images) => images / views.max(1),
        }
    }
}

impl BatchConfig {
    /// Steps in which every one of `samples` comes once.
    pub fn steps_per_epoch(&self, samples: usize) -> usize {
        (samples / (self.size.shapes(self.fewest_views) * self.accumulate).max(1)).max(1)
    }
}

/// What is known of a batch's rows beside their features.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Category of each shape.
    pub categories: Vec<usize>,
    /// Whether the caption is a bare noun.
    pub general: Vec<bool>,
    /// Equal for captions that are the same words.
    pub sayings: Vec<usize>,
    /// Whether there is a caption.
    pub has_text: Vec<bool>,
    /// Group of hard negatives.
    pub groups: Vec<usize>,
    /// By how much a text must fit worse to be a true negative.
    pub margin: f32,
}

impl Labels {
    /// Shapes in the batch.
    pub fn rows(&self) -> usize {
        self.categories.len()
    }

    /// Rows that have a caption.
    pub fn with_text(&self) -> Vec<usize> {
        (0..self.rows()).filter(|row| self.has_text[*row]).collect()
    }

    /// What is known of some of the rows.
    pub fn of_rows(&self, rows: &[usize]) -> Self {
        fn cut<T: Copy>(list: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().filter_map(|row| list.get(*row).copied()).collect()
        }
        Self {
            categories: cut(&self.categories, rows),
            general: cut(&self.general, rows),
            sayings: cut(&self.sayings, rows),
            has_text: cut(&self.has_text, rows),
            groups: cut(&self.groups, rows),
            margin: self.margin,
        }
    }

    /// Pairs whose logits count among hard negatives, by features of images and of texts, `[rows, dim]`; see
    /// [`loss::kept_hard_negatives`].
    pub(crate) fn kept(&self, features: [Tensor<2>; 2], device: &Device) -> Tensor<2, Bool> {
        let [image, text] = features.map(|rows| loss::normalize_rows(rows).without_autodiff());
        let similarity: Vec<f32> = image.matmul(text.transpose()).into_data().iter::<f32>().collect();
        loss::kept_hard_negatives(&self.groups, &similarity, self.margin, device)
    }
}

/// One batch, as plain data.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Views per shape.
    pub views: usize,
    /// Edge of a view in pixels.
    pub size: usize,
    /// Normalized pixels, `[shapes × views, 3, size, size]`; empty where views are not looked at.
    pub pixels: Vec<f32>,
    /// One cloud of each shape; empty where clouds are not looked at.
    pub clouds: Vec<Cloud>,
    /// The caption of each shape; empty where there is none.
    pub captions: Vec<String>,
    /// Features by the teacher, where there is one.
    pub frozen: Option<Frozen>,
    /// What is known of the rows.
    pub labels: Labels,
    /// What chance inside the network follows from.
    pub salt: u64,
    /// One noun of each category.
    pub nouns: Vec<String>,
}

/// Un-normalized features of a batch's shapes by a frozen model.
#[derive(Clone, Debug, Default)]
pub struct Frozen {
    /// Width of the features.
    pub dim: usize,
    /// Mean over the batch's views of each shape, `[shapes, dim]`; empty where nothing is learned from it.
    pub image: Vec<f32>,
    /// Of the caption of each shape, `[shapes, dim]`, zeros where there is none; empty where nothing is learned from it.
    pub text: Vec<f32>,
    /// Of one noun of each category, `[categories, dim]`; empty where nothing is named.
    pub nouns: Vec<f32>,
}

impl Frozen {
    /// Some rows of the images' features, `[rows, dim]`, if there are any.
    pub fn image(&self, rows: Range<usize>, device: &Device) -> Option<Tensor<2>> {
        self.tensor(&self.image, rows, device)
    }

    /// Some rows of the captions' features, `[rows, dim]`, if there are any.
    pub fn text(&self, rows: Range<usize>, device: &Device) -> Option<Tensor<2>> {
        self.tensor(&self.text, rows, device)
    }

    /// Features of the nouns, `[categories, dim]`, if there are any.
    pub fn nouns(&self, device: &Device) -> Option<Tensor<2>> {
        self.tensor(&self.nouns, 0..self.nouns.len() / self.dim.max(1), device)
    }

    fn tensor(&self, values: &[f32], rows: Range<usize>, device: &Device) -> Option<Tensor<2>> {
        let shape = [rows.len(), self.dim];
        let values = values.get(rows.start * self.dim..rows.end * self.dim).filter(|_| !values.is_empty())?;
        Some(Tensor::from_data(TensorData::new(values.to_vec(), shape), device))
    }
}

impl Batch {
    /// Pixels of some rows, `[rows × views, 3, size, size]`.
    pub fn pixels(&self, rows: Range<usize>, device: &Device) -> Tensor<4> {
        let stride = self.views * 3 * self.size * self.size;
        let values = self.pixels[rows.start * stride..rows.end * stride].to_vec();
        let shape = [rows.len() * self.views, 3, self.size, self.size];
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Number of shapes.
    pub fn rows(&self) -> usize {
        self.labels.rows()
    }
}
