//! Producing shapes on many threads, in a fixed order.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::producer::{ProduceError, Producer};
use crate::{DataError, Shape};

/// Stack size of workers, as of the main thread: deep scenes recurse.
const STACK_BYTES: usize = 8 << 20;

/// Progress of the workers.
struct QueueState {
    /// Next position in the list to be produced.
    next: usize,
    /// Number of positions that were consumed.
    written: usize,
    stop: bool,
}

/// A position in the list and the result of its job.
type JobResult = (usize, Result<Shape, ProduceError>);

/// Produces the jobs of `todo` on `num_workers` threads (0 for one per processor) and passes them to `on_result` in the order of the list.
/// Workers run ahead by a bounded number of shapes, so one slow shape delays a bounded amount of memory.
pub(super) fn produce_in_order(
    producer: &dyn Producer,
    todo: &[usize],
    num_workers: usize,
    on_result: &mut dyn FnMut(usize, Result<Shape, ProduceError>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = (if num_workers == 0 { processors } else { num_workers } + producer.extra_workers())
        .min(todo.len().max(1));
    // Twice the workers keeps all of them busy while one shape is slow; a few more for small runs.
    let queue = Queue::new(todo, 2 * workers + 4);
    let (send, receive) = channel();
    std::thread::scope(|scope| {
        let spawned: std::io::Result<()> = (0..workers).try_for_each(|_| {
            let (send, queue) = (send.clone(), &queue);
            let work = move || queue.worker_loop(producer, &send);
            std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).map(drop)
        });
        // Otherwise the channel stays open after the last worker, and the receiver would wait forever.
        drop(send);
        let result = match spawned {
            Ok(()) => queue.write_in_order(&receive, on_result),
            Err(error) => Err(error.into()),
        };
        // Also on errors: the scope waits for all workers, which must not start another shape.
        queue.lock().stop = true;
        queue.progressed.notify_all();
        result
    })
}

/// A list of jobs that several workers share.
struct Queue<'a> {
    todo: &'a [usize],
    /// Maximum number of positions that were started but not consumed.
    window: usize,
    front: Mutex<QueueState>,
    /// Notified when `front` changes.
    progressed: Condvar,
}

impl<'a> Queue<'a> {
    fn new(todo: &'a [usize], window: usize) -> Self {
        let front = Mutex::new(QueueState { next: 0, written: 0, stop: false });
        Self { todo, window, front, progressed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.front.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next position to produce, once it is in the window; `None` at the end of the list or of the run.
    fn next(&self) -> Option<usize> {
        let mut front = self.lock();
        while !front.stop && front.next < self.todo.len() && front.next >= front.written + self.window {
            front = self.progressed.wait(front).unwrap_or_else(PoisonError::into_inner);
        }
        if front.stop || front.next >= self.todo.len() {
            return None;
        }
        front.next += 1;
        Some(front.next - 1)
    }

    /// A worker: produces jobs until there are none.
    fn worker_loop(&self, producer: &dyn Producer, send: &Sender<JobResult>) {
        while let Some(position) = self.next() {
            // A panic in a reader of untrusted files fails one shape, not the run.
            let made = catch_unwind(AssertUnwindSafe(|| producer.produce(self.todo[position])));
            let made = made.unwrap_or_else(|panic| {
                Err(ProduceError::Shape(format!("internal error: {}", panic_text(&*panic))))
            });
            // The receiver is gone: the run stopped with an error.
            if send.send((position, made)).is_err() {
                return;
            }
        }
    }

    /// Receives what workers produced and passes it on in order.
    fn write_in_order(
        &self,
        receive: &Receiver<JobResult>,
        on_result: &mut dyn FnMut(usize, Result<Shape, ProduceError>) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let mut finished = BTreeMap::new();
        for (position, job) in self.todo.iter().enumerate() {
            let made = loop {
                if let Some(made) = finished.remove(&position) {
                    break made;
                }
                // Results arrive in any order; those ahead of their turn wait in a map.
                let Ok((at, made)) = receive.recv() else {
                    return Err(std::io::Error::other("the worker threads ended").into());
                };
                finished.insert(at, made);
            };
            on_result(*job, made)?;
            self.lock().written += 1;
            self.progressed.notify_all();
        }
        Ok(())
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}
