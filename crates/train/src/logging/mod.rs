//! A run's traces in its folder: a line of JSON an event, TensorBoard's event files, and curves at the end.

mod curves;
mod tensorboard;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lexiform_formats::FileWriter;
use serde_json::Value;

use crate::event::TrainEvent;
use tensorboard::EventFile;

/// Writes what happens into the run's folder.
pub struct Watcher {
    out: PathBuf,
    started: SystemTime,
    log: Option<fs_err::File>,
    board: Option<EventFile>,
}

impl Watcher {
    /// Watches the run in `out`; nothing is written before it starts. `started` dates TensorBoard's events.
    pub fn new(out: &Path, started: SystemTime) -> Self {
        Self { out: out.to_owned(), started, log: None, board: None }
    }

    /// Logs an event.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub fn see(&mut self, event: &TrainEvent) -> std::io::Result<()> {
        if let TrainEvent::Start(plan) = event {
            self.open(plan.done)?;
        }
        let Some(log) = &mut self.log else { return Ok(()) };
        let line = serde_json::to_string(event).map_err(std::io::Error::other)?;
        writeln!(log, "{line}")?;
        if let Some(board) = &mut self.board {
            board.write(event)?;
        }
        Ok(())
    }

    /// Draws the curves of the whole run, those of before it went on included; gives the picture's path.
    ///
    /// # Errors
    /// If the log cannot be read or the picture not written.
    pub fn finish(&self) -> std::io::Result<PathBuf> {
        let events = read_log(&self.log_path())?;
        let path = self.out.join("curves.svg");
        fs_err::write(&path, curves::draw(&events))?;
        Ok(path)
    }

    /// Files for a run of which `done` steps are done. What the log says of later steps is of a run that was cut off
    /// after its last checkpoint: it will happen again.
    fn open(&mut self, done: usize) -> std::io::Result<()> {
        let path = self.log_path();
        let text = if path.is_file() && done > 0 { fs_err::read_to_string(&path)? } else { String::new() };
        // As they were written: what reads a number and writes it again may change its last digit.
        let is_past = |line: &&str| serde_json::from_str(line).is_ok_and(|event| step_of(&event) <= done);
        let mut file = FileWriter::create(&path)?;
        for line in text.lines().filter(is_past) {
            writeln!(file, "{line}")?;
        }
        self.log = Some(fs_err::File::from_parts(file.commit()?, path));
        self.board = Some(EventFile::create(&self.out.join("tensorboard"), self.started, done)?);
        Ok(())
    }

    fn log_path(&self) -> PathBuf {
        self.out.join("log.jsonl")
    }
}

fn step_of(event: &Value) -> usize {
    event["step"].as_u64().unwrap_or(0) as usize
}

/// All events of a log; a line that was cut off is passed over.
fn read_log(path: &Path) -> std::io::Result<Vec<Value>> {
    let text = fs_err::read_to_string(path)?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::event::{Plan, Step};

    fn start(done: usize) -> TrainEvent {
        let groups = Vec::new();
        let (parameters, frozen, categories, vocabulary, bytes) = (1, 0, 2, 3, 4);
        TrainEvent::Start(Plan {
            steps: 6,
            done,
            steps_per_epoch: 2,
            groups,
            parameters,
            frozen,
            categories,
            vocabulary,
            bytes,
        })
    }

    fn step(step: usize) -> TrainEvent {
        let losses = BTreeMap::from([("captions".to_owned(), 1.0 / step as f64)]);
        TrainEvent::Step(Step {
            step,
            loss: 1.0 / step as f64,
            losses,
            accuracies: BTreeMap::from([("captions".to_owned(), 0.25)]),
            rates: BTreeMap::from([("rest".to_owned(), 1e-3)]),
            norms: BTreeMap::new(),
            logit_scale: 2.0,
            shapes_per_second: 10.0,
            images_per_second: 20.0,
            seconds: 0.5,
            waiting: 0.1,
            drawing: 0.2,
        })
    }

    #[test]
    fn a_run_that_goes_on_has_every_step_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Watcher::new(folder.path(), SystemTime::UNIX_EPOCH);
        first.see(&start(0)).unwrap();
        for i in 1..=4 {
            first.see(&step(i)).unwrap();
        }
        drop(first);
        let mut second = Watcher::new(folder.path(), SystemTime::UNIX_EPOCH);
        second.see(&start(2)).unwrap();
        for i in 3..=6 {
            second.see(&step(i)).unwrap();
        }
        let steps: Vec<usize> = read_log(&folder.path().join("log.jsonl"))
            .unwrap()
            .iter()
            .map(step_of)
            .filter(|s| *s > 0)
            .collect();
        assert_eq!(steps, [1, 2, 3, 4, 5, 6]);
        let picture = std::fs::read_to_string(second.finish().unwrap()).unwrap();
        assert!(picture.starts_with("<svg") && picture.contains("captions") && picture.contains("matched"));
    }
}
