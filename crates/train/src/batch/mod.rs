//! Batches as plain data, before they become tensors on a device.

pub(crate) mod sampler;

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::point::PreparedCloud;
use lexiform_model::preprocess::Preprocess;

use crate::loss::BatchLabels;

/// A batch as plain data.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Views per shape.
    pub n_views: usize,
    /// How views become pixels, with the batch's crop; `None` without an image tower.
    pub preprocess: Option<Preprocess>,
    /// Views of each shape as bytes, on white, `[n_views, size, size, 3]`: normalized pixels take four times as much memory,
    /// so they are computed for the rows of a forward pass only. Empty without an image tower.
    pub views: Vec<Vec<u8>>,
    /// Prepared clouds, one per shape; empty without a point encoder.
    pub clouds: Vec<PreparedCloud>,
    /// One caption per shape; empty if it has none.
    pub captions: Vec<String>,
    /// Features of the teacher, if any.
    pub teacher: Option<TeacherFeatures>,
    /// Labels of the rows.
    pub labels: BatchLabels,
    /// Seed of dropout and stochastic depth.
    pub seed: u64,
    /// One name or synonym of each category.
    pub class_names: Vec<String>,
}

/// A frozen teacher's features of a batch, not normalized. Parts that no loss term uses are empty.
#[derive(Clone, Debug, Default)]
pub struct TeacherFeatures {
    /// Width of the features.
    pub dim: usize,
    /// Mean over the batch's views of each shape, `[shapes, dim]`.
    pub image: Vec<f32>,
    /// Caption of each shape, `[shapes, dim]`; zeros without a caption.
    pub text: Vec<f32>,
    /// Class name of each category, `[categories, dim]`.
    pub class_text: Vec<f32>,
}

impl TeacherFeatures {
    /// Image features of some rows, `[rows, dim]`, if any.
    pub fn image(&self, rows: Range<usize>, device: &Device) -> Option<Tensor<2>> {
        self.tensor(&self.image, rows, device)
    }

    /// Caption features of some rows, `[rows, dim]`, if any.
    pub fn text(&self, rows: Range<usize>, device: &Device) -> Option<Tensor<2>> {
        self.tensor(&self.text, rows, device)
    }

    /// Class name features, `[categories, dim]`, if any.
    pub fn class_text(&self, device: &Device) -> Option<Tensor<2>> {
        self.tensor(&self.class_text, 0..self.class_text.len() / self.dim.max(1), device)
    }

    fn tensor(&self, values: &[f32], rows: Range<usize>, device: &Device) -> Option<Tensor<2>> {
        // `get` fails on an empty table: then there are no features of this kind.
        let shape = [rows.len(), self.dim];
        let values = values.get(rows.start * self.dim..rows.end * self.dim).filter(|_| !values.is_empty())?;
        Some(Tensor::from_data(TensorData::new(values.to_vec(), shape), device))
    }
}

impl Batch {
    /// Normalized pixels of some rows, `[rows × n_views, 3, size, size]`; `None` without an image tower.
    pub fn pixels(&self, rows: Range<usize>, device: &Device) -> Option<Tensor<4>> {
        let preprocess = self.preprocess?;
        let size = preprocess.size;
        let views: Vec<&[u8]> =
            self.views[rows].iter().flat_map(|views| views.chunks(3 * size * size)).collect();
        let shape = [views.len(), 3, size, size];
        Some(Tensor::from_data(TensorData::new(preprocess.normalize_views(&views), shape), device))
    }

    /// Number of shapes.
    pub fn rows(&self) -> usize {
        self.labels.rows()
    }
}
