//! Captions of the shapes of a folder or library, kept in the library.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use lexiform_data::Dataset;
use lexiform_mesh_io::{WalkResult, view_files, walk};
use lexiform_search::{Answer, Captions, Encoder, Filter, Library, LibraryOptions, LibraryPath, RecordId};

use super::counts::Counts;
use crate::commands::search;
use crate::indexing;
use crate::models::DEFAULT_MODEL;
use crate::output;
use crate::place::Place;
use crate::progress::Progress;
use crate::updated_library::UpdatedLibrary;

/// Captions written in one transaction: a commit waits for the disk, and an interrupted run keeps what is written.
const BATCH: usize = 8;

/// What happens to captions of folders.
#[derive(Args, Clone, Copy)]
pub(super) struct KeepArgs {
    /// Replace captions that another captioner, or the same one with other options, wrote
    #[arg(long)]
    replace: bool,
    /// Print the captions of folders without keeping them in a library
    #[arg(long, conflicts_with = "replace")]
    no_library: bool,
}

impl KeepArgs {
    /// The folders whose captions are kept in their library, and the other arguments.
    pub(super) fn split(self, arguments: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>) {
        arguments.iter().cloned().partition(|path| !self.no_library && is_library(path))
    }

    /// The captions that have to be written: those of shapes without any, and with `--replace` those by others.
    fn is_wanted(self, answer: &Answer, captioner: &str) -> bool {
        let written = answer.payload.captions.as_ref();
        written.is_none_or(|captions| self.replace && captions.captioner != captioner)
    }
}

/// Whether a path is a library or a folder of 3D files; data sets keep captions themselves, and a folder of views is one shape.
fn is_library(path: &Path) -> bool {
    if !path.is_dir() || Dataset::exists(path) {
        return false;
    }
    let WalkResult { assets, view_sets, .. } = walk(&[path.to_owned()]);
    let has_images = view_files(path).is_ok_and(|images| !images.is_empty());
    !assets.is_empty() || (!view_sets.is_empty() && !has_images) || LibraryPath::discover(path).exists()
}

/// The model whose embeddings are described: the given one, the built-in one if the library has it, its first one, or the built-in
/// one.
pub(super) fn model_of(place: &Place, given: Option<&str>) -> anyhow::Result<String> {
    Library::migrate(&place.library)?;
    let known = Library::recorded_models(&place.library)?;
    let built_in = known.iter().find(|name| *name == DEFAULT_MODEL);
    let name = given.or(built_in.or(known.first()).map(String::as_str));
    Ok(name.unwrap_or(DEFAULT_MODEL).to_owned())
}

/// Captions of a shape of a library, or the reason why it has none.
pub(super) type Describe<'a> = dyn Fn(&Library, &Answer) -> anyhow::Result<Result<Vec<String>, String>> + 'a;

/// The captions of a library's shapes.
pub(super) struct LibraryCaptions<'a> {
    /// The folder.
    pub place: &'a Place,
    /// How existing captions are treated.
    pub keep: KeepArgs,
    /// Id of the captioner and its options.
    pub captioner: &'a str,
    /// Writes the captions of a shape.
    pub describe: &'a Describe<'a>,
    /// Gets every shape's path and captions, in order of path.
    pub show: &'a mut dyn FnMut(String, &[String]) -> anyhow::Result<()>,
}

impl LibraryCaptions<'_> {
    /// Updates the library, and writes the captions that are wanted.
    pub(super) fn write(&mut self, encoder: Arc<dyn Encoder>, model: &str) -> anyhow::Result<Counts> {
        let library = open(self.place, encoder, model)?;
        let (everything, mut failed) = (Filter::And(Vec::new()), Vec::new());
        let shapes = library.list(self.place.within.as_ref().unwrap_or(&everything))?;
        let is_wanted: Vec<bool> =
            shapes.iter().map(|shape| self.keep.is_wanted(shape, self.captioner)).collect();
        let wanted = is_wanted.iter().filter(|is| **is).count();
        let progress = (wanted > 1).then(|| Progress::new(wanted));
        for (shapes, is_wanted) in shapes.chunks(BATCH).zip(is_wanted.chunks(BATCH)) {
            self.write_batch(&library, shapes, is_wanted, progress.as_ref(), &mut failed)?;
        }
        drop(progress);
        let kept = shapes.len() - wanted;
        if kept > 0 {
            let others = shapes.iter().filter_map(|shape| shape.payload.captions.as_ref());
            let is_other = others.clone().any(|captions| captions.captioner != self.captioner);
            let hint =
                if is_other && !self.keep.replace { "; --replace writes those of others again" } else { "" };
            output::note(format!(
                "{} captioned, {kept} had captions{hint}",
                output::quantity(wanted, "shape")
            ));
        }
        indexing::list_failed(&failed);
        let unread = self.place.failures(&library)?;
        Ok(Counts { described: shapes.len() - failed.len(), failed: failed.len() + unread })
    }

    /// Shows captions after they are durable.
    fn write_batch(
        &mut self,
        library: &Library,
        shapes: &[Answer],
        is_wanted: &[bool],
        progress: Option<&Progress>,
        failed: &mut Vec<(String, String)>,
    ) -> anyhow::Result<()> {
        let mut written: Vec<(RecordId, Option<Captions>)> = Vec::new();
        let mut texts = Vec::with_capacity(shapes.len());
        for (shape, is_wanted) in shapes.iter().zip(is_wanted) {
            let stored = shape.payload.captions.as_ref().map(|captions| captions.texts.clone());
            if !is_wanted {
                texts.push(stored.unwrap_or_default());
                continue;
            }
            if let Some(progress) = progress {
                progress.step(shape.payload.name());
            }
            let found = match (self.describe)(library, shape)? {
                Ok(found) => found,
                Err(reason) => {
                    failed.push((search::shown(shape, &self.place.paths), reason));
                    Vec::new()
                }
            };
            if !found.is_empty() {
                let captioner = self.captioner.to_owned();
                written.push((shape.id, Some(Captions { captioner, texts: found.clone() })));
            }
            texts.push(found);
        }
        library.set_captions(&written)?;
        let mut shown = shapes.iter().zip(&texts);
        shown.try_for_each(|(shape, texts)| (self.show)(search::shown(shape, &self.place.paths), texts))
    }
}

/// Opens the library for writing, up to date if it records which files it was made of.
fn open(place: &Place, encoder: Arc<dyn Encoder>, model: &str) -> anyhow::Result<Library> {
    if place.is_fixed(false) {
        let options = LibraryOptions { model, up: None };
        return Ok(Library::open(place.library.clone(), encoder, options)?);
    }
    // As many jobs as processors.
    UpdatedLibrary { place, model, up: None, jobs: 0, keeps_lock: true }.open(encoder)
}
