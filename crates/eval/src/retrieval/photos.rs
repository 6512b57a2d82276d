//! Retrieval with photos of the shapes.

use std::path::PathBuf;

use lexiform_data::shape_csv::{CsvColumn, ShapeCsv};
use lexiform_metrics::Features;
use lexiform_search::{Embedding, Encoder, embed_image_file};

use super::config::PhotoListing;
use super::direction::{Direction, Side, measure_both_directions};
use super::gallery::Gallery;
use crate::entry::Entry;
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::protocol::labels::same_class;
use crate::unusable::UnusableFile;

/// A photo and the shapes that are relevant to it.
pub(super) struct Photo {
    image: PathBuf,
    answers: Vec<usize>,
}

/// The results with photos.
pub(super) struct PhotoDirections {
    /// Photo → shape and shape → photo; empty if no photo is usable.
    pub directions: Vec<Direction>,
    /// Unusable photos.
    pub unusable: Vec<UnusableFile>,
}

/// Retrieves shapes, `[shapes, dim]`, by photos, and photos by shapes.
pub(super) fn directions(
    photos: Vec<Photo>,
    gallery: &Gallery,
    shapes: &Features,
    encoder: &dyn Encoder,
    events: &mut OnEvent<'_>,
) -> Result<PhotoDirections, EvalError> {
    let (mut names, mut rows, mut right, mut unusable) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    events(EvalEvent::Started { steps: photos.len() });
    for Photo { image, answers } in photos {
        let name = image.display().to_string();
        if answers.is_empty() {
            unusable.push(UnusableFile { file: name, reason: "no relevant shape".to_owned() });
            continue;
        }
        match embed_image_file(encoder, &image) {
            Ok(embedding) => {
                events(EvalEvent::Step { item: &name });
                names.push(name);
                rows.push(embedding);
                right.push(answers);
            }
            Err(error) => unusable.push(UnusableFile::from_error(&image, error)?),
        }
    }
    events(EvalEvent::Finished);
    if rows.is_empty() {
        return Ok(PhotoDirections { directions: Vec::new(), unusable });
    }
    let photos = Features::from_rows(rows.iter().map(Embedding::as_slice))?;
    let photos = Side { names: &names, features: &photos };
    let shapes = Side { names: &gallery.names(), features: shapes };
    let directions =
        measure_both_directions(["photo → shape", "shape → photo"], &photos, &shapes, &right)?.into();
    Ok(PhotoDirections { directions, unusable })
}

/// Reads the unique photos with their relevant shapes.
pub(super) fn read(photos: &PhotoListing, gallery: &Gallery) -> Result<Vec<Photo>, EvalError> {
    let PhotoListing { file: path, assets } = photos;
    let listing = ShapeCsv::read(path)?;
    let folder = assets.as_deref().unwrap_or_else(|| listing.folder());
    let has_pictures = listing.has(CsvColumn::Image);
    let shows_files = has_pictures && listing.has(CsvColumn::Shape);
    if !shows_files {
        listing.require_any(&[CsvColumn::Label])?;
    }
    let mut photos: Vec<Photo> = Vec::new();
    for line in &listing.rows {
        let image = folder.join(if has_pictures { &line.image } else { &line.shape });
        if image::ImageFormat::from_path(&image).is_err() {
            continue;
        }
        let is_correct = |e: &Entry| {
            if shows_files {
                e.name == line.shape || e.file == folder.join(&line.shape)
            } else {
                line.label.as_ref().is_some_and(|label| same_class(&e.label, label))
            }
        };
        let right = (0..gallery.shapes.len()).filter(|i| is_correct(&gallery.shapes[*i]));
        match photos.iter_mut().find(|known| known.image == image) {
            // A photo may be listed once per shape that it shows.
            Some(known) => known.answers.extend(right),
            None => photos.push(Photo { image, answers: right.collect() }),
        }
    }
    if photos.is_empty() {
        Err(EvalError::input(format!("{}: expected lines that name images, found none", path.display())))
    } else {
        Ok(photos)
    }
}
