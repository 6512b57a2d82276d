//! Threads and queues of an indexing run: workers prepare files, one thread embeds, the calling thread writes. Queues
//! are bounded, and with them memory.

use std::sync::mpsc::{Receiver, sync_channel};

use super::embed::{self, BATCH_SIZE};
use super::outcome::IndexOutcome;
use super::prepare::{Prepared, Workers};
use super::task::IndexTask;
use crate::Error;
use crate::read_limits::STACK_BYTES;

/// Outcomes written in one batch: each batch waits for the disk.
const COMMIT_SIZE: usize = 64;

/// Processes all candidates; `commit` receives the outcomes in batches, on the calling thread. Stops at the first
/// error.
pub(super) fn run(
    task: &IndexTask<'_>,
    commit: &mut dyn FnMut(Vec<IndexOutcome>) -> Result<(), Error>,
) -> Result<(), Error> {
    if task.candidates.is_empty() {
        return Ok(());
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = if task.jobs == 0 { processors } else { task.jobs }.min(task.candidates.len());
    // Prepared shapes contain rendered images: this queue bounds memory, and one batch is enough to keep the model
    // busy. Outcomes are small.
    let (to_model, prepared) = sync_channel::<Prepared>(BATCH_SIZE);
    let (to_store, outcomes) = sync_channel::<Result<IndexOutcome, Error>>(COMMIT_SIZE);
    let workers = Workers::new(task, jobs);
    std::thread::scope(|scope| {
        let builder = || std::thread::Builder::new().stack_size(STACK_BYTES);
        for _ in 0..jobs {
            let (workers, to_model, to_store) = (&workers, to_model.clone(), to_store.clone());
            builder().spawn_scoped(scope, move || workers.work(&to_model, &to_store))?;
        }
        let encoder = task.library.encoder();
        // The only thread that runs the model: the model parallelizes inside a batch.
        builder().spawn_scoped(scope, move || embed::embed_all(encoder, &prepared, &to_store))?;
        // A queue closes when its last sender is dropped, and this one would keep the model's queue open.
        drop(to_model);
        commit_all(outcomes, commit)
    })
}

/// Commits outcomes as they arrive: all that are waiting go into one batch.
fn commit_all(
    outcomes: Receiver<Result<IndexOutcome, Error>>,
    commit: &mut dyn FnMut(Vec<IndexOutcome>) -> Result<(), Error>,
) -> Result<(), Error> {
    while let Ok(first) = outcomes.recv() {
        let mut batch = Vec::new();
        let mut failure = None;
        for result in std::iter::once(first).chain(outcomes.try_iter()).take(COMMIT_SIZE) {
            match result {
                Ok(outcome) => batch.push(outcome),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        // Work completed before the failure is kept.
        if !batch.is_empty() {
            commit(batch)?;
        }
        if let Some(error) = failure {
            return Err(error);
        }
    }
    Ok(())
}
