//! Building a data set: shapes are produced in parallel, written in a fixed order, and resumed wherever an earlier run stopped.
//!
//! The order follows from keys alone. A data set therefore has the same bytes at any number of threads and however often the run
//! was interrupted, and neighbors in a shard are unrelated, as training needs them.

mod ordered;
mod producer;
mod report;

use std::collections::HashMap;
use std::path::Path;

use self::ordered::produce_in_order;
pub use self::producer::{ProduceError, Producer, ShapeJob};
pub use self::report::{BuildEvent, BuildOptions, BuildSummary};
use crate::shard::{FailedShape, PartitionProgress, PartitionWriter};
use crate::{DataError, Key, Partition, Shape};

/// Makes the missing shapes of one partition of the data set in `folder`. Run [`merge_partitions`](crate::merge_partitions) when all
/// partitions are complete.
///
/// ```
/// use lexiform_data::{BuildOptions, Key, Member, Metadata, ProduceError, Producer, Shape, ShapeJob, build_dataset, merge_partitions};
///
/// /// Numbers as shapes.
/// struct Numbers(Vec<ShapeJob>);
///
/// impl Producer for Numbers {
///     fn jobs(&self) -> &[ShapeJob] {
///         &self.0
///     }
///     fn settings(&self) -> serde_json::Value {
///         serde_json::json!({ "made_by": "an example" })
///     }
///     fn produce(&self, index: usize) -> Result<Shape, ProduceError> {
///         if index == 2 {
///             return Err(ProduceError::Shape("cannot be used".to_owned()));
///         }
///         let (key, members) = (self.0[index].key.clone(), vec![Member::new("txt", vec![index as u8])]);
///         Ok(Shape { key, members, metadata: Metadata { split: "train".to_owned(), ..Metadata::default() } })
///     }
/// }
///
/// let job = |i| ShapeJob { key: Key::from_id(&format!("number-{i}")), source: format!("{i}") };
/// let producer = Numbers((0..5).map(job).collect());
/// let folder = tempfile::tempdir()?;
/// let made = build_dataset(&producer, folder.path(), &BuildOptions::default(), &mut |_| {})?;
/// assert_eq!((made.written, made.failed), (4, 1));
/// // A second run has nothing left to do.
/// let again = build_dataset(&producer, folder.path(), &BuildOptions::default(), &mut |_| {})?;
/// assert_eq!((again.written, again.already_written), (0, 4));
/// assert_eq!(merge_partitions(folder.path())?.shapes, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Those of [`PartitionWriter::open`], a file that cannot be written, or [`DataError::Stopped`] for the producer's
/// [`ProduceError::Fatal`]. Everything that was written is kept, and the next run resumes. A run with one partition that makes no
/// shape is [`DataError::Unusable`]; another run may then use its folder with other settings.
pub fn build_dataset(
    producer: &dyn Producer,
    folder: &Path,
    options: &BuildOptions,
    on_event: &mut dyn FnMut(BuildEvent),
) -> Result<BuildSummary, DataError> {
    let (mut writer, mut done) =
        PartitionWriter::open(folder, options.partition, producer.settings(), options.shard_bytes)?;
    if options.retry_failed {
        writer.remove_incomplete_shapes(&mut done)?;
    }
    // Not earlier: retries remove shapes from `done`.
    let plan = Plan::new(producer.jobs(), options, &done);
    on_event(BuildEvent::Planned { shapes: plan.shapes, written: plan.written, failed: plan.failed });
    let mut run = Run {
        folder,
        jobs: producer.jobs(),
        writer,
        summary: BuildSummary {
            already_written: plan.written,
            failed: plan.failed,
            ..BuildSummary::default()
        },
        first_failed: done.failed.values().next().cloned(),
        on_event,
    };
    done.missing_captions.values().for_each(|one| run.summary.count(&one.missing_captions));
    // Before the shapes, so that their events have a fixed place.
    run.report_duplicates(&plan.duplicates, &done)?;
    produce_in_order(producer, &plan.todo, options.num_workers, &mut |job, made| run.on_result(job, made))?;
    // A single partition of several may be empty by chance; a whole run without shapes is a mistake.
    if options.partition == Partition::ALL && done.written.is_empty() && run.summary.written == 0 {
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
    duplicates: Vec<Duplicate>,
}

/// A job whose key another job has.
struct Duplicate {
    job: usize,
    first: usize,
}

impl Plan {
    fn new(jobs: &[ShapeJob], options: &BuildOptions, done: &PartitionProgress) -> Self {
        let (mine, duplicates) = jobs_of(jobs, options.partition);
        let key = |job: &usize| &jobs[*job].key;
        let todo: Vec<usize> =
            mine.iter().copied().filter(|job| !done.is_done(key(job), options.retry_failed)).collect();
        let written = mine.iter().filter(|job| done.written.contains(key(job).as_str())).count();
        Self { shapes: mine.len(), written, failed: mine.len() - todo.len() - written, todo, duplicates }
    }
}

/// Jobs of a partition in the order of writing, without those whose key another job has.
fn jobs_of(jobs: &[ShapeJob], partition: Partition) -> (Vec<usize>, Vec<Duplicate>) {
    let mut mine: Vec<usize> = (0..jobs.len()).filter(|job| partition.contains(&jobs[*job].key)).collect();
    // By hash, so that similar shapes (one folder, one category) are spread over all shards.
    mine.sort_by_cached_key(|job| {
        (jobs[*job].key.stable_hash(), jobs[*job].key.clone(), jobs[*job].source.clone())
    });
    let mut firsts: HashMap<&Key, usize> = HashMap::with_capacity(mine.len());
    let mut duplicates = Vec::new();
    // After sorting, so that the first of two jobs with the same key is the same in every run.
    mine.retain(|job| match firsts.get(&jobs[*job].key) {
        Some(first) => {
            duplicates.push(Duplicate { job: *job, first: *first });
            false
        }
        None => firsts.insert(&jobs[*job].key, *job).is_none(),
    });
    (mine, duplicates)
}

/// A run in progress.
struct Run<'a> {
    folder: &'a Path,
    jobs: &'a [ShapeJob],
    writer: PartitionWriter,
    summary: BuildSummary,
    first_failed: Option<FailedShape>,
    on_event: &'a mut dyn FnMut(BuildEvent),
}

impl Run<'_> {
    /// Reports shapes that cannot be used because another has their key.
    fn report_duplicates(
        &mut self,
        duplicates: &[Duplicate],
        done: &PartitionProgress,
    ) -> Result<(), DataError> {
        self.summary.failed += duplicates.len();
        for duplicate in duplicates {
            let (ShapeJob { key, source }, first) = (&self.jobs[duplicate.job], &self.jobs[duplicate.first]);
            let failed = FailedShape {
                // `#` is not allowed in keys, so this cannot collide with a shape.
                key: format!("{key}#{source}"),
                source: source.clone(),
                reason: format!("has the same key as {}", first.source),
            };
            if !done.failed.contains_key(&failed.key) {
                self.writer.record_failure(&failed)?;
            }
            (self.on_event)(BuildEvent::Failed(failed));
        }
        Ok(())
    }

    /// Writes a shape, or records why it failed.
    fn on_result(&mut self, job: usize, made: Result<Shape, ProduceError>) -> Result<(), DataError> {
        let ShapeJob { key, source } = &self.jobs[job];
        match made {
            Ok(shape) => {
                let missing_captions = shape.metadata.missing_captions.clone();
                missing_captions.iter().for_each(|missing_captions| self.summary.count(missing_captions));
                let shard = self.writer.push(shape)?;
                self.summary.written += 1;
                (self.on_event)(BuildEvent::Written {
                    key: key.to_string(),
                    source: source.clone(),
                    missing_captions,
                });
                shard.into_iter().for_each(|shard| (self.on_event)(BuildEvent::Shard(shard)));
            }
            Err(ProduceError::Shape(reason)) => {
                let failed = FailedShape { key: key.to_string(), source: source.clone(), reason };
                self.writer.record_failure(&failed)?;
                self.summary.failed += 1;
                // For the error message of a run in which every shape fails.
                self.first_failed.get_or_insert_with(|| failed.clone());
                (self.on_event)(BuildEvent::Failed(failed));
            }
            Err(ProduceError::Fatal { reason, hint }) => {
                let (path, shape) = (self.folder.to_owned(), source.clone());
                return Err(DataError::Stopped { path, shape, reason, hint });
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<BuildSummary, DataError> {
        self.writer.finish()?.into_iter().for_each(|shard| (self.on_event)(BuildEvent::Shard(shard)));
        Ok(self.summary)
    }

    /// Deletes the empty data set; gives the error to return.
    fn nothing_made(self) -> Result<DataError, DataError> {
        self.writer.discard()?;
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
