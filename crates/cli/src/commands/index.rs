//! `lexiform index`: build or update a library of 3D files.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use lexiform_search::{IndexOptions, Library, LibraryOptions, LibraryPath};
use serde_json::json;

use crate::display_path::PathDisplay;
use crate::embedding_sources;
use crate::error::{Outcome, UsageError, WithHint as _};
use crate::indexing::{self, IndexReport, IndexReporting};
use crate::jobs::JobsArg;
use crate::models::ModelArg;
use crate::output;
use crate::scene_file::not_found;
use crate::up_axis::UpArg;

/// Index 3D files, data sets or files of embeddings in a library; incremental and resumable, broken files are reported and
/// skipped
#[derive(Args)]
pub(crate) struct IndexArgs {
    /// 3D files, folders or strips of views, folders to search for both, data sets, and files of embeddings with names (.h5,
    /// .npy, .npz, .parquet, .safetensors)
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder of the library, created if needed [default: `.lexiform` in the folder that is indexed]
    #[arg(short, long, value_name = "FOLDER")]
    library: Option<PathBuf>,
    /// Names of the rows of a file of embeddings, if it has none: `{"name": row}` or a list as JSON, or one name per line
    /// [default: FILE_model_to_idx.json, FILE.json or FILE.txt next to it]
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,
    /// Index the files as scenes, such as scans of rooms: the objects in them are found and indexed, instead of each file as one
    /// shape. The library records it for later runs
    #[arg(long)]
    scenes: bool,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    up_arg: UpArg,
    #[command(flatten)]
    jobs: JobsArg,
    /// Remove missing files from the library
    #[arg(long)]
    prune: bool,
    /// Retry unchanged files that failed before
    #[arg(long)]
    retry_failed: bool,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per file, and a summary
    #[arg(long)]
    json: bool,
}

impl IndexArgs {
    /// Updates the library for each of its models.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let place = self.place()?;
        Library::migrate(&place)?;
        let models = self.model.names_for(&place)?;
        self.note_other_up(&place)?;
        let mut failed = 0;
        for model in &models {
            if models.len() > 1 && !self.json {
                output::note(format!("{model}:"));
            }
            failed += self.index(place.clone(), model)?;
        }
        Ok(if self.strict && failed > 0 { Outcome::Failed } else { Outcome::Done })
    }

    /// Updates the library for one model; returns how many files failed.
    fn index(&self, place: LibraryPath, model: &str) -> anyhow::Result<usize> {
        let library_options = LibraryOptions { model, up: self.up_arg.up };
        let encoder = self.model.open_args.for_answers().open(model, None)?;
        let library = Library::open_or_add_model(place, encoder, library_options)?;
        let options =
            IndexOptions { jobs: self.jobs.count(), prune: self.prune, retry_failed: self.retry_failed };
        let reporting = IndexReporting { json: self.json, paths: self.path_display(&library) };
        let dim = library.encoder().dim();
        let (sources, files) = embedding_sources::split(&self.paths, self.names.as_deref(), dim)?;
        if sources.is_empty() && self.names.is_some() {
            return Err(UsageError("--names needs a file of embeddings".to_owned()).into());
        }
        if self.scenes {
            library.add_scenes(&files)?;
        }
        let report = indexing::update(&library, (&sources, &files), &options, &reporting)?;
        self.show(&library, &report)?;
        Ok(report.summary.failed)
    }

    /// Says that all files are embedded again if they were indexed with another up axis.
    fn note_other_up(&self, place: &LibraryPath) -> anyhow::Result<()> {
        if let Some((up, recorded)) = self.up_arg.other_than_indexed(place)? {
            output::note(format!(
                "note: the library was indexed with --up {recorded}: all files are embedded again with --up {up}"
            ));
        }
        Ok(())
    }

    fn place(&self) -> anyhow::Result<LibraryPath> {
        if let Some(folder) = &self.library {
            if folder.is_file() {
                return Err(anyhow!("{}: expected a folder for the library, found a file", folder.display()))
                    .hint(
                        "files to index are given without an option: lexiform index FILE --library FOLDER",
                    );
            }
            fs_err::create_dir_all(folder)?;
            return Ok(LibraryPath::at(&fs_err::canonicalize(folder)?));
        }
        match &self.paths[..] {
            [folder] if folder.is_dir() => Ok(LibraryPath::discover(&fs_err::canonicalize(folder)?)),
            // Embeddings and arrays may be named FILE#ARRAY, and need not come from the files around them.
            [file] if embedding_sources::is_embedding_path(file) => {
                Err(UsageError("a file of embeddings or arrays needs --library FOLDER".to_owned()).into())
            }
            [missing] if !missing.exists() => Err(not_found(missing)),
            files => match folder_of(files) {
                Some(folder) => Ok(LibraryPath::for_files_in(&folder)),
                None => Err(UsageError("several paths need --library FOLDER".to_owned()).into()),
            },
        }
    }

    /// Paths are shown the way the indexed folder, or the file in it, was typed.
    fn path_display(&self, library: &Library) -> PathDisplay {
        let Some(root) = &library.library_path().root else { return PathDisplay::absolute() };
        let is_root = |path: &&Path| absolute(path).as_ref() == Some(root);
        let typed = self.paths.iter().flat_map(|path| [Some(path.as_path()), path.parent()]);
        typed
            .flatten()
            .find(is_root)
            .map_or_else(PathDisplay::absolute, |typed| PathDisplay::new(typed, root))
    }

    fn show(&self, library: &Library, report: &IndexReport) -> anyhow::Result<()> {
        if self.json {
            let mut summary = serde_json::to_value(report.summary)?;
            summary["not_read"] = json!(report.unsupported);
            summary["seconds"] = json!(report.seconds);
            return output::json(&json!({ "summary": summary }));
        }
        report.list_failed();
        report.list_removed();
        report.list_unsupported();
        output::note(report.totals());
        let objects = library.count_scene_objects()?;
        let shapes = output::quantity(library.len()? - objects, "shape");
        let n = match output::quantity(objects, "object") {
            objects if self.scenes || library.has_scenes()? => format!("{shapes}, {objects} in scenes"),
            _ => shapes,
        };
        Ok(output::line(format!("{}: {n}", library.library_path().folder.display()))?)
    }
}

/// The folder that all files are in; `None` if there are several, or if one may be a file of embeddings.
fn folder_of(files: &[PathBuf]) -> Option<PathBuf> {
    let parent = |file: &PathBuf| {
        let is_usable = file.is_file() && !embedding_sources::is_embedding_path(file);
        absolute(file.parent()?).filter(|_| is_usable)
    };
    let folder = parent(files.first()?)?;
    files.iter().all(|file| parent(file).as_ref() == Some(&folder)).then_some(folder)
}

/// The canonical path of an existing file or folder. The empty path, the parent of a bare file name, is the working folder.
fn absolute(path: &Path) -> Option<PathBuf> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    fs_err::canonicalize(path).ok()
}
