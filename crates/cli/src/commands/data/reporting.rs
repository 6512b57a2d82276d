//! Progress of a run that builds a data set: a bar, or JSON lines with rate and remaining time.

use std::path::Path;
use std::time::Instant;

use clap::Args;
use lexiform_data::annotations::MatchCounts;
use lexiform_data::{
    BuildEvent, BuildOptions, BuildSummary, Partition, Producer, build_dataset, is_remote, merge_partitions,
};
use serde_json::{Value, json};

use super::summary;
use crate::error::{Outcome, UsageError};
use crate::jobs::JobsArg;
use crate::output_file::ForceArg;
use crate::progress::Progress;
use crate::{indexing, output};

/// Options of `prepare`, `import`, `caption` and `features`.
#[derive(Args, Debug)]
pub(crate) struct MakeArgs {
    /// Build only partition I of N, counted from 0; `data merge` merges the partitions
    #[arg(long, value_name = "I/N", default_value = "0/1", hide_default_value = true)]
    partition: Partition,
    #[command(flatten)]
    pub(crate) jobs: JobsArg,
    /// Size of a shard in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=65536))]
    shard_size: u64,
    /// Retry shapes that failed before, and rebuild shapes with missing captions
    #[arg(long)]
    pub(crate) retry_failed: bool,
    /// Fail if a shape cannot be used, or the captioner wrote no caption for it
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per event
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    force: ForceArg,
}

impl MakeArgs {
    /// Checks that the data set can be built in a folder. Shards grow, are cut after their last whole shape, and renamed, so it has
    /// to be on this machine.
    pub(crate) fn check_folder(&self, dataset: &Path) -> anyhow::Result<()> {
        if is_remote(dataset) {
            let dataset = dataset.display();
            let message = format!(
                "{dataset}: expected a folder; build the data set there, then `lexiform data copy FOLDER {dataset}`"
            );
            return Err(UsageError(message).into());
        }
        self.force.dataset(dataset)
    }

    /// Builds the data set, reports progress, and merges it unless it is one of several partitions.
    pub(crate) fn make(&self, producer: &dyn Producer, dataset: &Path) -> anyhow::Result<Outcome> {
        let failed = self.build(producer, dataset)?;
        // Partitions may be built on other machines, so only the user knows when all are finished.
        if self.is_whole() {
            summary::print(dataset, &merge_partitions(dataset)?, self.json)?;
        } else if !self.json {
            output::note(format!(
                "when all {} partitions are finished: lexiform data merge {}",
                self.partition.count,
                dataset.display()
            ));
        }
        Ok(self.outcome(failed))
    }

    /// Whether all shapes are built, not one of several partitions.
    pub(crate) fn is_whole(&self) -> bool {
        self.partition == Partition::ALL
    }

    /// The outcome of a run in which `failed` shapes could not be used or have no caption.
    pub(crate) fn outcome(&self, failed: usize) -> Outcome {
        if self.strict && failed > 0 { Outcome::Failed } else { Outcome::Done }
    }

    /// Builds the partition and reports progress. Returns how many shapes failed or have no caption.
    pub(crate) fn build(&self, producer: &dyn Producer, dataset: &Path) -> anyhow::Result<usize> {
        let options = BuildOptions {
            partition: self.partition,
            num_workers: self.jobs.count(),
            shard_bytes: self.shard_size << 20,
            retry_failed: self.retry_failed,
        };
        let matched = producer.match_counts();
        if let Some(warning) = matched.warning(producer.jobs().first().map(|job| job.source.as_str())) {
            warn(&warning, self.json)?;
        }
        let mut reporter = MakeReporter::new(self.json);
        let result = build_dataset(producer, dataset, &options, &mut |event| reporter.report(event))?;
        reporter.finish(&result, matched)
    }
}

/// Prints a warning.
pub(crate) fn warn(warning: &str, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(&json!({ "event": "warning", "warning": warning }));
    }
    output::note(format!("warning: {warning}"));
    Ok(())
}

/// Prints events, and collects what the totals need.
struct MakeReporter {
    json: bool,
    started: Instant,
    progress: Option<Progress>,
    todo: usize,
    done: usize,
    failed: Vec<(String, String)>,
    /// The last shape that the captioner refused, and the reason.
    refused: Option<String>,
    output_result: anyhow::Result<()>,
}

impl MakeReporter {
    fn new(json: bool) -> Self {
        let started = Instant::now();
        Self {
            json,
            started,
            progress: None,
            todo: 0,
            done: 0,
            failed: Vec::new(),
            refused: None,
            output_result: Ok(()),
        }
    }

    fn report(&mut self, event: BuildEvent) {
        match event {
            BuildEvent::Planned { shapes, written, failed } => {
                self.todo = shapes - written - failed;
                self.progress = (!self.json && self.todo > 0).then(|| Progress::new(self.todo));
                self.line(
                    json!({ "event": "planned", "shapes": shapes, "written": written, "failed": failed }),
                );
            }
            BuildEvent::Written { key, source, missing_captions: refused } => {
                self.step(&source);
                let mut line = json!({ "event": "written", "key": key, "source": source });
                if let Some(refused) = refused {
                    line["missing_captions"] = json!(refused);
                    self.refused = Some(format!("{source}: {}", refused.reason));
                }
                self.line(self.with_rate(line));
            }
            BuildEvent::Failed(failed) => {
                self.step(&failed.source);
                self.line(json!({ "event": "failed", "key": failed.key, "source": failed.source, "error": failed.reason }));
                self.failed.push((failed.source, failed.reason));
            }
            BuildEvent::Shard(shard) => {
                self.line(json!({
                    "event": "shard", "file": shard.file, "bytes": shard.bytes, "shapes": shard.shapes, "sha256": shard.sha256,
                }));
            }
        }
    }

    fn step(&mut self, source: &str) {
        self.done += 1;
        if let Some(progress) = &self.progress {
            progress.step(source.rsplit('/').next().unwrap_or(source));
        }
    }

    /// Adds the rate so far, and the remaining time at that rate.
    fn with_rate(&self, mut line: Value) -> Value {
        // The first shape may be done before the clock ticks.
        let seconds = self.started.elapsed().as_secs_f64().max(1e-3);
        let rate = self.done as f64 / seconds;
        line["done"] = self.done.into();
        line["total"] = self.todo.into();
        line["shapes_per_minute"] = json!((rate * 600.0).round() / 10.0);
        line["eta_seconds"] = json!((self.todo.saturating_sub(self.done) as f64 / rate).round());
        line
    }

    fn line(&mut self, line: Value) {
        if self.json && self.output_result.is_ok() {
            self.output_result = output::json(&line);
        }
    }

    /// Prints the totals. Returns how many shapes failed or have no caption, including those of earlier runs.
    fn finish(mut self, summary: &BuildSummary, annotations: MatchCounts) -> anyhow::Result<usize> {
        self.progress = None;
        let seconds = self.started.elapsed().as_secs_f64();
        let per_minute = summary.written as f64 * 60.0 / seconds.max(1e-3);
        self.line(json!({
            "event": "finished", "written": summary.written, "existing": summary.already_written, "failed": summary.failed,
            "uncaptioned": summary.without_captions, "partially_captioned": summary.missing_some_captions,
            "annotations": annotations.rows, "annotations_matched": annotations.matched, "seconds": seconds,
            "shapes_per_minute": per_minute,
        }));
        // A closed standard output did not stop the build; it is an error only now.
        std::mem::replace(&mut self.output_result, Ok(()))?;
        if !self.json {
            indexing::list_failed(&self.failed);
            output::note(format!(
                "{} written, {} existing, {} failed in {seconds:.1} s ({per_minute:.0} per minute)",
                summary.written, summary.already_written, summary.failed
            ));
            if annotations.rows > 0 {
                output::note(format!(
                    "{} of {} annotation rows matched",
                    annotations.matched, annotations.rows
                ));
            }
            self.report_missing_captions(summary);
        }
        Ok(summary.failed + summary.without_captions)
    }

    /// Reports shapes with missing captions.
    fn report_missing_captions(&self, summary: &BuildSummary) {
        let BuildSummary { without_captions: uncaptioned, missing_some_captions: partly_captioned, .. } =
            *summary;
        if uncaptioned + partly_captioned == 0 {
            return;
        }
        let last = self.refused.as_ref().map_or_else(String::new, |last| format!(" (last: {last})"));
        output::note(format!(
            "missing captions: {} without any, {} without some views'{last}",
            output::quantity(uncaptioned, "shape"),
            output::quantity(partly_captioned, "shape"),
        ));
        output::note("hint: run again with --retry-failed to request them again");
    }
}
