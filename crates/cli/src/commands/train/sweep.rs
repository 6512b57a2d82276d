//! `lexiform train --sweep`: one run per combination of values, and one table.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use lexiform_train::{FitOptions, Recipe, Sweep, SweepResult, SweepRun, check_no_run, write_sweep};
use serde_json::json;

use super::{TrainArgs, read_recipe, with_exists_hint};
use crate::error::{Outcome, UsageError, WithHint as _};
use crate::output::{self, Align};

/// A run of a sweep that can be started.
struct PlannedRun {
    run: SweepRun,
    recipe: Recipe,
    out: PathBuf,
}

impl TrainArgs {
    /// Trains every combination of the swept values. A run that fails does not stop the others; the table says why it failed.
    pub(super) fn run_sweep(&self, options: &FitOptions) -> anyhow::Result<Outcome> {
        let sweep = Sweep::parse(&self.sweep)?;
        let (out, runs) = self.plan_sweep(&sweep)?;
        if self.dry_run {
            for (index, planned) in runs.iter().enumerate() {
                self.announce(index, &runs)?;
                self.show_dry_run(&planned.recipe, options)?;
            }
            return Ok(Outcome::Done);
        }
        let mut results: Vec<SweepResult> = Vec::with_capacity(runs.len());
        for (index, planned) in runs.iter().enumerate() {
            self.announce(index, &runs)?;
            let PlannedRun { run, recipe, out: folder } = planned;
            let trained =
                self.train(recipe, folder, options).and_then(|_| Ok(SweepResult::read(run, folder)?));
            results.push(trained.unwrap_or_else(|error| {
                output::note(format!("{}: failed: {error:#}", run.name));
                SweepResult::failed(run, folder, format!("{error:#}"))
            }));
            // After each run, so that an interrupted sweep has a table of what is done.
            write_sweep(&out, &sweep.keys(), &results)?;
        }
        self.show_results(&sweep.keys(), &results)?;
        output::note(format!("table: {}", out.join("sweep.csv").display()));
        match results.iter().filter(|result| result.error.is_some()).count() {
            0 => Ok(Outcome::Done),
            failed => Err(anyhow!("{failed} of {} runs failed", results.len()))
                .hint("their errors are in sweep.csv; correct them and add --resume"),
        }
    }

    /// The output folder and all runs: every recipe is read, and no folder may have a run, before the first one starts.
    fn plan_sweep(&self, sweep: &Sweep) -> anyhow::Result<(PathBuf, Vec<PlannedRun>)> {
        let [path] = &self.recipes[..] else {
            return Err(UsageError("--sweep is for a single recipe".to_owned()).into());
        };
        let runs = sweep.runs();
        let read = |run: &SweepRun| read_recipe(path, &[&self.set[..], &run.settings].concat());
        let recipes = runs.iter().map(read).collect::<anyhow::Result<Vec<Recipe>>>()?;
        let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&recipes[0].name));
        let mut planned = Vec::with_capacity(runs.len());
        for (run, recipe) in runs.into_iter().zip(recipes) {
            let folder = out.join(&run.name);
            if !self.resume && !self.dry_run {
                with_exists_hint(check_no_run(&folder))?;
            }
            planned.push(PlannedRun { run, recipe, out: folder });
        }
        if !self.dry_run {
            fs_err::create_dir_all(&out)?;
        }
        Ok((out, planned))
    }

    fn announce(&self, index: usize, all: &[PlannedRun]) -> anyhow::Result<()> {
        let run = &all[index].run;
        if self.json {
            return output::json(
                &json!({ "event": "sweep-run", "run": run.name, "index": index, "runs": all.len() }),
            );
        }
        output::note(format!("run {} of {}: {}", index + 1, all.len(), run.settings.join(", ")));
        Ok(())
    }

    fn show_results(&self, keys: &[String], results: &[SweepResult]) -> anyhow::Result<()> {
        if self.json {
            return output::json(&json!({ "event": "sweep", "keys": keys, "runs": results }));
        }
        let measures = ["steps", "loss", "val top-1", "val top-5", "best step"];
        let columns: Vec<(&str, Align)> =
            keys.iter().map(String::as_str).chain(measures).map(|name| (name, Align::Right)).collect();
        let rows: Vec<Vec<String>> = results.iter().map(row).collect();
        Ok(output::line(output::table(&columns, &rows))?)
    }
}

fn row(result: &SweepResult) -> Vec<String> {
    let share =
        |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{:.1} %", 100.0 * value));
    let loss = match (&result.error, result.loss) {
        (Some(_), _) => "failed".to_owned(),
        (None, loss) => loss.map_or("–".to_owned(), |loss| format!("{loss:.4}")),
    };
    let step = result.best_step.map_or("–".to_owned(), |step| step.to_string());
    let measures = [result.steps.to_string(), loss, share(result.top_1), share(result.top_5), step];
    result.values.iter().cloned().chain(measures).collect()
}
