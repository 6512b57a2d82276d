//! What a step learns from, as plain data, and what a recipe says of it.

pub(crate) mod sampler;

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::point::PreparedCloud;

use crate::loss::Labels;

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
    pub clouds: Vec<PreparedCloud>,
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
