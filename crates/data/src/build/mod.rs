//! Making a data set: many shapes at a time, written in a fixed order, resumed wherever an earlier run stopped.
//!
//! The order follows from keys alone. A data set therefore has the same bytes at any number of threads and however often the run
//! was interrupted, and neighbors in a shard are unrelated, as training needs them.

mod ordered;
mod producer;
mod report;

use std::collections::HashMap;
use std::path::Path;

use self::ordered::in_order;
pub use self::producer::{Job, Problem, Producer};
pub use self::report::{Event, MakeOptions, MakeSummary};
use crate::shard::{Done, Failed, PartWriter};
use crate::{DataError, Key, Part, Shape};

/// Makes the missing shapes of one partition of the data set in `folder`. Run [`merge`](crate::merge) when all partitions are
/// complete.
///
/// ```
/// use lexiform_data::{About, Job, Key, MakeOptions, Member, Problem, Producer, Shape, make, merge};
///
/// /// Numbers as shapes.
/// struct Numbers(Vec<Job>);
///
/// impl Producer for Numbers {
///     fn jobs(&self) -> &[Job] {
///         &self.0
///     }
///     fn settings(&self) -> serde_json::Value {
///         serde_json::json!({ "made_by": "an example" })
///     }
///     fn produce(&self, index: usize) -> Result<Shape, Problem> {
///         if index == 2 {
///             return Err(Problem::Shape("cannot be used".to_owned()));
///         }
///         let (key, members) = (self.0[index].key.clone(), vec![Member::new("txt", vec![index as u8])]);
///         Ok(Shape { key, members, about: About { split: "train".to_owned(), ..About::default() } })
///     }
/// }
///
/// let job = |i| Job { key: Key::of_id(&format!("number-{i}")), source: format!("{i}") };
/// let producer = Numbers((0..5).map(job).collect());
/// let folder = tempfile::tempdir()?;
/// let made = make(&producer, folder.path(), &MakeOptions::default(), &mut |_| {})?;
/// assert_eq!((made.written, made.failed), (4, 1));
/// // A second run has nothing left to do.
/// let again = make(&producer, folder.path(), &MakeOptions::default(), &mut |_| {})?;
/// assert_eq!((again.written, again.before), (0, 4));
/// assert_eq!(merge(folder.path())?.shapes, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`PartWriter::open`], a file that cannot be written, or [`DataError::Stopped`] for the producer's
/// [`Problem::Stop`]. Everything that was written is kept, and the next run resumes. A run with one partition that makes no
/// shape is [`DataError::Unusable`]; another run may then use its folder with other settings.
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
    let plan = Plan::new(producer.jobs(), options, &done);
    on_event(Event::Planned { shapes: plan.shapes, written: plan.written, failed: plan.failed });
    let mut run = Run {
        folder,
        jobs: producer.jobs(),
        writer,
        summary: MakeSummary { before: plan.written, failed: plan.failed, ..MakeSummary::default() },
        first_failed: done.failed.values().next().cloned(),
        on_event,
    };
    done.refused.values().for_each(|one| run.summary.count(&one.refused));
    run.report_doubles(&plan.doubles, &done)?;
    in_order(producer, &plan.todo, options.jobs, &mut |job, made| run.take(job, made))?;
    if options.part == Part::WHOLE && done.written.is_empty() && run.summary.written == 0 {
        return Err(run.nothing_made()?);
    }
    run.finish()
}

/// The shapes of a partition.
struct Plan {
    /// Number of shapes.
    shapes: usize,
    /// Of these, written by earlier runs.
    written: usize,
    /// Of these, failed in earlier runs and not retried.
    failed: usize,
    /// Jobs of the other shapes, in the order of writing.
    todo: Vec<usize>,
    /// Jobs whose key an earlier job has, which cannot be used.
    doubles: Vec<Double>,
}

/// A job whose key another job has.
struct Double {
    job: usize,
    first: usize,
}

impl Plan {
    fn new(jobs: &[Job], options: &MakeOptions, done: &Done) -> Self {
        let (mine, doubles) = jobs_of(jobs, options.part);
        let key = |job: &usize| &jobs[*job].key;
        let todo: Vec<usize> =
            mine.iter().copied().filter(|job| !done.knows(key(job), options.retry_failed)).collect();
        let written = mine.iter().filter(|job| done.written.contains(key(job).as_str())).count();
        Self { shapes: mine.len(), written, failed: mine.len() - todo.len() - written, todo, doubles }
    }
}

/// Jobs of a partition in the order of writing, without those whose key another job has.
fn jobs_of(jobs: &[Job], part: Part) -> (Vec<usize>, Vec<Double>) {
    let mut mine: Vec<usize> = (0..jobs.len()).filter(|job| part.holds(&jobs[*job].key)).collect();
    mine.sort_by_cached_key(|job| {
        (jobs[*job].key.spread(), jobs[*job].key.clone(), jobs[*job].source.clone())
    });
    let mut firsts: HashMap<&Key, usize> = HashMap::with_capacity(mine.len());
    let mut doubles = Vec::new();
    mine.retain(|job| match firsts.get(&jobs[*job].key) {
        Some(first) => {
            doubles.push(Double { job: *job, first: *first });
            false
        }
        None => firsts.insert(&jobs[*job].key, *job).is_none(),
    });
    (mine, doubles)
}

/// A run in progress.
struct Run<'a> {
    folder: &'a Path,
    jobs: &'a [Job],
    writer: PartWriter,
    summary: MakeSummary,
    first_failed: Option<Failed>,
    on_event: &'a mut dyn FnMut(Event),
}

impl Run<'_> {
    /// Reports shapes that cannot be used because another has their key.
    fn report_doubles(&mut self, doubles: &[Double], done: &Done) -> Result<(), DataError> {
        self.summary.failed += doubles.len();
        for double in doubles {
            let (Job { key, source }, first) = (&self.jobs[double.job], &self.jobs[double.first]);
            let failed = Failed {
                key: format!("{key}#{source}"),
                source: source.clone(),
                reason: format!("has the same key as {}", first.source),
            };
            if !done.failed.contains_key(&failed.key) {
                self.writer.fail(&failed)?;
            }
            (self.on_event)(Event::Failed(failed));
        }
        Ok(())
    }

    /// Writes a shape, or records why there is none.
    fn take(&mut self, job: usize, made: Result<Shape, Problem>) -> Result<(), DataError> {
        let Job { key, source } = &self.jobs[job];
        match made {
            Ok(shape) => {
                let refused = shape.about.refused.clone();
                refused.iter().for_each(|refused| self.summary.count(refused));
                let shard = self.writer.push(shape)?;
                self.summary.written += 1;
                (self.on_event)(Event::Written { key: key.to_string(), source: source.clone(), refused });
                shard.into_iter().for_each(|shard| (self.on_event)(Event::Shard(shard)));
            }
            Err(Problem::Shape(reason)) => {
                let failed = Failed { key: key.to_string(), source: source.clone(), reason };
                self.writer.fail(&failed)?;
                self.summary.failed += 1;
                self.first_failed.get_or_insert_with(|| failed.clone());
                (self.on_event)(Event::Failed(failed));
            }
            Err(Problem::Stop { reason, hint }) => {
                let (path, shape) = (self.folder.to_owned(), source.clone());
                return Err(DataError::Stopped { path, shape, reason, hint });
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<MakeSummary, DataError> {
        self.writer.finish()?.into_iter().for_each(|shard| (self.on_event)(Event::Shard(shard)));
        Ok(self.summary)
    }

    /// Deletes the empty data set; gives the error to return.
    fn nothing_made(self) -> Result<DataError, DataError> {
        self.writer.abandon()?;
        let sources = self.jobs.len();
        let first = self.first_failed.map(|one| format!("; the first, {}: {}", one.source, one.reason));
        let message = format!("no shape was made from {sources} sources{}", first.unwrap_or_default());
        let hint = if sources == 0 {
            "no 3D files or shapes were found: check the path, and the format with `lexiform data formats`"
        } else {
            "check the files and their format; --json reports why each failed"
        };
        Ok(DataError::unusable(self.folder, message, hint))
    }
}
