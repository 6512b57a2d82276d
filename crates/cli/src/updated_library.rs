//! Opens the library of a folder, up to date with its files if it can be written.

use std::sync::Arc;

use lexiform_search::{Encoder, Error, IndexOptions, Library, LibraryOptions, StoreError, UpRule};

use crate::embedding_sources;
use crate::error::WithHint as _;
use crate::indexing::{self, IndexReport, IndexReporting};
use crate::output;
use crate::place::Place;

/// How a library is opened.
pub(crate) struct UpdatedLibrary<'a> {
    /// The library and its folder.
    pub place: &'a Place,
    /// Name or path of the model.
    pub model: &'a str,
    /// The given up axis; an existing library keeps its own.
    pub up: Option<UpRule>,
    /// Parallel jobs.
    pub jobs: usize,
    /// Whether the library stays open for writing; otherwise other processes can update it.
    pub keeps_lock: bool,
}

impl UpdatedLibrary<'_> {
    /// Indexes new and changed files, with a progress bar.
    pub(crate) fn open(&self, encoder: Arc<dyn Encoder>) -> anyhow::Result<Library> {
        let library_path = &self.place.library;
        match self.open_for_writing(encoder.clone()) {
            Ok(library) => self.update(library, encoder),
            Err(error) if library_path.exists() && cannot_write(&error) => {
                output::note(format!("note: the library is not updated: {error}"));
                Ok(Library::open_for_reading(library_path.clone(), encoder)?)
            }
            Err(error) if cannot_write(&error) => Err(error).hint(
                "the library is kept inside the folder; if that cannot be written, make one elsewhere: `lexiform index FOLDER --library ELSEWHERE`",
            ),
            Err(error) => Err(error.into()),
        }
    }

    fn open_for_writing(&self, encoder: Arc<dyn Encoder>) -> Result<Library, Error> {
        let (library_path, model) = (&self.place.library, self.model);
        // An existing library keeps its own rule; what differs is the query.
        let up = self.up.filter(|_| !library_path.exists());
        let options = LibraryOptions { model, up };
        match Library::open(library_path.clone(), encoder.clone(), options) {
            // The weights behind a name can change after the library was made: the built-in model's do with an upgrade.
            Err(Error::Store(StoreError::ModelMismatch { .. }))
                if Library::recorded_models(library_path)?.iter().any(|known| known == model) =>
            {
                Library::open_or_add_model(library_path.clone(), encoder, options)
            }
            opened => opened,
        }
    }

    fn update(&self, library: Library, encoder: Arc<dyn Encoder>) -> anyhow::Result<Library> {
        let Place { library: library_path, folder, paths, .. } = self.place;
        let options = IndexOptions { jobs: self.jobs, ..IndexOptions::default() };
        let reporting = IndexReporting { json: false, paths: paths.clone() };
        // A folder of 3D files, or a data set.
        let (sources, files) = embedding_sources::split(std::slice::from_ref(folder), None, encoder.dim())?;
        let report = indexing::update(&library, (&sources, &files), &options, &reporting)?;
        print_changes(&report, !self.keeps_lock);
        if self.keeps_lock {
            return Ok(library);
        }
        // A library has one writer at a time.
        drop(library);
        Ok(Library::open_for_reading(library_path.clone(), encoder)?)
    }
}

/// Whether the library cannot be written now: locked by another process, or read-only.
fn cannot_write(error: &Error) -> bool {
    match error {
        Error::Store(StoreError::Locked { .. } | StoreError::ReadOnly { .. }) => true,
        Error::Store(StoreError::Io { source, .. }) => matches!(
            source.kind(),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
        ),
        _ => false,
    }
}

/// If the lock is released, others index the same files: only what has changed.
fn print_changes(report: &IndexReport, others: bool) {
    let summary = report.summary;
    let has_changed = summary.indexed + summary.renamed > 0;
    if has_changed {
        report.list_failed();
    }
    if has_changed || !others {
        report.list_unsupported();
    }
    if has_changed {
        output::note(report.totals());
    }
}
