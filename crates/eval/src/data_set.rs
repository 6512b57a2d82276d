//! Entries for the shapes of a data set, with their labels or captions.

use std::path::Path;
use std::sync::Arc;

use lexiform_data::Dataset;

use crate::entry::Entry;
use crate::error::EvalError;
use crate::event::{EvalEvent, OnEvent};
use crate::stored_shape::StoredShape;

/// The labeled shapes, named by their keys.
pub(crate) fn labeled(place: &Path, events: &mut OnEvent<'_>) -> Result<Vec<Entry>, EvalError> {
    let set = Arc::new(Dataset::open(place)?);
    let with_label = |shape: usize| set.label(shape).map(|label| entry(&set, shape, label));
    let entries: Vec<Entry> = (0..set.len()).filter_map(with_label).collect();
    if entries.len() < set.len() {
        events(EvalEvent::ShapesWithoutLabel { labeled: entries.len(), shapes: set.len() });
    }
    Ok(entries)
}

/// A shape with its unique captions.
pub(crate) struct CaptionedEntry {
    /// The shape.
    pub entry: Entry,
    /// Its captions.
    pub captions: Vec<String>,
}

/// Shapes with their captions.
pub(crate) struct Captioned {
    /// The shapes.
    pub entries: Vec<CaptionedEntry>,
    /// Whether labels are used, because no shape has a caption.
    pub by_label: bool,
}

/// All shapes with their captions, or with their labels if no shape has a caption.
pub(crate) fn captioned(place: &Path) -> Result<Captioned, EvalError> {
    let set = Arc::new(Dataset::open(place)?);
    let mut entries = Vec::with_capacity(set.len());
    for shape in 0..set.len() {
        let mut captions: Vec<String> = set.metadata(shape)?.captions.into_iter().map(|c| c.text).collect();
        // Captions that are known by their features only have no words; compared as words they would all be one.
        captions.retain(|text| !text.trim().is_empty());
        // Several captioners may have produced the same sentence.
        captions.sort();
        captions.dedup();
        let entry = entry(&set, shape, set.label(shape).unwrap_or_default());
        entries.push(CaptionedEntry { entry, captions });
    }
    let by_label = entries.iter().all(|shape| shape.captions.is_empty());
    if by_label {
        let with_label = entries.iter_mut().filter(|shape| !shape.entry.label.is_empty());
        with_label.for_each(|shape| shape.captions.push(shape.entry.label.clone()));
    }
    Ok(Captioned { entries, by_label })
}

fn entry(set: &Arc<Dataset>, shape: usize, label: &str) -> Entry {
    let key = set.key(shape);
    Entry {
        split: Some(set.split(shape).to_owned()),
        stored: Some(StoredShape::new(set, shape)),
        ..Entry::of_file(key.to_owned(), key.into(), label.to_owned())
    }
}
