//! Shapes, their words, and which belong together.

use std::collections::HashMap;
use std::path::Path;

use anyhow::ensure;
use lexiform_data::listing::{Column, Line, Listing};
use lexiform_eval::Features;
use lexiform_mesh_io::Format;

use super::directions::{Direction, both_ways};
use crate::commands::eval::data::{Entry, SplitArg};
use crate::commands::eval::in_set::{self, Said};

/// Shapes, their words, and which belong together.
#[derive(Clone)]
pub struct Gallery {
    /// Each different shape once.
    pub shapes: Vec<Entry>,
    /// Each different text once.
    pub texts: Vec<String>,
    /// Pairs of (shape, text).
    pairs: Vec<(usize, usize)>,
    /// Whether the texts are labels.
    pub by_label: bool,
}

impl Gallery {
    /// The shapes of a data set with their captions.
    pub fn of_set(place: &Path, split: SplitArg) -> anyhow::Result<Self> {
        let (mut said, by_label) = in_set::captioned(place)?;
        said.retain(|said| !said.texts.is_empty());
        ensure!(!said.is_empty(), "{}: no shape has words", place.display());
        Ok(Self::of(split.only(said, |said| &said.entry, place)?, by_label))
    }

    /// Those of a table; if `any_file`, also what cannot be read as a shape.
    pub fn of_table(
        path: &Path,
        assets: Option<&Path>,
        split: SplitArg,
        any_file: bool,
    ) -> anyhow::Result<Self> {
        let listing = Listing::read(path)?;
        listing.expect(&[Column::Shape])?;
        listing.expect(&[Column::Caption, Column::Label])?;
        let by_label = !listing.has(Column::Caption);
        let folder = assets.unwrap_or_else(|| listing.folder());
        let is_shape = |path: &Path| any_file || Format::from_path(path).is_some() || path.is_dir();
        let said = |line: &Line| {
            let entry = Entry::of_line(line, folder);
            let texts = if by_label { line.label.iter().cloned().collect() } else { line.captions.clone() };
            (!texts.is_empty() && is_shape(&entry.file)).then_some(Said { entry, texts })
        };
        let said: Vec<Said> = listing.lines.iter().filter_map(said).collect();
        ensure!(!said.is_empty(), "{}: no line has a 3D file and words", path.display());
        Ok(Self::of(split.only(said, |said| &said.entry, path)?, by_label))
    }

    /// Brings together what is said of the same shape, and the shapes that the same is said of.
    fn of(all: Vec<Said>, by_label: bool) -> Self {
        let mut gallery = Self { shapes: Vec::new(), texts: Vec::new(), pairs: Vec::new(), by_label };
        let (mut shape_of, mut text_of) = (HashMap::new(), HashMap::new());
        for Said { entry, texts } in all {
            let shape = *shape_of.entry(entry.name.clone()).or_insert_with(|| {
                gallery.shapes.push(entry);
                gallery.shapes.len() - 1
            });
            for text in texts {
                let place = *text_of.entry(text.clone()).or_insert_with(|| {
                    gallery.texts.push(text);
                    gallery.texts.len() - 1
                });
                gallery.pairs.push((shape, place));
            }
        }
        gallery
    }

    /// Leaves out shapes that are not among these, and texts that no shape is left for.
    pub fn keep(&mut self, entries: &[Entry]) {
        let left: HashMap<&str, usize> =
            entries.iter().enumerate().map(|(i, e)| (e.name.as_str(), i)).collect();
        let pairs = self.pairs.iter();
        let pairs: Vec<(usize, usize)> =
            pairs.filter_map(|(s, t)| Some((*left.get(self.shapes[*s].name.as_str())?, *t))).collect();
        let mut places = vec![None; self.texts.len()];
        let mut texts = Vec::new();
        for &(_, text) in &pairs {
            places[text].get_or_insert_with(|| {
                texts.push(self.texts[text].clone());
                texts.len() - 1
            });
        }
        self.pairs = pairs.into_iter().filter_map(|(s, t)| Some((s, places[t]?))).collect();
        self.texts = texts;
        self.shapes = entries.to_vec();
    }

    /// What the shapes are called.
    pub fn names(&self) -> Vec<String> {
        self.shapes.iter().map(|e| e.name.clone()).collect()
    }

    /// Text → shape and shape → text.
    pub fn directions(&self, shapes: &Features, texts: &Features) -> anyhow::Result<Vec<Direction>> {
        let mut right = vec![Vec::new(); self.texts.len()];
        self.pairs.iter().for_each(|(shape, text)| right[*text].push(*shape));
        both_ways(["text → shape", "shape → text"], (&self.texts, texts), (&self.names(), shapes), &right)
    }
}
