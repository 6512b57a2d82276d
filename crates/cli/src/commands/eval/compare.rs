//! `lexiform eval compare`: results of several runs on the same files, pair by pair.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, ensure};
use clap::Args;
use lexiform_eval::bootstrap::intervals;
use lexiform_eval::paired::Paired;
use lexiform_eval::report::read_cases;
use serde::Serialize;

use super::beside::{self, Cases};
use super::{ResamplingArgs, show};
use crate::failure::Verdict;
use crate::output::{self, Align};

/// The table of cases in a report's folder.
const CASES: &str = "cases.csv";

/// Compare runs on the same files: is one better, or was it luck?
#[derive(Args)]
pub struct CompareArgs {
    /// Folders that --report wrote, or tables with the columns file, label, predicted; each is compared with the first
    #[arg(required = true, num_args = 2.., value_name = "RUN")]
    runs: Vec<PathBuf>,
    #[command(flatten)]
    resampling: ResamplingArgs,
    /// Print a JSON object for each run
    #[arg(long)]
    json: bool,
}

/// A run beside the first.
#[derive(Serialize)]
struct Line {
    run: String,
    shapes: usize,
    top_1: f64,
    interval: lexiform_eval::Interval,
    #[serde(skip_serializing_if = "Option::is_none")]
    against_first: Option<Paired>,
}

impl CompareArgs {
    /// Compares and shows.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let runs = self.runs.iter().map(|run| cases(run)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut lines = Vec::new();
        for (i, (name, run)) in self.runs.iter().zip(&runs).enumerate() {
            let paired = beside::against(&runs[0], run, self.resampling.resampling())?;
            let first = self.runs[0].display();
            let none = || anyhow!("{}: no file is also in {first}", name.display());
            let paired = paired.ok_or_else(none)?;
            if paired.items < run.len().max(runs[0].len()) {
                output::note(format!(
                    "note: {} files are in both {first} and {}",
                    paired.items,
                    name.display()
                ));
            }
            let share = |right: usize| right as f64 / run.len() as f64;
            let [interval] = intervals(run.len(), self.resampling.resampling(), |draw| {
                [share(draw.iter().filter(|item| run[**item].1).count())]
            });
            lines.push(Line {
                run: name.display().to_string(),
                shapes: run.len(),
                top_1: share(run.iter().filter(|case| case.1).count()),
                interval,
                against_first: (i > 0).then_some(paired),
            });
        }
        self.show(&lines)?;
        Ok(Verdict::Done)
    }

    fn show(&self, lines: &[Line]) -> anyhow::Result<()> {
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
        let row = |line: &Line| {
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

/// Files of a run, and whether each was named right.
fn cases(run: &Path) -> anyhow::Result<Cases> {
    let path = if run.is_dir() { run.join(CASES) } else { run.to_owned() };
    let mut reader = csv::Reader::from_path(&path).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    let header = reader.headers()?.clone();
    let records = reader.records().collect::<Result<Vec<_>, _>>();
    let records = records.map_err(|error| anyhow!("{}: {error}", path.display()))?;
    let header: Vec<&str> = header.iter().collect();
    let rows = records.iter().map(|record| record.iter().collect::<Vec<&str>>());
    let cases = read_cases(&header, rows).map_err(|error| anyhow!("{}: {error}", path.display()))?;
    ensure!(!cases.is_empty(), "{}: expected a line for each file, found none", path.display());
    Ok(cases)
}
