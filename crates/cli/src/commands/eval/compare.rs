//! `lexiform eval compare`: paired comparison of several runs on the same files.

use std::path::PathBuf;

use clap::Args;
use lexiform_eval::{RunComparison, compare_runs};

use super::progress::with_progress;
use super::resampling::ResamplingArgs;
use super::show;
use crate::error::Outcome;
use crate::output::{self, Align};

/// Compare runs on the same files with a paired significance test
#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Report folders, or CSV files with the columns file, label and predicted; each is compared with the first
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Print a JSON object for each run
    #[arg(long)]
    json: bool,
}

impl CompareArgs {
    /// Compares the runs and prints the results.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let resampling = self.resampling.resampling();
        self.show(&with_progress(|events| compare_runs(&self.runs, resampling, events))?)?;
        Ok(Outcome::Done)
    }

    fn show(&self, lines: &[RunComparison]) -> anyhow::Result<()> {
        if self.json {
            return lines.iter().try_for_each(output::json);
        }
        let columns = [
            ("run", Align::Left),
            ("shapes", Align::Right),
            ("top-1", Align::Right),
            ("vs. first", Align::Right),
            ("only first correct", Align::Right),
            ("only this correct", Align::Right),
            ("p", Align::Right),
        ];
        let row = |line: &RunComparison| {
            let mut row = vec![
                line.run.clone(),
                line.shapes.to_string(),
                show::with_interval(line.top_1, line.interval),
            ];
            row.extend(match &line.against_first {
                // The first run has nothing to be compared with.
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
