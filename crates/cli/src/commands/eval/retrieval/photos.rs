//! Photos of the shapes of a gallery.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use lexiform_data::listing::{Column, Listing};
use lexiform_eval::Features;
use lexiform_eval::protocol::labels::same_class;
use lexiform_search::{Embedding, Encoder, embed_picture};

use super::directions::{Direction, both_ways};
use super::gallery::Gallery;
use crate::commands::classify::failure;
use crate::commands::eval::data::Entry;
use crate::progress::Progress;

/// Photo → shape and shape → photo, with the photos of a table; those that cannot be used are added to `failed`.
pub fn directions(
    photos: Vec<(PathBuf, Vec<usize>)>,
    gallery: &Gallery,
    shapes: &Features,
    encoder: &dyn Encoder,
    failed: &mut Vec<(String, String)>,
) -> anyhow::Result<Vec<Direction>> {
    let progress = Progress::new(photos.len());
    let (mut names, mut rows, mut right) = (Vec::new(), Vec::new(), Vec::new());
    for (image, answers) in photos {
        let name = image.display().to_string();
        if answers.is_empty() {
            failed.push((name, "no shape is a right answer".to_owned()));
            continue;
        }
        match embed_picture(encoder, &image) {
            Ok(embedding) => {
                progress.step(&name);
                names.push(name);
                rows.push(embedding);
                right.push(answers);
            }
            Err(error) => failed.push(failure(&image, error)?),
        }
    }
    drop(progress);
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let photos = Features::from_rows(rows.iter().map(Embedding::as_slice))?;
    both_ways(["photo → shape", "shape → photo"], (&names, &photos), (&gallery.names(), shapes), &right)
}

/// Photos, each once, with the shapes that are right answers.
pub fn read(
    path: &Path,
    assets: Option<&Path>,
    gallery: &Gallery,
) -> anyhow::Result<Vec<(PathBuf, Vec<usize>)>> {
    let listing = Listing::read(path)?;
    let folder = assets.unwrap_or_else(|| listing.folder());
    let has_pictures = listing.has(Column::Picture);
    let shows_files = has_pictures && listing.has(Column::Shape);
    if !shows_files {
        listing.expect(&[Column::Label])?;
    }
    let mut photos: Vec<(PathBuf, Vec<usize>)> = Vec::new();
    for line in &listing.lines {
        let photo = folder.join(if has_pictures { &line.picture } else { &line.shape });
        if image::ImageFormat::from_path(&photo).is_err() {
            continue;
        }
        let is_right = |e: &Entry| match shows_files {
            true => e.name == line.shape || e.file == folder.join(&line.shape),
            false => line.label.as_ref().is_some_and(|label| same_class(&e.label, label)),
        };
        let right = (0..gallery.shapes.len()).filter(|i| is_right(&gallery.shapes[*i]));
        match photos.iter_mut().find(|(known, _)| *known == photo) {
            Some((_, known)) => known.extend(right),
            None => photos.push((photo, right.collect())),
        }
    }
    ensure!(!photos.is_empty(), "{}: no line names a picture", path.display());
    Ok(photos)
}
