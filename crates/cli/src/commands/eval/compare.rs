//! `lexiform eval compare`: results of several runs on the same files, pair by pair.

use std::path::PathBuf;

use clap::Args;
use lexiform_eval::{RunComparison, compare_runs};

use super::resampling::ResamplingArgs;
use super::show;
use super::watch::watched;
use crate::error::Outcome;
use crate::output::{self, Align};

/// Compare runs on the same files: is one better, or was it luck?
#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Folders that --report wrote, or tables with the columns file, label, predicted; each is compared with the first
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Print a JSON object for each run
    #[arg(long)]
    json: bool,
}

impl CompareArgs {
    /// Compares and shows.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let resampling = self.resampling.resampling();
        self.show(&watched(|events| compare_runs(&self.runs, resampling, events))?)?;
        Ok(Outcome::Done)
    }

    fn show(&self, lines: &[RunComparison]) -> anyhow::Result<()> {
        if self.json {
            return lines.iter().try_for_each(output::json);
        }
        let columns = [
            ("run", Align::Left),
            ("shapes", Align::Right),
            ("top 1", Align::Right),
            ("less the first's", Align::Right),
            ("only the first right", Align::Right),
            ("only this right", Align::Right),
            ("p", Align::Right),
        ];
        let row = |line: &RunComparison| {
            let mut row = vec![
                line.run.clone(),
                line.shapes.to_string(),
                show::with_interval(line.top_1, line.interval),
            ];
            row.extend(match &line.against_first {
                None => [String::new(), String::new(), String::new(), String::new()],
                Some(p) => {
                    let [difference, chance] = show::paired(p);
                    [difference, p.only_first.to_string(), p.only_second.to_string(), chance]
                }
            });
            row
        };
        Ok(output::line(output::table(&columns, &lines.iter().map(row).collect::<Vec<_>>()))?)
    }
}
