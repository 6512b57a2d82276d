//! `lexiform eval`: how well a model does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use lexiform_model::{JointModel, OpenOptions};
use lexiform_search::{Look, embed_shape};
use lexiform_train::evaluate::{ZeroShotReport, zero_shot_of};

use crate::commands::classify::{failure, lines};
use crate::failure::{Verdict, WithHint as _};
use crate::indexing;
use crate::models::ModelArg;
use crate::output::{self, Align};
use crate::progress::Progress;

/// Measure a model
#[derive(Args)]
pub struct EvalArgs {
    #[command(subcommand)]
    protocol: Protocol,
}

#[derive(Subcommand)]
enum Protocol {
    ZeroShot(ZeroShotArgs),
}

/// How often labeled 3D files are given the right label by a model that sees only the labels' words
#[derive(Args)]
struct ZeroShotArgs {
    /// CSV file with the columns `path` and `label`; paths are relative to its folder
    #[arg(value_name = "LABELS.csv")]
    table: PathBuf,
    /// File with one label a line to choose from [default: all labels of the table]
    #[arg(long, value_name = "FILE")]
    labels_file: Option<PathBuf>,
    /// File with one sentence a line, `{}` where the label goes [default: those of the model]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

impl EvalArgs {
    /// Measures and shows.
    pub fn run(self) -> anyhow::Result<Verdict> {
        match self.protocol {
            Protocol::ZeroShot(args) => args.run(),
        }
    }
}

impl ZeroShotArgs {
    fn run(self) -> anyhow::Result<Verdict> {
        let rows = read_table(&self.table)?;
        let labels = match &self.labels_file {
            Some(path) => lines(path)?,
            None => {
                rows.iter().map(|(_, label)| label.clone()).collect::<BTreeSet<_>>().into_iter().collect()
            }
        };
        let model = JointModel::open(self.model.name(), &OpenOptions::default())?;
        let templates = match &self.templates {
            Some(path) => lines(path)?,
            None => model.config().templates.clone(),
        };
        let look = Look::of(&model);
        let progress = Progress::new(rows.len());
        let (mut embeddings, mut truth, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (file, label) in &rows {
            let index = labels.iter().position(|l| l == label);
            let index = index
                .ok_or_else(|| anyhow!("{}: label {label:?} is not among the labels", file.display()))?;
            match embed_shape(&model, &look, file) {
                Ok(embedding) => {
                    embeddings.push(embedding);
                    truth.push(index);
                }
                Err(error) => failed.push(failure(file, error)?),
            }
            progress.step(label);
        }
        drop(progress);
        indexing::list_failed(&failed);
        self.show(&zero_shot_of(&model, &embeddings, &truth, &labels, &templates)?)?;
        let is_failure = embeddings.is_empty() || (self.strict && !failed.is_empty());
        Ok(if is_failure { Verdict::Failed } else { Verdict::Done })
    }

    fn show(&self, report: &ZeroShotReport) -> anyhow::Result<()> {
        if self.json {
            return output::json(report);
        }
        let columns = [
            ("label", Align::Left),
            ("shapes", Align::Right),
            ("right", Align::Right),
            ("taken for", Align::Left),
        ];
        let rows: Vec<Vec<String>> = report
            .classes
            .iter()
            .map(|c| vec![c.label.clone(), c.shapes.to_string(), c.right.to_string(), c.taken_for.join(", ")])
            .collect();
        output::line(output::table(&columns, &rows))?;
        let shares = [(1, report.top_1), (3, report.top_3), (5, report.top_5)];
        let shares = shares.map(|(k, share)| format!("top {k} {:.1} %", 100.0 * share)).join(", ");
        Ok(output::line(format!("{shares} ({} shapes, {} labels)", report.shapes, report.labels))?)
    }
}

/// Paths and labels of a CSV table.
fn read_table(path: &Path) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    let headers = reader.headers()?.clone();
    let column = |names: &[&str]| {
        let found = headers.iter().position(|header| names.contains(&header.trim()));
        let headers: Vec<&str> = headers.iter().collect();
        let missing = || anyhow!("{}: expected a column {}, found {headers:?}", path.display(), names[0]);
        found.ok_or_else(missing).hint("the first line names the columns: path,label")
    };
    let (path_column, label_column) = (column(&["path", "file"])?, column(&["label"])?);
    let rows = reader.records().map(|record| {
        let record = record.with_context(|| path.display().to_string())?;
        let cell = |i: usize| record.get(i).unwrap_or_default().trim().to_owned();
        Ok((folder.join(cell(path_column)), cell(label_column)))
    });
    rows.collect()
}
