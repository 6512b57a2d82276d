//! Logs of a run in its output folder: `log.jsonl` (one event per line), TensorBoard event files, and `curves.svg` at the end.

mod curves;
mod tensorboard;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lexiform_formats::FileWriter;
use serde_json::Value;

use crate::event::TrainEvent;
use tensorboard::EventFile;

/// Writes the events of a run to `log.jsonl` and TensorBoard, and plots curves at the end.
///
/// ```no_run
/// use std::path::Path;
/// use std::time::SystemTime;
///
/// use lexiform_train::{FitOptions, Recipe, RunLogger, fit};
///
/// let recipe = Recipe::read(Path::new("recipes/nano.toml"), &[])?;
/// let out = Path::new("runs/nano");
/// let mut logger = RunLogger::new(out, SystemTime::now());
/// let model = fit(&recipe, out, &FitOptions::default(), &mut |event| {
///     logger.log(&event).expect("the output folder is writable");
/// })?;
/// logger.finish()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RunLogger {
    out: PathBuf,
    started: SystemTime,
    file: Option<fs_err::File>,
    tensorboard: Option<EventFile>,
}

impl RunLogger {
    /// A logger for the run in `out`; files are created at [`TrainEvent::Start`]. `started` is the time stamp in TensorBoard.
    pub fn new(out: &Path, started: SystemTime) -> Self {
        Self { out: out.to_owned(), started, file: None, tensorboard: None }
    }

    /// Logs an event.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub fn log(&mut self, event: &TrainEvent) -> std::io::Result<()> {
        // Events before the start are not part of the run: it may still fail.
        if let TrainEvent::Start(plan) = event {
            self.open(plan.start_step)?;
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        let line = serde_json::to_string(event).map_err(std::io::Error::other)?;
        writeln!(file, "{line}")?;
        if let Some(tensorboard) = &mut self.tensorboard {
            tensorboard.write(event)?;
        }
        Ok(())
    }

    /// Plots the curves of the whole run, including steps before a resume; returns the path of the SVG.
    ///
    /// # Errors
    /// If the log cannot be read or the SVG not be written.
    pub fn finish(&self) -> std::io::Result<PathBuf> {
        let events = read_log(&self.log_path())?;
        let path = self.out.join("curves.svg");
        fs_err::write(&path, curves::plot(&events))?;
        Ok(path)
    }

    /// Opens the files of a run that starts after `done` steps. Later steps in the log are those of a run that was killed after
    /// its last checkpoint, and are dropped: they will be taken again.
    fn open(&mut self, done: usize) -> std::io::Result<()> {
        let path = self.log_path();
        let text = if path.is_file() && done > 0 { fs_err::read_to_string(&path)? } else { String::new() };
        // Lines are copied verbatim: parsing and printing a number may change its last digit.
        let is_past = |line: &&str| serde_json::from_str(line).is_ok_and(|event| step_of(&event) <= done);
        let mut file = FileWriter::create(&path)?;
        for line in text.lines().filter(is_past) {
            writeln!(file, "{line}")?;
        }
        self.file = Some(fs_err::File::from_parts(file.commit()?, path));
        self.tensorboard = Some(EventFile::create(&self.out.join("tensorboard"), self.started, done)?);
        Ok(())
    }

    fn log_path(&self) -> PathBuf {
        self.out.join("log.jsonl")
    }
}

fn step_of(event: &Value) -> usize {
    event["step"].as_u64().unwrap_or(0) as usize
}

/// All events of a log; a truncated last line is skipped.
pub(crate) fn read_log(path: &Path) -> std::io::Result<Vec<Value>> {
    let text = fs_err::read_to_string(path)?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::event::{StepMetrics, TrainPlan};

    fn start(done: usize) -> TrainEvent {
        let groups = Vec::new();
        TrainEvent::Start(TrainPlan {
            steps: 6,
            start_step: done,
            steps_per_epoch: 2,
            groups,
            trainable_parameters: 1,
            frozen_parameters: 0,
            categories: 2,
            vocabulary_size: 3,
            memory_bytes: 4,
        })
    }

    fn step(step: usize) -> TrainEvent {
        let losses = BTreeMap::from([("captions".to_owned(), 1.0 / step as f64)]);
        TrainEvent::Step(StepMetrics {
            step,
            loss: 1.0 / step as f64,
            losses,
            accuracies: BTreeMap::from([("captions".to_owned(), 0.25)]),
            learning_rates: BTreeMap::from([("rest".to_owned(), 1e-3)]),
            grad_norms: BTreeMap::new(),
            logit_scale: 2.0,
            shapes_per_second: 10.0,
            images_per_second: 20.0,
            seconds: 0.5,
            data_wait: 0.1,
            data_load: 0.2,
        })
    }

    #[test]
    fn a_resumed_run_logs_every_step_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = RunLogger::new(folder.path(), SystemTime::UNIX_EPOCH);
        first.log(&start(0)).unwrap();
        for i in 1..=4 {
            first.log(&step(i)).unwrap();
        }
        drop(first);
        let mut second = RunLogger::new(folder.path(), SystemTime::UNIX_EPOCH);
        second.log(&start(2)).unwrap();
        for i in 3..=6 {
            second.log(&step(i)).unwrap();
        }
        let steps: Vec<usize> = read_log(&folder.path().join("log.jsonl"))
            .unwrap()
            .iter()
            .map(step_of)
            .filter(|s| *s > 0)
            .collect();
        assert_eq!(steps, [1, 2, 3, 4, 5, 6]);
        let picture = std::fs::read_to_string(second.finish().unwrap()).unwrap();
        assert!(
            picture.starts_with("<svg") && picture.contains("captions") && picture.contains("batch accuracy")
        );
    }
}
