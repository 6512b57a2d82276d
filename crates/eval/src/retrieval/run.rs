//! Retrieval with one model.

use std::collections::HashMap;

use lexiform_metrics::Features;
use lexiform_search::{Encoder, InputSpec};

use super::config::RetrievalConfig;
use super::direction::Direction;
use super::gallery::Gallery;
use super::photos;
use crate::embed::{Embedded, ViewSelection, embed_entries};
use crate::error::EvalError;
use crate::event::OnEvent;
use crate::feature_arrays::FeatureFile;
use crate::feature_file;
use crate::protocol::ShapeInput;
use crate::text_features::{PLACEHOLDER, embed_texts, sentences};
use crate::unusable::UnusableFile;

/// The results of one model; without directions if no shape could be used.
pub(super) struct Run {
    /// The model.
    pub model: String,
    /// Shapes that it could use.
    pub shapes: usize,
    /// Its directions.
    pub directions: Vec<Direction>,
    /// Files that it could not use.
    pub unusable: Vec<UnusableFile>,
}

/// Retrieval with precomputed features of shapes and captions.
pub(super) fn from_features(shapes: &str, captions: &str, gallery: &Gallery) -> Result<Run, EvalError> {
    let shape_rows = reorder_by_name(&gallery.names(), shapes, "files")?;
    let caption_rows = reorder_by_name(&gallery.captions, captions, "texts")?;
    let directions = gallery.directions(&shape_rows, &caption_rows)?.into();
    let (model, shapes) = (shapes.to_owned(), gallery.shapes.len());
    Ok(Run { model, shapes, directions, unusable: Vec::new() })
}

/// Retrieval with a model, which embeds everything without precomputed features.
pub(super) fn with_model(
    config: &RetrievalConfig,
    encoder: &dyn Encoder,
    mut gallery: Gallery,
    events: &mut OnEvent<'_>,
) -> Result<Run, EvalError> {
    let mut unusable = Vec::new();
    let shapes = match &config.features {
        Some(file) => reorder_by_name(&gallery.names(), file, "files")?,
        None => {
            let selection = [selection(config, encoder)];
            let mut embedded = embed_entries(encoder, None, gallery.shapes.clone(), &selection, events)?;
            // Unusable shapes leave the gallery, and captions without a shape with them.
            gallery.retain(&embedded.entries);
            let Embedded { features, unusable: failed, .. } = &mut embedded;
            unusable.append(failed);
            features.remove(0)
        }
    };
    let model = encoder.id().to_owned();
    let mut run = Run { model, shapes: gallery.shapes.len(), directions: Vec::new(), unusable };
    if gallery.shapes.is_empty() {
        return Ok(run);
    }
    let captions = match &config.text_features {
        Some(file) => reorder_by_name(&gallery.captions, file, "texts")?,
        None => captions(config, encoder, &gallery, events)?,
    };
    run.directions = gallery.directions(&shapes, &captions)?.into();
    if let Some(listing) = &config.photos {
        let photos = photos::read(listing, &gallery)?;
        let found = photos::directions(photos, &gallery, &shapes, encoder, events)?;
        run.directions.extend(found.directions);
        run.unusable.extend(found.unusable);
    }
    Ok(run)
}

/// The given number of views, or the protocol's largest if the model takes views.
fn selection(config: &RetrievalConfig, encoder: &dyn Encoder) -> ViewSelection {
    let of_protocol = || match config.protocol.map(|protocol| protocol.input) {
        Some(ShapeInput::Views { view_counts, .. })
            if matches!(encoder.input_spec(), InputSpec::Views { .. }) =>
        {
            view_counts.last().copied()
        }
        _ => None,
    };
    ViewSelection { views: config.views.or_else(of_protocol), seed: None }
}

/// Caption features, `[captions, dim]`, averaged over the templates.
fn captions(
    config: &RetrievalConfig,
    encoder: &dyn Encoder,
    gallery: &Gallery,
    events: &mut OnEvent<'_>,
) -> Result<Features, EvalError> {
    let templates = match &config.templates {
        Some(templates) => templates.clone(),
        None if gallery.by_label => encoder.templates(),
        None => vec![PLACEHOLDER.to_owned()],
    };
    let bad = templates.iter().find(|t| !t.contains(PLACEHOLDER));
    if bad.is_some() || templates.is_empty() {
        let text = format!("expected templates with {{}} for the caption, found {bad:?}");
        return Err(EvalError::input(text));
    }
    let sentences = sentences(gallery.captions.iter().map(String::as_str), &templates);
    let features = embed_texts(encoder, &sentences, events)?;
    // Normalize each prompt before averaging, as open_clip does.
    Ok(features.normalized().group_means(templates.len())?)
}

/// Reads features and sorts them like `names`; unnamed rows must already be in this order.
fn reorder_by_name(names: &[String], file: &str, what: &str) -> Result<Features, EvalError> {
    let FeatureFile { features, row_names, .. } = feature_file::read(file)?;
    let (expected, found) = (names.len(), features.rows());
    let Some(rows) = row_names else {
        if expected != found {
            let text = format!("{file}: expected a row for each of {expected} {what}, found {found}");
            return Err(EvalError::input(text));
        }
        return Ok(features);
    };
    let places: HashMap<&str, usize> = rows.iter().enumerate().map(|(i, row)| (row.as_str(), i)).collect();
    let place = |name: &String| {
        let missing = || {
            EvalError::hinted(
                format!("{file}: expected a row {name:?}, found none"),
                ".safetensors rows are matched by name; .npy rows have no names and are matched by order",
            )
        };
        places.get(name.as_str()).copied().ok_or_else(missing)
    };
    let places = names.iter().map(place).collect::<Result<Vec<usize>, _>>()?;
    Ok(features.select(&places)?)
}
