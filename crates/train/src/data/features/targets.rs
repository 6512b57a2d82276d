//! A teacher's features of shapes in memory, computed once: the targets of training.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::weights::{Precision, TensorList, WeightFile};

use super::neighbors::Neighbors;
use super::vectors;
use crate::data::features::partial::{KEY, PartialFeatures, header};
use crate::data::shape_set::{Sample, ShapeSet};
use crate::error::FitError;
use lexiform_model::{ModelError, Teacher};

/// Path of the feature cache.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CachePath<'a> {
    /// In the output folder; overwritten if it has other features.
    Default(&'a Path),
    /// `data.feature_file` of the recipe; never overwritten.
    Explicit(&'a Path),
}

impl<'a> CachePath<'a> {
    fn path(self) -> &'a Path {
        match self {
            CachePath::Default(path) | CachePath::Explicit(path) => path,
        }
    }
}

/// Features of every view and caption, not normalized.
pub struct Targets {
    dim: usize,
    views: usize,
    /// `[samples, views, dim]`.
    image: Vec<f32>,
    /// `[unique captions, dim]`.
    text: Vec<f32>,
    /// Row of `text` by sample and caption.
    caption_rows: Vec<Vec<usize>>,
}

impl Targets {
    /// Reads the cache if its `key` matches, or computes and writes it; views only if `images`. `on_progress` gets
    /// (rows done, rows in total).
    ///
    /// # Errors
    /// If an explicit cache has other features, or files cannot be read or written.
    pub fn open_or_compute(
        cache: CachePath,
        key: &str,
        teacher: &Teacher,
        shapes: &ShapeSet,
        images: bool,
        on_progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, FitError> {
        let (texts, caption_rows) = unique_captions(shapes);
        let key = format!("{} {key}", teacher.model().id());
        let dim = teacher.dim();
        // All shapes have equally many; the minimum is 0 if there are no shapes.
        let views = shapes.samples.iter().map(|sample| sample.views.len()).min().unwrap_or(0);
        let views = if images { views } else { 0 };
        let path = cache.path();
        if path.is_file() {
            match (
                Self::read(path, &key, caption_rows.clone(), Extent { views, texts: texts.len(), dim })?,
                cache,
            ) {
                (Some(found), _) => return Ok(found),
                // The user named this file: it may be valuable.
                (None, CachePath::Explicit(path)) => {
                    return Err(FitError::FeatureMismatch { path: path.to_owned() });
                }
                (None, CachePath::Default(_)) => {}
            }
        }
        let (aside, mut image) =
            Job { path, key: &key, texts: &texts, views }.compute(teacher, shapes, on_progress)?;
        // Images and texts were computed as one table of rows.
        let text = image.split_off(shapes.samples.len() * views * dim);
        let targets = Self { dim, views, image, text, caption_rows };
        targets.write(path, &key)?;
        aside.remove()?;
        Ok(targets)
    }

    /// Reads a cache; `None` if its key differs or it lacks image features.
    fn read(
        path: &Path,
        key: &str,
        caption_rows: Vec<Vec<usize>>,
        Extent { views, texts, dim }: Extent,
    ) -> Result<Option<Self>, FitError> {
        let file = WeightFile::open(path).map_err(ModelError::from)?;
        if file.metadata(KEY) != Some(key) {
            return Ok(None);
        }
        let read = |name: &str, rows: [usize; 2]| -> Result<Vec<f32>, FitError> {
            let (found, expected) = (file.shape(name).map_err(ModelError::from)?, [rows[0], rows[1], dim]);
            if found != expected {
                let message = format!("{name}: features of shape {found:?}, expected {expected:?}");
                return Err(FitError::InvalidFeatures { path: path.to_owned(), message });
            }
            Ok(file.read(name).map_err(ModelError::from)?)
        };
        let found = file.shape("image").map_err(ModelError::from)?.get(1).copied().unwrap_or(0);
        if views > 0 && found == 0 {
            return Ok(None);
        }
        // A cache with unused image features is accepted.
        let views = if views == 0 { found } else { views };
        let (image, text) = (read("image", [caption_rows.len(), views])?, read("text", [1, texts])?);
        Ok(Some(Self { dim, views, image, text, caption_rows }))
    }

    fn write(&self, path: &Path, key: &str) -> Result<(), ModelError> {
        let device = Device::flex();
        let rows = |values: &[f32], shape: [usize; 3]| {
            Tensor::<3>::from_data(TensorData::new(values.to_vec(), shape), &device)
        };
        let samples = self.caption_rows.len();
        let mut list = TensorList::default();
        list.push("image".to_owned(), rows(&self.image, [samples, self.views, self.dim]));
        // With a leading axis of 1, because all tensors of the list have three.
        list.push("text".to_owned(), rows(&self.text, [1, self.text.len() / self.dim.max(1), self.dim]));
        let header = HashMap::from([(KEY.to_owned(), key.to_owned())]);
        list.write(path, Precision::Full, header).map_err(ModelError::from)
    }

    /// Mean over some views of a sample, `[dim]`; empty without image features.
    pub fn image(&self, sample: usize, views: &[usize]) -> Vec<f32> {
        let stride = self.views * self.dim;
        vectors::mean_rows(&self.image[sample * stride..(sample + 1) * stride], self.dim, views)
    }

    /// Memory of all features in bytes.
    pub fn memory_bytes(&self) -> usize {
        (self.image.len() + self.text.len()) * size_of::<f32>()
    }

    /// A caption of a sample, `[dim]`.
    pub fn text(&self, sample: usize, caption: usize) -> &[f32] {
        let start = self.caption_rows[sample][caption] * self.dim;
        &self.text[start..start + self.dim]
    }

    /// Nearest neighbors of the samples by mean image feature, at most `count` of each.
    pub fn neighbors(&self, count: usize) -> Neighbors {
        let stride = self.views * self.dim;
        let unit_row = |sample: usize| {
            let views = &self.image[sample * stride..(sample + 1) * stride];
            Ok::<_, std::convert::Infallible>(vectors::unit_mean(views, self.dim))
        };
        match Neighbors::new(self.caption_rows.len(), self.dim, count, unit_row) {
            Ok(neighbors) => neighbors,
        }
    }
}

/// Numbers of features: views per shape, unique texts, and width.
#[derive(Clone, Copy)]
struct Extent {
    views: usize,
    texts: usize,
    dim: usize,
}

/// Features to compute.
struct Job<'a> {
    path: &'a Path,
    key: &'a str,
    texts: &'a [&'a str],
    views: usize,
}

/// A forward pass.
enum Chunk<'a> {
    Views(&'a [Sample]),
    Texts(&'a [&'a str]),
}

impl Chunk<'_> {
    fn rows(&self, views: usize) -> usize {
        match self {
            Self::Views(shapes) => shapes.len() * views,
            Self::Texts(texts) => texts.len(),
        }
    }

    fn features(&self, teacher: &Teacher, views: usize) -> Result<Vec<f32>, ModelError> {
        match self {
            Self::Views(shapes) => {
                let pictures = shapes.iter().flat_map(|shape| shape.views.iter().take(views).cloned());
                Ok(teacher.images(&pictures.collect::<Vec<_>>()))
            }
            Self::Texts(texts) => teacher.texts(texts),
        }
    }
}

impl Job<'_> {
    /// Computes the features of all views, then of all texts; also returns their file, to be deleted once they are written.
    fn compute(
        &self,
        teacher: &Teacher,
        shapes: &ShapeSet,
        on_progress: &mut dyn FnMut(usize, usize),
    ) -> Result<(PartialFeatures, Vec<f32>), FitError> {
        let Self { path, key, texts, views } = *self;
        let dim = teacher.dim();
        let with_views = if views == 0 { &[] } else { shapes.samples.as_slice() };
        let of_views = with_views.chunks((Teacher::BATCH / views.max(1)).max(1)).map(Chunk::Views);
        let parts: Vec<Chunk> = of_views.chain(texts.chunks(Teacher::BATCH).map(Chunk::Texts)).collect();
        // Cumulative rows after each chunk.
        let ends = parts.iter().scan(0, |done, part| {
            *done += part.rows(views);
            Some(*done)
        });
        let ends: Vec<usize> = ends.collect();
        let all = ends.last().copied().unwrap_or(0);
        let header = header(key, all as u64, dim);
        let (mut file, kept) = PartialFeatures::open(path, &header, ends.iter().map(|end| end * dim))?;
        // Chunks of an interrupted run are skipped.
        for (part, end) in parts.iter().zip(&ends).filter(|(_, end)| **end * dim > kept) {
            let values = part.features(teacher, views)?;
            file.push(&values)?;
            on_progress(*end, all);
        }
        let values = file.read(all * dim)?;
        Ok((file, values))
    }
}

/// Unique captions, and the index of each caption of each sample.
fn unique_captions(shapes: &ShapeSet) -> (Vec<&str>, Vec<Vec<usize>>) {
    let mut texts = Vec::new();
    let mut rows = HashMap::new();
    let caption_rows = shapes.samples.iter().map(|sample| {
        let row = sample.captions.iter().map(|caption| {
            // Class names and templates repeat over many shapes; each text is encoded once.
            *rows.entry(caption.text.as_str()).or_insert_with(|| {
                texts.push(caption.text.as_str());
                texts.len() - 1
            })
        });
        row.collect()
    });
    let caption_rows = caption_rows.collect();
    (texts, caption_rows)
}
