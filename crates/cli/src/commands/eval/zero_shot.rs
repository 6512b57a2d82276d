//! `lexiform eval zero-shot`: zero-shot classification.

use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_eval::protocol::PublishedMetrics;
use lexiform_eval::{
    REFERENCE_SEEDS, REFERENCE_WORKERS, RunInfo, ZeroShotConfig, ZeroShotReport, ZeroShotShapes, zero_shot,
};
use lexiform_search::SimulatedScan;
use serde_json::json;

use super::class_text::ClassTextArgs;
use super::generated::ValidationShapes;
use super::models::ComparedModelsArgs;
use super::progress::{verdict, with_progress};
use super::protocol::note_protocol;
use super::resampling::ResamplingArgs;
use super::shapes::DataArgs;
use super::show;
use super::tables::TablesArgs;
use crate::error::{Outcome, UsageError};
use crate::output;
use crate::output_file::ForceArg;

/// Files of a report. The page comes first: it says what software wrote it.
const REPORT_FILES: [&str; 5] =
    ["report.html", "report.json", "classes.csv", "confusion.csv", "predictions.csv"];
/// Characters of the command line kept in a report.
const LONGEST_COMMAND: usize = 2000;

/// Evaluate zero-shot classification
///
/// Without --labels or --data, the model is evaluated on procedurally generated shapes from seeds that no training uses.
#[derive(Args)]
pub(crate) struct ZeroShotArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    class_text: ClassTextArgs,
    /// Generated shapes per category
    #[arg(long, value_name = "N", default_value_t = 2, conflicts_with = "given")]
    per_class: usize,
    /// Numbers of views, one result for each [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: Vec<u32>,
    /// Evaluate point clouds of N points sampled from each surface
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with_all = ["features", "data"])]
    clouds: Option<u32>,
    /// Points per shape for point encoders [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    points: Option<u32>,
    /// Leave out colors
    #[arg(long, requires = "clouds")]
    without_colors: bool,
    /// Sample views per shape and a crop window per 200 shapes with each of these seeds, exactly as Duoduo CLIP's evaluation
    /// does; `reference` stands for its three seeds, 678, 789 and 900. Shapes are in the order of the CSV file [default: evenly
    /// spread views, center crop]
    #[arg(long, value_name = "N,N,…|reference", value_delimiter = ',', conflicts_with = "features")]
    seeds: Vec<String>,
    /// Data loader workers of the evaluation that --seeds repeats: each samples views with a seed of its own [default: 4, as
    /// in Duoduo CLIP's configuration]
    #[arg(long, value_name = "N", default_value_t = REFERENCE_WORKERS as u32, hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=1024), requires = "seeds")]
    num_workers: u32,
    #[command(flatten)]
    models: ComparedModelsArgs,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Write an HTML report to this folder: report.html, report.json, classes.csv, confusion.csv and
    /// predictions.csv
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    #[command(flatten)]
    tables: TablesArgs,
    #[command(flatten)]
    force: ForceArg,
    /// Fail if a file cannot be used
    #[arg(long, requires = "given")]
    strict: bool,
    /// Print a JSON object for each result
    #[arg(long)]
    json: bool,
}

impl ZeroShotArgs {
    /// Evaluates the models and prints the results.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let generated = ValidationShapes { per_class: self.per_class };
        let config = self.config(&generated)?;
        // Fail before the evaluation, which can take hours.
        if let Some(folder) = &self.report {
            self.force.folder(folder, &[])?.check_set(&REPORT_FILES)?;
        }
        let files = self.tables.files(self.force)?;
        let models = self.models.models();
        let report = with_progress(|events| zero_shot(&config, &models, events))?;
        if !report.is_complete() {
            return Ok(Outcome::Failed);
        }
        if let Some(protocol) = config.texts.protocol {
            note_protocol(protocol, report.models[0].entries.len(), PublishedMetrics::is_zero_shot);
        }
        report.tables().iter().try_for_each(|tables| files.write(tables))?;
        self.show(&report)?;
        if let Some(folder) = &self.report {
            let info = RunInfo { version: env!("CARGO_PKG_VERSION").to_owned(), command: command() };
            let page = report.write(folder, &config, info)?;
            output::note(format!("wrote {}", page.display()));
        }
        Ok(verdict(self.strict, &report.unusable))
    }

    fn config<'a>(&self, generated: &'a ValidationShapes) -> anyhow::Result<ZeroShotConfig<'a>> {
        let needs_files =
            !self.views.is_empty() || !self.seeds.is_empty() || self.class_text.protocol_args.is_given();
        let needs_files = needs_files || self.data.has_up();
        let shapes = if self.data.is_given() {
            ZeroShotShapes::from_data(self.data.config()?)
        } else if needs_files {
            // Generated shapes are rendered as the model needs them.
            let text = "--views, --seeds, --protocol and --up need --labels or --data";
            return Err(UsageError(text.to_owned()).into());
        } else {
            ZeroShotShapes::Generated(generated)
        };
        Ok(ZeroShotConfig {
            texts: self.class_text.texts()?,
            shapes,
            views: self.views.iter().map(|n| *n as usize).collect(),
            clouds: self
                .clouds
                .map(|points| SimulatedScan { points: points as usize, without_colors: self.without_colors }),
            points: self.points.map(|n| n as usize),
            seeds: self.seeds()?,
            num_workers: self.num_workers as usize,
            resampling: self.resampling.resampling(),
        })
    }

    fn seeds(&self) -> anyhow::Result<Vec<u32>> {
        if self.seeds.iter().any(|s| s == "reference") {
            return Ok(REFERENCE_SEEDS.to_vec());
        }
        let parse = |s: &String| {
            s.parse()
                .map_err(|_| UsageError(format!("--seeds: expected numbers or `reference`, found {s:?}")))
        };
        Ok(self.seeds.iter().map(parse).collect::<Result<_, _>>()?)
    }

    fn show(&self, report: &ZeroShotReport) -> anyhow::Result<()> {
        let (results, means) = (report.results(), report.means_over_seeds());
        if self.json {
            results.iter().try_for_each(output::json)?;
            return means.iter().try_for_each(|mean| {
                output::json(&json!({ "mean_over_seeds": mean.name, "percent": mean.percent }))
            });
        }
        if let [only] = &results[..] {
            show::classes(only)?;
            return Ok(show::totals(only)?);
        }
        show::side_by_side(&results)?;
        for mean in means {
            let [top_1, top_3, top_5] = mean.percent;
            let name = mean.name;
            output::line(format!("{name}: mean over seeds {top_1:.2} / {top_3:.2} / {top_5:.2}"))?;
        }
        Ok(())
    }
}

/// The command line as typed, with the program's name only.
fn command() -> String {
    let mut parts = std::env::args();
    let program = parts.next().map_or(String::new(), |p| {
        Path::new(&p).file_name().map_or(p.clone(), |name| name.to_string_lossy().into_owned())
    });
    // Quote arguments so that the line can be pasted into a shell.
    let quoted = parts.map(|p| if p.contains([' ', '"', '\'']) { format!("{p:?}") } else { p });
    let line = std::iter::once(program).chain(quoted).collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_COMMAND).collect()
}
