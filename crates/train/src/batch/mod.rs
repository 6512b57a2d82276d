//! Batches as plain data, before they become tensors on a device.

mod append;
pub(crate) mod sampler;

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::point::{GroupsAhead, PreparedCloud};
use lexiform_model::preprocess::Preprocess;
use rayon::prelude::*;

use crate::loss::BatchLabels;

/// A batch as plain data.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Consecutive rows with equally many views, one for each source of shapes.
    pub segments: Vec<Segment>,
    /// Views of each shape; empty without an image tower, and for shapes that another process encodes.
    pub views: Vec<ShapeViews>,
    /// Prepared clouds, one per shape; empty without a point encoder.
    pub clouds: Vec<PreparedCloud>,
    /// Groups of their points, once it is known how the encoder groups them.
    pub groups: Option<GroupsAhead>,
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

/// Views of a shape as bytes: normalized pixels take four times as much memory, so they are computed for the rows of a forward
/// pass only.
#[derive(Clone, Debug, PartialEq)]
pub struct ShapeViews {
    /// How they become pixels, with the batch's crop.
    pub preprocess: Preprocess,
    /// On white, `[n_views, size, size, 3]`.
    pub bytes: Vec<u8>,
}

impl ShapeViews {
    /// Writes normalized pixels, `[n_views, 3, size, size]`.
    fn normalize(&self, pixels: &mut [f32]) {
        let each = (3 * self.preprocess.size * self.preprocess.size).max(1);
        for (pixels, view) in pixels.chunks_mut(each).zip(self.bytes.chunks(each)) {
            self.preprocess.normalize(view, pixels);
        }
    }
}

/// Consecutive rows of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Number of rows.
    pub rows: usize,
    /// Views per shape.
    pub n_views: usize,
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
    /// The parts of some rows that have equally many views, with that number.
    pub fn segments(&self, rows: Range<usize>) -> Vec<(Range<usize>, usize)> {
        let mut first = 0;
        let mut parts = Vec::with_capacity(self.segments.len());
        for segment in &self.segments {
            let part = rows.start.max(first)..rows.end.min(first + segment.rows);
            if !part.is_empty() {
                parts.push((part, segment.n_views));
            }
            first += segment.rows;
        }
        parts
    }

    /// Number of images of the first `rows` rows.
    pub fn images(&self, rows: usize) -> usize {
        self.segments(0..rows).into_iter().map(|(part, n_views)| part.len() * n_views).sum()
    }

    /// Normalized pixels of some rows of one segment, `[images, 3, size, size]`.
    pub fn pixels(&self, rows: Range<usize>, device: &Device) -> Tensor<4> {
        let size = self.views.get(rows.start).map_or(0, |views| views.preprocess.size);
        let images = self.images(rows.end) - self.images(rows.start);
        let mut values = vec![0.0; images * 3 * size * size];
        let each = (values.len() / rows.len().max(1)).max(1);
        let pairs = values.par_chunks_mut(each).zip(&self.views[rows]);
        pairs.for_each(|(values, views)| views.normalize(values));
        Tensor::from_data(TensorData::new(values, [images, 3, size, size]), device)
    }

    /// Number of shapes.
    pub fn rows(&self) -> usize {
        self.labels.rows()
    }
}
