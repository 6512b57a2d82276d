//! Computes a teacher's features of a data set's shapes into a cache file.

use std::path::Path;

use image::RgbaImage;
use lexiform_formats::read_exact_at;
use rayon::prelude::*;

use crate::data::caption::Caption;
use crate::data::features::dataset::FeatureFile;
use crate::data::features::partial::{PartialFeatures, header};
use crate::data::loaded_shape::{LoadFields, LoadedShape};
use crate::data::on_disk::OnDiskPool;
use crate::data::requirements::DataRequirements;
use crate::error::FitError;
use lexiform_model::Teacher;

impl FeatureFile {
    /// Opens the cache if its `key` matches, or computes it; `on_progress` gets (rows done, rows in total).
    ///
    /// # Errors
    /// If shapes cannot be read or encoded, or the file cannot be read or written.
    pub fn open_or_compute(
        path: &Path,
        key: &str,
        teacher: &Teacher,
        pool: &OnDiskPool,
        requirements: DataRequirements,
        on_progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self, FitError> {
        let dim = teacher.dim();
        let views = |at: usize| if requirements.image_features { pool.n_views(at) } else { 0 };
        let texts = |at: usize| if requirements.text_features { pool.entries[at].captions } else { 0 };
        let texts: Vec<u32> = (0..pool.len()).map(texts).collect();
        // Prefix sums: shapes have different numbers of rows.
        let mut first = vec![0];
        for (at, texts) in texts.iter().enumerate() {
            first.push(first[at] + views(at) as u64 + u64::from(*texts));
        }
        let rows = first[pool.len()];
        let header = header(&format!("{} {key}", teacher.model().id()), rows, dim);
        let start = header.len() as u64;
        if !is_of(path, &header, start + rows * dim as u64 * 4)? {
            // As many shapes as fill a forward pass of the teacher.
            let at_once = (Teacher::BATCH / pool.options.views.max(1)).max(1);
            let shapes: Vec<usize> = (0..pool.len()).collect();
            let end = |group: &[usize]| first[group[group.len() - 1] + 1] as usize;
            let ends = shapes.chunks(at_once).map(|group| end(group) * dim);
            let (mut file, kept) = PartialFeatures::open(path, &header, ends)?;
            for group in shapes.chunks(at_once).filter(|group| end(group) * dim > kept) {
                file.push(&computed(group, teacher, pool, requirements)?)?;
                on_progress(end(group), rows as usize);
            }
            file.finish(path)?;
        }
        Ok(Self { file: fs_err::File::open(path)?.into_file(), start, dim, first, texts })
    }
}

fn is_of(path: &Path, header: &[u8], bytes: u64) -> std::io::Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    let file = fs_err::File::open(path)?;
    let mut found = vec![0; header.len()];
    // A truncated file is computed again.
    let whole = file.metadata()?.len() == bytes;
    Ok(whole && read_exact_at(file.file(), &mut found, 0).is_ok() && found == header)
}

/// Features of some shapes, in the order of the file: views, then captions.
fn computed(
    group: &[usize],
    teacher: &Teacher,
    pool: &OnDiskPool,
    requirements: DataRequirements,
) -> Result<Vec<f32>, FitError> {
    let fields = LoadFields { images: requirements.image_features, ..LoadFields::default() };
    let read = |at: &usize| {
        let views: Vec<usize> = (0..pool.n_views(*at)).collect();
        pool.read(*at, &views, fields, 0)
    };
    let mut shapes: Vec<LoadedShape> = group.par_iter().map(read).collect::<Result<_, _>>()?;
    let pictures: Vec<Vec<RgbaImage>> = shapes
        .iter_mut()
        .map(|shape| std::mem::take(&mut shape.views).into_iter().map(|view| view.into_owned()).collect())
        .collect();
    // The data set's captions come last, after the label and its class sentences, which are encoded once per label.
    let captions = |at: usize, shape: &LoadedShape| -> Vec<String> {
        let count = if requirements.text_features { pool.entries[at].captions as usize } else { 0 };
        let said = &shape.captions[shape.captions.len().saturating_sub(count)..];
        said.iter().map(|caption: &Caption| caption.text.clone()).collect()
    };
    let captions: Vec<Vec<String>> =
        group.iter().zip(&shapes).map(|(at, shape)| captions(*at, shape)).collect();
    // One forward pass for the whole group; its rows are then interleaved by shape.
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
