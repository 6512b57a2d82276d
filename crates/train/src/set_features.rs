//! Features of a frozen model for the shapes of a data set: those in the set, or computed once into a file of the run that
//! is read row by row.

use std::path::Path;

use image::RgbaImage;
use lexiform_data::{DataError, read_exact_at};
use lexiform_model::Teacher;
use rayon::prelude::*;

use crate::fit::FitError;
use crate::needs::Needs;
use crate::pool::{Picked, Wanted};
use crate::rows_file::{RowsFile, header};
use crate::saying::Saying;
use crate::shape_set::Names;
use crate::stored::Stored;

/// Features of a data set's shapes.
pub(crate) struct SetFeatures {
    /// Width of the features.
    pub dim: usize,
    /// Which of them are asked for.
    pub needs: Needs,
    /// Of each label and the sentences that say it, `[categories, 1 + templates, dim]`; empty where no text is learned from.
    labels: Vec<f32>,
    /// Sentences of a label.
    sentences: usize,
    /// Where those of views and captions are.
    pub rows: Rows,
}

/// Where the features of views and captions are.
pub(crate) enum Rows {
    /// In the set.
    Given,
    /// In a file of the run.
    Computed(FeatureFile),
}

impl SetFeatures {
    /// Takes features from `rows`, and computes those of the labels, which are few.
    pub fn new(
        rows: Rows,
        needs: Needs,
        names: &[Names],
        templates: &[String],
        teacher: &Teacher,
    ) -> Result<Self, FitError> {
        let mut labels = Vec::new();
        if needs.text_features {
            let sentences = names.iter().flat_map(|names| {
                let said = templates.iter().map(|template| template.replace("{}", &names.name));
                std::iter::once(names.name.clone()).chain(said)
            });
            let sentences: Vec<String> = sentences.collect();
            let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
            labels = teacher.texts(&sentences)?;
        }
        let sentences = if needs.text_features { 1 + templates.len() } else { 0 };
        Ok(Self { dim: teacher.dim(), needs, labels, sentences, rows })
    }

    /// Features of all that a label says, `[sentences, dim]`.
    pub fn of_label(&self, category: Option<u32>) -> &[f32] {
        let stride = self.sentences * self.dim;
        let start = category.map_or(self.labels.len(), |category| category as usize * stride);
        self.labels.get(start..start + stride).unwrap_or(&[])
    }
}

/// Rows of features in a `.safetensors` file, shape by shape: of its views, then of its captions.
pub(crate) struct FeatureFile {
    file: std::fs::File,
    /// Where the first row begins.
    start: u64,
    dim: usize,
    /// First row of each shape, and of what would follow the last.
    first: Vec<u64>,
    /// How many of a shape's rows are of captions.
    texts: Vec<u32>,
}

impl FeatureFile {
    /// Opens the file if it is of these shapes and this teacher (`key`); computes and writes it otherwise, showing progress
    /// as (rows done, all rows).
    pub fn open_or_compute(
        path: &Path,
        key: &str,
        teacher: &Teacher,
        stored: &Stored,
        needs: Needs,
        on_progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, FitError> {
        let dim = teacher.dim();
        let views = |at: usize| if needs.image_features { stored.n_views(at) } else { 0 };
        let texts = |at: usize| if needs.text_features { stored.entries[at].captions } else { 0 };
        let texts: Vec<u32> = (0..stored.len()).map(texts).collect();
        let mut first = vec![0];
        for (at, texts) in texts.iter().enumerate() {
            first.push(first[at] + views(at) as u64 + u64::from(*texts));
        }
        let rows = first[stored.len()];
        let header = header(&format!("{} {key}", teacher.model().id()), rows, dim);
        let start = header.len() as u64;
        if !is_of(path, &header, start + rows * dim as u64 * 4)? {
            let at_once = (Teacher::BATCH / stored.look.views.max(1)).max(1);
            let shapes: Vec<usize> = (0..stored.len()).collect();
            let end = |group: &[usize]| first[group[group.len() - 1] + 1] as usize;
            let ends = shapes.chunks(at_once).map(|group| end(group) * dim);
            let (mut file, kept) = RowsFile::open(path, &header, ends)?;
            for group in shapes.chunks(at_once).filter(|group| end(group) * dim > kept) {
                file.push(&computed(group, teacher, stored, needs)?)?;
                on_progress(end(group), rows as usize);
            }
            file.finish(path)?;
        }
        Ok(Self { file: fs_err::File::open(path)?.into_file(), start, dim, first, texts })
    }

    /// Rows of captions of a shape.
    pub fn texts(&self, at: usize) -> usize {
        self.texts[at] as usize
    }

    /// All rows of a shape, `[views + captions, dim]`.
    pub fn read(&self, at: usize) -> Result<Vec<f32>, DataError> {
        let row = self.dim as u64 * 4;
        let mut bytes = vec![0; ((self.first[at + 1] - self.first[at]) * row) as usize];
        read_exact_at(&self.file, &mut bytes, self.start + self.first[at] * row)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }
}

fn is_of(path: &Path, header: &[u8], bytes: u64) -> std::io::Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let file = fs_err::File::open(path)?;
    let mut found = vec![0; header.len()];
    let whole = file.metadata()?.len() == bytes;
    Ok(whole && read_exact_at(file.file(), &mut found, 0).is_ok() && found == header)
}

/// Features of some shapes, in the order of the file.
fn computed(group: &[usize], teacher: &Teacher, stored: &Stored, needs: Needs) -> Result<Vec<f32>, FitError> {
    let wanted = Wanted { pictures: needs.image_features, cloud: false };
    let read = |at: &usize| {
        let views: Vec<usize> = (0..stored.n_views(*at)).collect();
        stored.read(*at, &views, wanted, 0)
    };
    let mut shapes: Vec<Picked> = group.par_iter().map(read).collect::<Result<_, _>>()?;
    let pictures: Vec<Vec<RgbaImage>> = shapes
        .iter_mut()
        .map(|shape| std::mem::take(&mut shape.views).into_iter().map(|view| view.into_owned()).collect())
        .collect();
    let captions = |at: usize, shape: &Picked| -> Vec<String> {
        let count = if needs.text_features { stored.entries[at].captions as usize } else { 0 };
        let said = &shape.sayings[shape.sayings.len().saturating_sub(count)..];
        said.iter().map(|saying: &Saying| saying.text.clone()).collect()
    };
    let captions: Vec<Vec<String>> =
        group.iter().zip(&shapes).map(|(at, shape)| captions(*at, shape)).collect();
    let images = teacher.images(&pictures.concat());
    let words = captions.concat();
    let texts = teacher.texts(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
    let dim = teacher.dim();
    let (mut values, mut image, mut text) = (Vec::new(), images.as_slice(), texts.as_slice());
    for (pictures, captions) in pictures.iter().zip(&captions) {
        let (own, rest) = image.split_at(pictures.len() * dim);
        values.extend(own);
        image = rest;
        let (own, rest) = text.split_at(captions.len() * dim);
        values.extend(own);
        text = rest;
    }
    Ok(values)
}
