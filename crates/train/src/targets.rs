//! Features of a frozen model, computed once: what the papers learn towards.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::weights::{Precision, TensorList, WeightFile};
use lexiform_model::{JointModel, ModelError};

use crate::batch::Batch;
use crate::shape_set::ShapeSet;

/// Key of the header entry that says what the features are of.
const KEY: &str = "lexiform-features";
/// Images or texts that pass a tower at once.
const AT_ONCE: usize = 48;

/// Un-normalized features of every view and every caption of a set of shapes.
pub struct Targets {
    dim: usize,
    views: usize,
    /// `[samples, views, dim]`.
    image: Vec<f32>,
    /// `[distinct captions, dim]`.
    text: Vec<f32>,
    /// Row of `text` of each caption of each sample.
    said: Vec<Vec<usize>>,
}

impl Targets {
    /// Reads the file if it is of this teacher and these shapes (`key`), otherwise computes the features (those of
    /// views if `images` are asked for), shows progress as (done, all), and writes it.
    pub fn open_or_compute(
        path: &Path,
        key: &str,
        teacher: &JointModel,
        shapes: &ShapeSet,
        images: bool,
        on_progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, ModelError> {
        let (texts, said) = distinct(shapes);
        let key = format!("{} {key}", teacher.id());
        if let Some(found) = Self::read(path, &key, said.clone())? {
            return Ok(found);
        }
        let device = Device::flex();
        let views = shapes.samples.iter().map(|sample| sample.views.len()).min().unwrap_or(0);
        let views = if images { views } else { 0 };
        let (images, all) = (shapes.samples.len() * views, shapes.samples.len() * views + texts.len());
        let mut image = Vec::with_capacity(images * teacher.dim());
        let with_views = if views == 0 { &[] } else { shapes.samples.as_slice() };
        for chunk in with_views.chunks((AT_ONCE / views.max(1)).max(1)) {
            let pictures: Vec<_> = chunk.iter().flat_map(|s| s.views.iter().take(views).cloned()).collect();
            image.extend(image_features(teacher, &pictures, &device));
            on_progress(image.len() / teacher.dim(), all);
        }
        let mut text = Vec::new();
        for chunk in texts.chunks(AT_ONCE) {
            text.extend(text_features(teacher, chunk, &device));
            on_progress(images + text.len() / teacher.dim(), all);
        }
        let targets = Self { dim: teacher.dim(), views, image, text, said };
        targets.write(path, &key)?;
        Ok(targets)
    }

    fn read(path: &Path, key: &str, said: Vec<Vec<usize>>) -> Result<Option<Self>, ModelError> {
        if !path.is_file() {
            return Ok(None);
        }
        let file = WeightFile::open(path)?;
        if file.metadata(KEY) != Some(key) {
            return Ok(None);
        }
        let [_, views, dim] = *file.shape("image")? else { return Ok(None) };
        let (image, text) = (file.read("image")?, file.read("text")?);
        Ok(Some(Self { dim, views, image, text, said }))
    }

    fn write(&self, path: &Path, key: &str) -> Result<(), ModelError> {
        let device = Device::flex();
        let rows = |values: &[f32], shape: [usize; 3]| {
            Tensor::<3>::from_data(TensorData::new(values.to_vec(), shape), &device)
        };
        let samples = self.said.len();
        let mut list = TensorList::default();
        list.push("image".to_owned(), rows(&self.image, [samples, self.views, self.dim]));
        list.push("text".to_owned(), rows(&self.text, [1, self.text.len() / self.dim.max(1), self.dim]));
        let header = HashMap::from([(KEY.to_owned(), key.to_owned())]);
        list.write(path, Precision::Full, header).map_err(ModelError::from)
    }

    /// Mean over the batch's views of each sample's image features, `[rows, dim]`. The mean is of un-normalized
    /// features, as Duoduo CLIP's.
    pub fn image(&self, batch: &Batch, rows: Range<usize>, device: &Device) -> Tensor<2> {
        let mut values = Vec::with_capacity(rows.len() * self.dim);
        for row in rows.clone() {
            let (sample, views) = (batch.samples[row], &batch.chosen[row]);
            let mut mean = vec![0.0f32; self.dim];
            for view in views {
                let start = (sample * self.views + view) * self.dim;
                mean.iter_mut().zip(&self.image[start..start + self.dim]).for_each(|(m, x)| *m += x);
            }
            values.extend(mean.into_iter().map(|x| x / views.len().max(1) as f32));
        }
        Tensor::from_data(TensorData::new(values, [rows.len(), self.dim]), device)
    }

    /// Features of the batch's captions, `[rows, dim]`.
    pub fn text(&self, batch: &Batch, rows: Range<usize>, device: &Device) -> Tensor<2> {
        let count = rows.len();
        let values = rows.flat_map(|row| {
            let start = self.said[batch.samples[row]][batch.said[row]] * self.dim;
            self.text[start..start + self.dim].iter().copied()
        });
        Tensor::from_data(TensorData::new(values.collect::<Vec<f32>>(), [count, self.dim]), device)
    }

    /// For each sample the others, nearest first by the mean of its image features, at most `count`.
    pub fn neighbors(&self, count: usize) -> Vec<Vec<usize>> {
        let means: Vec<Vec<f32>> = (0..self.said.len()).map(|sample| self.direction(sample)).collect();
        let near = |i: usize| {
            let mut others: Vec<(f32, usize)> = (0..means.len())
                .filter(|j| *j != i)
                .map(|j| (means[i].iter().zip(&means[j]).map(|(a, b)| a * b).sum(), j))
                .collect();
            others.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            others.into_iter().take(count).map(|(_, j)| j).collect()
        };
        use rayon::prelude::*;
        (0..means.len()).into_par_iter().map(near).collect()
    }

    fn direction(&self, sample: usize) -> Vec<f32> {
        let mut sum = vec![0.0f32; self.dim];
        for view in self.image[sample * self.views * self.dim..].chunks(self.dim).take(self.views) {
            sum.iter_mut().zip(view).for_each(|(s, x)| *s += x);
        }
        let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
        sum.into_iter().map(|x| x / norm).collect()
    }
}

/// Where a run keeps the features.
pub fn usual_path(out: &Path, round: u64) -> PathBuf {
    out.join(if round == 0 {
        "features.safetensors".to_owned()
    } else {
        format!("features-{round}.safetensors")
    })
}

/// Every caption once, and which of them each sample's captions are.
fn distinct(shapes: &ShapeSet) -> (Vec<&str>, Vec<Vec<usize>>) {
    let mut texts = Vec::new();
    let mut rows = HashMap::new();
    let said = shapes.samples.iter().map(|sample| {
        let row = sample.captions.iter().map(|caption| {
            *rows.entry(caption.as_str()).or_insert_with(|| {
                texts.push(caption.as_str());
                texts.len() - 1
            })
        });
        row.collect()
    });
    let said = said.collect();
    (texts, said)
}

fn image_features(teacher: &JointModel, pictures: &[image::RgbaImage], device: &Device) -> Vec<f32> {
    let preprocess = teacher.config().preprocess;
    // A teacher sees whole pictures: OpenCLIP's transform of a square one is the identity.
    let preprocess =
        lexiform_model::preprocess::Preprocess { crop: lexiform_model::preprocess::Crop::None, ..preprocess };
    let shape = [pictures.len(), 3, preprocess.size, preprocess.size];
    let pixels = Tensor::<4>::from_data(TensorData::new(preprocess.views(pictures), shape), device);
    let features = teacher.vision().encode(pixels, 1, teacher.config().joint_from);
    features.into_data().iter::<f32>().collect()
}

fn text_features(teacher: &JointModel, texts: &[&str], device: &Device) -> Vec<f32> {
    let config = teacher.config();
    let tokens = config.tokenizer.encode(texts, config.clip.text.context).trimmed();
    teacher.text().encode(&tokens).to_device(device).into_data().iter::<f32>().collect()
}
