//! Computes a teacher's features of the shapes of a data set into a file of the run.

use std::path::Path;

use image::RgbaImage;
use lexiform_formats::read_exact_at;
use rayon::prelude::*;

use crate::data::caption::Saying;
use crate::data::features::dataset::FeatureFile;
use crate::data::features::partial::{RowsFile, header};
use crate::data::on_disk::Stored;
use crate::data::picked::{Picked, Wanted};
use crate::data::requirements::Needs;
use crate::error::FitError;
use lexiform_model::Teacher;

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
