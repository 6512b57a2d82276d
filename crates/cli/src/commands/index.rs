//! `lexiform index`: make a library know the 3D files below some paths.

use std::path::PathBuf;

use clap::Args;
use lexiform_search::{IndexOptions, Library, LibraryPath};
use serde_json::json;

use crate::failure::{Usage, Verdict};
use crate::indexing::{self, Report, Telling};
use crate::jobs::JobsArg;
use crate::models::ModelArg;
use crate::output;
use crate::reading::not_found;
use crate::shown::Shown;

/// Make a library of 3D files: incremental, resumable, broken files are listed and passed over
#[derive(Args)]
pub struct IndexArgs {
    /// Files, and folders to search for files
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Folder of the library; made if it is not there. Without it, a single folder keeps its library in `.lexiform`
    #[arg(short, long, value_name = "FOLDER")]
    library: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    jobs: JobsArg,
    /// Forget files that are gone
    #[arg(long)]
    prune: bool,
    /// Try files again that failed before and did not change
    #[arg(long)]
    retry_failed: bool,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

impl IndexArgs {
    /// Indexes and tells.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let place = self.place()?;
        let models = self.model.names_for(&place)?;
        let mut failed = 0;
        for model in &models {
            if models.len() > 1 && !self.json {
                output::note(format!("{model}:"));
            }
            failed += self.index(place.clone(), model)?;
        }
        Ok(if self.strict && failed > 0 { Verdict::Failed } else { Verdict::Done })
    }

    /// Brings a library up to date for one model; returns how many files failed.
    fn index(&self, place: LibraryPath, model: &str) -> anyhow::Result<usize> {
        let library = Library::open_or_add_model(place, self.model.opening.open(model, None)?, model)?;
        let options =
            IndexOptions { jobs: self.jobs.count(), prune: self.prune, retry_failed: self.retry_failed };
        let typed =
            self.paths.iter().find(|path| fs_err::canonicalize(path).ok() == library.library_path().root);
        let shown = match (typed, &library.library_path().root) {
            (Some(typed), Some(root)) => Shown::new(typed, root),
            _ => Shown::in_full(),
        };
        let report = indexing::update(&library, &self.paths, &options, &Telling { json: self.json, shown })?;
        self.show(&library, &report)?;
        Ok(report.summary.failed)
    }

    fn place(&self) -> anyhow::Result<LibraryPath> {
        match (&self.library, &self.paths[..]) {
            (Some(folder), _) => {
                fs_err::create_dir_all(folder)?;
                Ok(LibraryPath::at(&fs_err::canonicalize(folder)?))
            }
            (None, [folder]) if folder.is_dir() => Ok(LibraryPath::discover(&fs_err::canonicalize(folder)?)),
            (None, [missing]) if !missing.exists() => Err(not_found(missing)),
            _ => {
                Err(Usage("several paths need a library of their own: add --library FOLDER".to_owned())
                    .into())
            }
        }
    }

    fn show(&self, library: &Library, report: &Report) -> anyhow::Result<()> {
        if self.json {
            let mut summary = serde_json::to_value(report.summary)?;
            summary["seconds"] = json!(report.seconds);
            return output::json(&json!({ "summary": summary }));
        }
        report.list_failed();
        report.list_removed();
        output::note(report.totals());
        let n = output::count(library.len()?, "shape");
        Ok(output::line(format!("{}: {n}", library.library_path().folder.display()))?)
    }
}
