//! The gallery of shapes with their captions.

use std::collections::HashMap;
use std::path::Path;

use lexiform_data::shape_csv::{CsvColumn, CsvRow, ShapeCsv};
use lexiform_metrics::Features;

use super::config::{CaptionSource, RetrievalConfig};
use super::direction::{Direction, Side, measure_both_directions};
use crate::data_set::{self, Captioned, CaptionedEntry};
use crate::entry::Entry;
use crate::error::EvalError;
use crate::source::is_shape;
use crate::split;

/// Unique shapes, unique captions, and which describe which.
#[derive(Clone)]
pub(super) struct Gallery {
    /// The unique shapes.
    pub shapes: Vec<Entry>,
    /// The unique captions.
    pub captions: Vec<String>,
    pairs: Vec<Pair>,
    /// Whether the captions are labels.
    pub by_label: bool,
}

/// Indices of a shape and a caption that describes it.
#[derive(Clone, Copy)]
struct Pair {
    shape: usize,
    caption: usize,
}

impl Gallery {
    /// Reads the shapes of the split.
    pub(super) fn read(config: &RetrievalConfig) -> Result<Self, EvalError> {
        let (path, all) = match &config.captions {
            CaptionSource::Listing { file, assets } => {
                (file, in_listing(file, assets.as_deref(), config.features.is_some())?)
            }
            CaptionSource::DataSet { path } => (path, in_data_set(path)?),
        };
        let mut entries = split::filter(config.split.as_deref(), all.entries, |shape| &shape.entry, path)?;
        for shape in &mut entries {
            shape.entry.orientation = config.orientation;
        }
        Ok(Self::new(Captioned { entries, by_label: all.by_label }))
    }

    /// Merges lines about the same shape, and shapes with the same caption.
    fn new(all: Captioned) -> Self {
        let (mut shapes, mut captions, mut pairs) = (Vec::new(), Vec::new(), Vec::new());
        let (mut shape_of, mut caption_of) = (HashMap::new(), HashMap::new());
        for CaptionedEntry { entry, captions: texts } in all.entries {
            // Lines about the same file are one gallery item with several captions.
            let shape = *shape_of.entry(entry.name.clone()).or_insert_with(|| {
                shapes.push(entry);
                shapes.len() - 1
            });
            for text in texts {
                // Identical captions are one query with several relevant shapes; otherwise they would count each
                // other as wrong.
                let caption = *caption_of.entry(text.clone()).or_insert_with(|| {
                    captions.push(text);
                    captions.len() - 1
                });
                pairs.push(Pair { shape, caption });
            }
        }
        Self { shapes, captions, pairs, by_label: all.by_label }
    }

    /// Keeps only these shapes, and the captions that describe at least one of them.
    pub(super) fn retain(&mut self, entries: &[Entry]) {
        let left: HashMap<&str, usize> =
            entries.iter().enumerate().map(|(i, e)| (e.name.as_str(), i)).collect();
        let moved = |pair: &Pair| {
            let shape = *left.get(self.shapes[pair.shape].name.as_str())?;
            Some(Pair { shape, caption: pair.caption })
        };
        let pairs: Vec<Pair> = self.pairs.iter().filter_map(moved).collect();
        // Captions are renumbered without gaps, in order of first use.
        let mut places = vec![None; self.captions.len()];
        let mut captions = Vec::new();
        for pair in &pairs {
            places[pair.caption].get_or_insert_with(|| {
                captions.push(self.captions[pair.caption].clone());
                captions.len() - 1
            });
        }
        let renumbered = |pair: Pair| Some(Pair { caption: places[pair.caption]?, ..pair });
        self.pairs = pairs.into_iter().filter_map(renumbered).collect();
        self.captions = captions;
        self.shapes = entries.to_vec();
    }

    /// Names of the shapes.
    pub(super) fn names(&self) -> Vec<String> {
        self.shapes.iter().map(|e| e.name.clone()).collect()
    }

    /// Text → shape and shape → text.
    pub(super) fn directions(
        &self,
        shapes: &Features,
        captions: &Features,
    ) -> Result<[Direction; 2], EvalError> {
        let mut right = vec![Vec::new(); self.captions.len()];
        self.pairs.iter().for_each(|pair| right[pair.caption].push(pair.shape));
        let names = self.names();
        let captions = Side { names: &self.captions, features: captions };
        let shapes = Side { names: &names, features: shapes };
        Ok(measure_both_directions(["text → shape", "shape → text"], &captions, &shapes, &right)?)
    }
}

fn in_data_set(place: &Path) -> Result<Captioned, EvalError> {
    let mut all = data_set::captioned(place)?;
    all.entries.retain(|shape| !shape.captions.is_empty());
    if all.entries.is_empty() {
        Err(EvalError::input(format!(
            "{}: expected shapes with captions or labels, found none",
            place.display()
        )))
    } else {
        Ok(all)
    }
}

/// The captioned lines of a CSV file; without `any_file` only those that name a 3D file or a folder.
fn in_listing(path: &Path, assets: Option<&Path>, any_file: bool) -> Result<Captioned, EvalError> {
    let listing = ShapeCsv::read(path)?;
    listing.require_any(&[CsvColumn::Shape])?;
    listing.require_any(&[CsvColumn::Caption, CsvColumn::Label])?;
    let by_label = !listing.has(CsvColumn::Caption);
    let folder = assets.unwrap_or_else(|| listing.folder());
    let captioned = |line: &CsvRow| {
        let entry = Entry::of_line(line, folder);
        let captions = if by_label { line.label.iter().cloned().collect() } else { line.captions.clone() };
        let is_usable = !captions.is_empty() && (any_file || is_shape(&entry.file));
        is_usable.then_some(CaptionedEntry { entry, captions })
    };
    let entries: Vec<CaptionedEntry> = listing.rows.iter().filter_map(captioned).collect();
    if entries.is_empty() {
        Err(EvalError::input(format!(
            "{}: expected lines with a 3D file and a caption, found none",
            path.display()
        )))
    } else {
        Ok(Captioned { entries, by_label })
    }
}
