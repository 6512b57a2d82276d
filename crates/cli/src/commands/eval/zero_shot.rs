//! `lexiform eval zero-shot`: how often a model that sees only the labels' words gives shapes the right label.

use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_eval::protocol::Values;
use lexiform_eval::{
    REFERENCE_SEEDS, ReportFacts, ZeroShotConfig, ZeroShotReport, ZeroShotShapes, zero_shot,
};
use lexiform_search::SimulatedScan;
use serde_json::json;

use super::generated::HeldOut;
use super::models::ModelsArgs;
use super::protocol::note_protocol;
use super::resampling::ResamplingArgs;
use super::shapes::DataArgs;
use super::show;
use super::watch::{verdict, watched};
use super::words::WordsArgs;
use crate::error::{Outcome, UsageError};
use crate::output;
use crate::output_file::ForceArg;

/// Files of a report. The page comes first: it says what software wrote it.
const REPORT_FILES: [&str; 4] = ["report.html", "report.json", "classes.csv", "cases.csv"];
/// Bytes of the longest command line that is written to a report.
const LONGEST_COMMAND: usize = 2000;

/// How often shapes are given the right label by a model that sees only the labels' words. Without --labels the
/// shapes are generated, from seeds that no training uses.
#[derive(Args)]
pub(crate) struct ZeroShotArgs {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    words: WordsArgs,
    /// Shapes of each category, where they are generated
    #[arg(long, value_name = "N", default_value_t = 2, conflicts_with = "given")]
    each: usize,
    /// Numbers of views, a result each [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1000))]
    views: Vec<u32>,
    /// Evaluate point clouds of N points sampled from each surface
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with_all = ["features", "data"])]
    clouds: Option<u32>,
    /// Points a point model is given [default: the protocol's, or the model's own number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    points: Option<u32>,
    /// Without colors
    #[arg(long, requires = "clouds")]
    bare: bool,
    /// Sample views of each shape, and a crop window for each 200 shapes, by seeds, as Duoduo CLIP's evaluation does; `reference`
    /// for its own three. Its data loader's processes sample for themselves, so no seed repeats its very samples [default:
    /// views evenly spread, the middle window]
    #[arg(long, value_name = "N,N,…|reference", value_delimiter = ',', conflicts_with = "features")]
    seeds: Vec<String>,
    #[command(flatten)]
    models: ModelsArgs,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Write a page about the result: report.html, report.json, classes.csv and cases.csv
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
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
    /// Measures and shows.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let held_out = HeldOut { each: self.each };
        let config = self.config(&held_out)?;
        if let Some(folder) = &self.report {
            self.force.folder(folder, &[])?.check_set(&REPORT_FILES)?;
        }
        let models = self.models.models();
        let report = watched(|events| zero_shot(&config, &models, events))?;
        if !report.is_complete() {
            return Ok(Outcome::Failed);
        }
        if let Some(protocol) = config.texts.protocol {
            note_protocol(protocol, report.models[0].entries.len(), Values::is_zero_shot);
        }
        self.show(&report)?;
        if let Some(folder) = &self.report {
            let facts = ReportFacts { version: env!("CARGO_PKG_VERSION").to_owned(), command: command() };
            let page = report.write(folder, &config, facts)?;
            output::note(format!("wrote {}", page.display()));
        }
        Ok(verdict(self.strict, &report.unusable))
    }

    fn config<'a>(&self, held_out: &'a HeldOut) -> anyhow::Result<ZeroShotConfig<'a>> {
        let shapes = match self.data.is_given() {
            true => ZeroShotShapes::of(self.data.config()?),
            false if !self.views.is_empty() || !self.seeds.is_empty() || self.words.by.is_given() => {
                let text = "--views, --seeds and --protocol need shapes: give --labels or --data";
                return Err(UsageError(text.to_owned()).into());
            }
            false => ZeroShotShapes::Generated(held_out),
        };
        Ok(ZeroShotConfig {
            texts: self.words.texts()?,
            shapes,
            views: self.views.iter().map(|n| *n as usize).collect(),
            clouds: self
                .clouds
                .map(|points| SimulatedScan { points: points as usize, without_colors: self.bare }),
            points: self.points.map(|n| n as usize),
            seeds: self.seeds()?,
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
        let (results, means) = (report.measured(), report.means_over_seeds());
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

/// The command line as it was typed, without the folders before the program's name.
fn command() -> String {
    let mut parts = std::env::args();
    let program = parts.next().map_or(String::new(), |p| {
        Path::new(&p).file_name().map_or(p.clone(), |name| name.to_string_lossy().into_owned())
    });
    let quoted = parts.map(|p| if p.contains([' ', '"', '\'']) { format!("{p:?}") } else { p });
    let line = std::iter::once(program).chain(quoted).collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_COMMAND).collect()
}
