//! How a run that fills a data set is shown: a bar, or one JSON object a line with rate and time left.

use std::path::Path;
use std::time::Instant;

use clap::Args;
use lexiform_data::annotations::MatchCounts;
use lexiform_data::{
    BuildEvent, BuildOptions, BuildSummary, Partition, Producer, build_dataset, is_remote, merge_partitions,
};
use serde_json::{Value, json};

use crate::failure::{Usage, Verdict};
use crate::jobs::JobsArg;
use crate::progress::Progress;
use crate::{indexing, output};

/// What `prepare` and `import` have in common.
#[derive(Args, Debug)]
pub struct FillArgs {
    /// Make only part I of N, counted from 0; the parts together are the data set: `data merge` joins them
    #[arg(long, value_name = "I/N", default_value = "0/1", hide_default_value = true)]
    shard: Partition,
    #[command(flatten)]
    pub jobs: JobsArg,
    /// Size at which a shard is ended, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=65536))]
    shard_size: u64,
    /// Try shapes again that failed before; shapes that a captioner left views of without a sentence are made anew
    #[arg(long)]
    retry_failed: bool,
    /// Fail if a shape cannot be used, or got no caption from a model that was asked
    #[arg(long)]
    strict: bool,
    /// Print one JSON object a line
    #[arg(long)]
    pub json: bool,
}

impl FillArgs {
    /// Fills the data set, shows how it goes, and merges what is not divided.
    pub fn fill(&self, producer: &dyn Producer, dataset: &Path) -> anyhow::Result<Verdict> {
        let options = BuildOptions {
            partition: self.shard,
            num_workers: self.jobs.count(),
            shard_bytes: self.shard_size << 20,
            retry_failed: self.retry_failed,
        };
        let matched = producer.match_counts();
        if let Some(warning) = matched.warning(producer.jobs().first().map(|job| job.source.as_str())) {
            warn(&warning, self.json)?;
        }
        let mut telling = Telling::new(self.json);
        let summary = build_dataset(producer, dataset, &options, &mut |event| telling.tell(event))?;
        let failed = telling.finish(&summary, matched)?;
        if self.shard == Partition::ALL {
            super::show(dataset, &merge_partitions(dataset)?, self.json)?;
        } else if !self.json {
            output::note(format!(
                "when all {} parts are done: lexiform data merge {}",
                self.shard.count,
                dataset.display()
            ));
        }
        Ok(if self.strict && failed > 0 { Verdict::Failed } else { Verdict::Done })
    }
}

/// Tells of a trap.
pub fn warn(warning: &str, json: bool) -> anyhow::Result<()> {
    if json {
        return output::json(&json!({ "event": "warning", "warning": warning }));
    }
    output::note(format!("warning: {warning}"));
    Ok(())
}

/// Refuses to make a data set anywhere but on this machine: shards grow, are cut after their last whole shape, and renamed.
pub fn here(dataset: &Path) -> anyhow::Result<()> {
    if is_remote(dataset) {
        let dataset = dataset.display();
        let message = format!(
            "{dataset}: a data set is made in a folder; `lexiform data copy FOLDER {dataset}` brings it there"
        );
        return Err(Usage(message).into());
    }
    Ok(())
}

struct Telling {
    json: bool,
    started: Instant,
    progress: Option<Progress>,
    todo: usize,
    done: usize,
    failed: Vec<(String, String)>,
    /// The last shape that a captioner refused, and why.
    refused: Option<String>,
    told: anyhow::Result<()>,
}

impl Telling {
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
            told: Ok(()),
        }
    }

    fn tell(&mut self, event: BuildEvent) {
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

    /// Shapes a minute so far, and seconds that are left at that rate.
    fn with_rate(&self, mut line: Value) -> Value {
        let seconds = self.started.elapsed().as_secs_f64().max(1e-3);
        let rate = self.done as f64 / seconds;
        line["done"] = self.done.into();
        line["of"] = self.todo.into();
        line["per_minute"] = json!((rate * 600.0).round() / 10.0);
        line["seconds_left"] = json!((self.todo.saturating_sub(self.done) as f64 / rate).round());
        line
    }

    fn line(&mut self, line: Value) {
        if self.json && self.told.is_ok() {
            self.told = output::json(&line);
        }
    }

    /// Tells the totals; gives how many shapes failed or got no caption, those of earlier runs too.
    fn finish(mut self, summary: &BuildSummary, facts: MatchCounts) -> anyhow::Result<usize> {
        self.progress = None;
        let seconds = self.started.elapsed().as_secs_f64();
        let per_minute = summary.written as f64 * 60.0 / seconds.max(1e-3);
        self.line(json!({
            "event": "finished", "written": summary.written, "before": summary.already_written, "failed": summary.failed,
            "uncaptioned": summary.without_captions, "partly_captioned": summary.missing_some_captions,
            "facts": facts.rows, "facts_matched": facts.matched, "seconds": seconds, "per_minute": per_minute,
        }));
        std::mem::replace(&mut self.told, Ok(()))?;
        if !self.json {
            indexing::list_failed(&self.failed);
            output::note(format!(
                "{} written, {} there before, {} failed in {seconds:.1} s ({per_minute:.0} a minute)",
                summary.written, summary.already_written, summary.failed
            ));
            if facts.rows > 0 {
                output::note(format!("{} of {} rows of facts matched", facts.matched, facts.rows));
            }
            self.tell_refused(summary);
        }
        Ok(summary.failed + summary.without_captions)
    }

    /// Says where captions are missing, if they are.
    fn tell_refused(&self, summary: &BuildSummary) {
        let BuildSummary { without_captions: uncaptioned, missing_some_captions: partly_captioned, .. } =
            *summary;
        if uncaptioned + partly_captioned == 0 {
            return;
        }
        let last = self.refused.as_ref().map_or_else(String::new, |last| format!(" (the last: {last})"));
        output::note(format!(
            "captions are missing: {} got none, {} none for some views{last}",
            output::count(uncaptioned, "shape"),
            output::count(partly_captioned, "shape"),
        ));
        output::note("hint: the same with --retry-failed asks about them again");
    }
}
