//! `lexiform eval`: how well a model does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, ensure};
use clap::{Args, Subcommand};
use lexiform_geometry::RigKind;
use lexiform_geometry::io::Format;
use lexiform_model::{JointModel, OpenOptions};
use lexiform_search::{Look, embed_shape};
use lexiform_train::evaluate::{ZeroShotReport, zero_shot, zero_shot_of};
use lexiform_train::held_out;

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

/// How often shapes are given the right label by a model that sees only the labels' words. Without --labels the
/// shapes are made by rule, from seeds that no training uses.
#[derive(Args)]
struct ZeroShotArgs {
    /// CSV file with the columns `file` (or `path`) and `label`; rows of other than 3D files are left out
    #[arg(long, value_name = "CSV")]
    labels: Option<PathBuf>,
    /// Folder the files are relative to [default: the folder of the CSV file]
    #[arg(long, value_name = "DIR", requires = "labels")]
    assets: Option<PathBuf>,
    /// Shapes of each category, where they are made by rule
    #[arg(long, value_name = "N", default_value_t = 2, conflicts_with = "labels")]
    each: usize,
    /// File with one label a line to choose from [default: all labels of the table]
    #[arg(long, value_name = "FILE", requires = "labels")]
    labels_file: Option<PathBuf>,
    /// File with one sentence a line, `{}` where the label goes [default: those of the model]
    #[arg(long, value_name = "FILE")]
    templates: Option<PathBuf>,
    #[command(flatten)]
    model: ModelArg,
    /// Fail if a file cannot be used
    #[arg(long, requires = "labels")]
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
        let model = JointModel::open(self.model.name(), &OpenOptions::default())?;
        match &self.labels {
            Some(table) => self.measure_files(&model, table),
            None => self.measure_generated(&model),
        }
    }

    fn measure_generated(&self, model: &JointModel) -> anyhow::Result<Verdict> {
        let rig: RigKind = model.config().rig.parse()?;
        let cameras = rig.rig(model.n_views(), 0);
        let shapes = held_out(self.each, model.view_size() as usize, &cameras);
        self.show(&zero_shot(model, &shapes)?)?;
        Ok(Verdict::Done)
    }

    fn measure_files(&self, model: &JointModel, table: &Path) -> anyhow::Result<Verdict> {
        let rows = read_table(table, self.assets.as_deref())?;
        let labels = match &self.labels_file {
            Some(path) => lines(path)?,
            None => {
                rows.iter().map(|(_, label)| label.clone()).collect::<BTreeSet<_>>().into_iter().collect()
            }
        };
        let templates = match &self.templates {
            Some(path) => lines(path)?,
            None => model.config().templates.clone(),
        };
        let look = Look::of(model);
        let progress = Progress::new(rows.len());
        let (mut embeddings, mut truth, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (file, label) in &rows {
            let index = labels.iter().position(|l| l == label);
            let index = index
                .ok_or_else(|| anyhow!("{}: label {label:?} is not among the labels", file.display()))?;
            match embed_shape(model, &look, file) {
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
        self.show(&zero_shot_of(model, &embeddings, &truth, &labels, &templates)?)?;
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

/// Paths and labels of a CSV table's 3D files.
fn read_table(path: &Path, assets: Option<&Path>) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let folder = assets.unwrap_or_else(|| path.parent().unwrap_or(Path::new("")));
    let mut reader = csv::Reader::from_path(path).with_context(|| path.display().to_string())?;
    let headers = reader.headers()?.clone();
    let column = |names: &[&str]| {
        let found = headers.iter().position(|header| names.contains(&header.trim()));
        let headers: Vec<&str> = headers.iter().collect();
        let missing = || anyhow!("{}: expected a column {}, found {headers:?}", path.display(), names[0]);
        found.ok_or_else(missing).hint("the first line names the columns: file,label")
    };
    let (file_column, label_column) = (column(&["file", "path"])?, column(&["label"])?);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| path.display().to_string())?;
        let cell = |i: usize| record.get(i).unwrap_or_default().trim().to_owned();
        let file = folder.join(cell(file_column));
        if Format::from_path(&file).is_some() {
            rows.push((file, cell(label_column)));
        }
    }
    ensure!(!rows.is_empty(), "{}: no row names a 3D file", path.display());
    Ok(rows)
}
