//! Filling a data set: many shapes at a time, written in a fixed order, from wherever an earlier run stopped.
//!
//! The order follows from keys alone, so a data set has the same bytes at any number of threads and however often its
//! making was interrupted; and neighbors in a shard are unrelated, as training wants them.

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;

use crate::shard::{Failed, PartWriter, ShardEntry};
use crate::table::Matched;
use crate::{DataError, Key, Part, Refused, Shape};

/// Where shapes come from.
pub trait Producer: Sync {
    /// Every shape it can give, in any order.
    fn jobs(&self) -> &[Job];
    /// All that decides what the shapes look like; a run that goes on must have the same.
    fn settings(&self) -> Value;
    /// How many rows of the user's facts are about one of the shapes.
    fn matched(&self) -> Matched {
        Matched::default()
    }
    /// Makes the shape of job `index`; called from many threads.
    ///
    /// # Errors
    /// [`Problem`] says whether this shape or the whole run is at fault.
    fn produce(&self, index: usize) -> Result<Shape, Problem>;
    /// Threads it wants beyond the processors, because it waits for others.
    fn waiting(&self) -> usize {
        0
    }
}

/// A shape to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its name in the data set.
    pub key: Key,
    /// Where it comes from.
    pub source: String,
}

/// Why a shape was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// It cannot be used; the run goes on.
    Shape(String),
    /// Nothing would succeed now: a server is gone, a model fails. The run stops and can be resumed.
    Stop {
        /// What happened.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

/// How to fill a data set.
#[derive(Clone, Debug)]
pub struct MakeOptions {
    /// Which of the shapes are made by this run.
    pub part: Part,
    /// Shapes in the making at the same time; 0 is one for each processor.
    pub jobs: usize,
    /// Size at which a shard is ended, in bytes.
    pub shard_bytes: u64,
    /// Try shapes again that failed before, and ask again about those that a captioner refused.
    pub retry_failed: bool,
}

impl Default for MakeOptions {
    fn default() -> Self {
        Self { part: Part::WHOLE, jobs: 0, shard_bytes: 256 << 20, retry_failed: false }
    }
}

/// What a run tells while it works; on the thread that called, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// What there is to do.
    Planned {
        /// Shapes of this part.
        shapes: usize,
        /// Of these, written by earlier runs.
        written: usize,
        /// Of these, failed in earlier runs and not tried again.
        failed: usize,
    },
    /// A shape is in its shard.
    Written {
        /// Its name in the data set.
        key: String,
        /// Where it comes from.
        source: String,
        /// What a captioner that was asked did not say.
        refused: Option<Refused>,
    },
    /// A shape cannot be used.
    Failed(Failed),
    /// A shard is whole.
    Shard(ShardEntry),
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MakeSummary {
    /// Shapes written by this run.
    pub written: usize,
    /// Shapes that were there before.
    pub before: usize,
    /// Shapes that cannot be used, those of earlier runs too.
    pub failed: usize,
    /// Shapes that a captioner was asked about and said nothing of, those of earlier runs too.
    pub uncaptioned: usize,
    /// Shapes that it said nothing of for some of their views, those of earlier runs too.
    pub partly_captioned: usize,
}

impl MakeSummary {
    fn count(&mut self, refused: &Refused) {
        *(if refused.is_all() { &mut self.uncaptioned } else { &mut self.partly_captioned }) += 1;
    }
}

/// Makes what is missing of one part of the data set in `folder`.
///
/// # Errors
/// What [`PartWriter::open`] says, a disk that cannot be written, or the producer's [`Problem::Stop`]. All that was
/// written stays, and the next run goes on from it. A run that is not divided and makes no shape is
/// [`DataError::Unusable`]; another may begin anew in its folder.
pub fn make(
    producer: &dyn Producer,
    folder: &Path,
    options: &MakeOptions,
    on_event: &mut dyn FnMut(Event),
) -> Result<MakeSummary, DataError> {
    let (mut writer, mut done) =
        PartWriter::open(folder, options.part, producer.settings(), options.shard_bytes)?;
    if options.retry_failed {
        writer.take_out_refused(&mut done)?;
    }
    let jobs = producer.jobs();
    let (mine, doubles) = plan(jobs, options.part);
    let todo: Vec<usize> =
        mine.iter().copied().filter(|job| !done.knows(&jobs[*job].key, options.retry_failed)).collect();
    let written = mine.iter().filter(|job| done.written.contains(jobs[**job].key.as_str())).count();
    let failed = mine.len() - todo.len() - written;
    on_event(Event::Planned { shapes: mine.len(), written, failed });
    let mut summary = MakeSummary { before: written, failed, ..MakeSummary::default() };
    done.refused.values().for_each(|one| summary.count(&one.refused));
    summary.failed += doubles.len();
    for double in doubles.iter().map(|(job, first)| double(&jobs[*job], &jobs[*first])) {
        if !done.failed.contains_key(&double.key) {
            writer.fail(&double)?;
        }
        on_event(Event::Failed(double));
    }
    let mut first_failed = done.failed.values().next().cloned();
    in_order(producer, &todo, options.jobs, &mut |job, made| {
        let Job { key, source } = &jobs[job];
        match made {
            Ok(shape) => {
                let refused = shape.about.refused.clone();
                refused.iter().for_each(|refused| summary.count(refused));
                let shard = writer.push(shape)?;
                summary.written += 1;
                on_event(Event::Written { key: key.to_string(), source: source.clone(), refused });
                shard.into_iter().for_each(|shard| on_event(Event::Shard(shard)));
            }
            Err(Problem::Shape(reason)) => {
                let failed = Failed { key: key.to_string(), source: source.clone(), reason };
                writer.fail(&failed)?;
                summary.failed += 1;
                first_failed.get_or_insert_with(|| failed.clone());
                on_event(Event::Failed(failed));
            }
            Err(Problem::Stop { reason, hint }) => {
                let (path, shape) = (folder.to_owned(), source.clone());
                return Err(DataError::Stopped { path, shape, reason, hint });
            }
        }
        Ok(())
    })?;
    if options.part == Part::WHOLE && done.written.is_empty() && summary.written == 0 {
        writer.abandon()?;
        return Err(nothing_made(folder, jobs.len(), first_failed));
    }
    writer.finish()?.into_iter().for_each(|shard| on_event(Event::Shard(shard)));
    Ok(summary)
}

/// A shape that cannot be used because `first` has its key.
fn double(job: &Job, first: &Job) -> Failed {
    Failed {
        key: format!("{}#{}", job.key, job.source),
        source: job.source.clone(),
        reason: format!("has the key of {}", first.source),
    }
}

fn nothing_made(folder: &Path, sources: usize, first: Option<Failed>) -> DataError {
    let first = first.map_or_else(String::new, |one| format!("; the first, {}: {}", one.source, one.reason));
    let hint = if sources == 0 {
        "no 3D files or shapes were found: check the path, and its format by `lexiform data formats`"
    } else {
        "check the files and their format; --json tells why each failed"
    };
    DataError::unusable(folder, format!("no shape was made of {sources} sources{first}"), hint)
}

/// Jobs of a part in the order of writing, and those whose key another job has, each with that other.
fn plan(jobs: &[Job], part: Part) -> (Vec<usize>, Vec<(usize, usize)>) {
    let mut mine: Vec<usize> = (0..jobs.len()).filter(|job| part.holds(&jobs[*job].key)).collect();
    mine.sort_by_cached_key(|job| {
        (jobs[*job].key.spread(), jobs[*job].key.clone(), jobs[*job].source.clone())
    });
    let mut first: HashMap<&Key, usize> = HashMap::with_capacity(mine.len());
    let mut doubles = Vec::new();
    mine.retain(|job| match first.get(&jobs[*job].key) {
        Some(other) => {
            doubles.push((*job, *other));
            false
        }
        None => first.insert(&jobs[*job].key, *job).is_none(),
    });
    (mine, doubles)
}

/// How far the workers are.
struct Front {
    /// Next position in the list to be taken up.
    next: usize,
    /// Positions that were written.
    written: usize,
    stop: bool,
}

type Made = (usize, Result<Shape, Problem>);

/// Produces the jobs of `todo` on several threads and hands them over in the order of the list. Workers run ahead by a
/// bounded number of shapes, so one slow shape holds up a bounded amount of memory.
fn in_order(
    producer: &dyn Producer,
    todo: &[usize],
    jobs: usize,
    take: &mut dyn FnMut(usize, Result<Shape, Problem>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = (if jobs == 0 { processors } else { jobs } + producer.waiting()).min(todo.len().max(1));
    let window = 2 * workers + 4;
    let front = Mutex::new(Front { next: 0, written: 0, stop: false });
    let moved = Condvar::new();
    let (send, receive) = channel();
    std::thread::scope(|scope| {
        let spawned: std::io::Result<()> = (0..workers).try_for_each(|_| {
            let send = send.clone();
            let (front, moved) = (&front, &moved);
            let work = move || work(producer, todo, window, (front, moved), &send);
            // Deep scenes recurse; the main thread's size is a good measure.
            std::thread::Builder::new().stack_size(8 << 20).spawn_scoped(scope, work).map(drop)
        });
        drop(send);
        let result = match spawned {
            Ok(()) => hand_over(todo, &receive, &front, &moved, take),
            Err(error) => Err(error.into()),
        };
        front.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
        moved.notify_all();
        result
    })
}

fn work(
    producer: &dyn Producer,
    todo: &[usize],
    window: usize,
    (front, moved): (&Mutex<Front>, &Condvar),
    send: &Sender<Made>,
) {
    loop {
        let mut state = front.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.stop && state.next < todo.len() && state.next >= state.written + window {
            state = moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.stop || state.next >= todo.len() {
            return;
        }
        let position = state.next;
        state.next += 1;
        drop(state);
        let made = catch_unwind(AssertUnwindSafe(|| producer.produce(todo[position])));
        let made = made
            .unwrap_or_else(|panic| Err(Problem::Shape(format!("internal error: {}", panic_text(&*panic)))));
        if send.send((position, made)).is_err() {
            return;
        }
    }
}

fn hand_over(
    todo: &[usize],
    receive: &Receiver<Made>,
    front: &Mutex<Front>,
    moved: &Condvar,
    take: &mut dyn FnMut(usize, Result<Shape, Problem>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut waiting = BTreeMap::new();
    for (position, job) in todo.iter().enumerate() {
        let made = loop {
            if let Some(made) = waiting.remove(&position) {
                break made;
            }
            match receive.recv() {
                Ok((at, made)) => waiting.insert(at, made),
                Err(_) => return Err(std::io::Error::other("the workers are gone").into()),
            };
        };
        take(*job, made)?;
        front.lock().unwrap_or_else(PoisonError::into_inner).written += 1;
        moved.notify_all();
    }
    Ok(())
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}
