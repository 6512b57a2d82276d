//! Threads for work that takes processor time, with a bounded queue: async threads never compute, and a surplus of requests is
//! refused instead of collected.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::Problem;

/// Readers of 3D files recurse within bounds, but deeply.
const STACK_BYTES: usize = 16 << 20;

type Job = Box<dyn FnOnce() + Send>;

/// A pool of threads.
pub(crate) struct Pool {
    sender: SyncSender<Job>,
    limit: Duration,
    rejected: AtomicU64,
}

impl Pool {
    /// Starts `threads` threads, for which at most `queue` jobs wait; callers wait at most `limit` for a result.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(crate) fn new(name: &str, threads: usize, queue: usize, limit: Duration) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel::<Job>(queue);
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads {
            let receiver = receiver.clone();
            let thread = std::thread::Builder::new().name(format!("{name} {number}"));
            thread.stack_size(STACK_BYTES).spawn(move || run_jobs(&receiver))?;
        }
        Ok(Self { sender, limit, rejected: AtomicU64::new(0) })
    }

    /// Runs `work` on a thread of the pool. If the caller is gone before it starts, it is skipped.
    ///
    /// # Errors
    /// 503 if the queue is full or the result takes too long, 500 if the work panics, and its own errors.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (result, receiver) = oneshot::channel();
        let job = Box::new(move || {
            if !result.is_closed() {
                let done = catch_unwind(AssertUnwindSafe(work));
                let failed = |_| Err(Problem::internal("internal error: the work panicked"));
                let _ = result.send(done.unwrap_or_else(failed));
            }
        });
        if self.sender.try_send(job).is_err() {
            self.rejected.fetch_add(1, Ordering::Relaxed);
            return Err(Problem::overloaded());
        }
        match tokio::time::timeout(self.limit, receiver).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(Problem::internal("internal error: the work was dropped")),
            Err(_) => {
                let detail = format!("no result after {} s", self.limit.as_secs());
                Err(Problem::new(503, detail).with_hint("use a smaller file, or try again later"))
            }
        }
    }

    /// Number of requests that were refused because the queue was full.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }
}

/// Runs jobs until the pool is dropped.
fn run_jobs(receiver: &Mutex<Receiver<Job>>) {
    loop {
        // A separate statement: the lock must not be held while the job runs.
        let job = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn a_full_queue_refuses_and_a_panic_is_an_error() {
        let pool = Arc::new(Pool::new("test", 1, 1, Duration::from_secs(20)).unwrap());
        block_on(async {
            let (release, blocked) = std::sync::mpsc::channel::<()>();
            let (started, start) = std::sync::mpsc::channel::<()>();
            let busy = tokio::spawn({
                let pool = pool.clone();
                async move {
                    pool.run(move || {
                        started.send(()).unwrap();
                        blocked.recv().unwrap();
                        Ok(1)
                    })
                    .await
                }
            });
            tokio::task::yield_now().await;
            start.recv().unwrap();
            let waiting = tokio::spawn({
                let pool = pool.clone();
                async move { pool.run(|| Ok(2)).await }
            });
            tokio::task::yield_now().await;
            assert_eq!(pool.run(|| Ok(3)).await.unwrap_err().status, 503);
            assert_eq!(pool.rejected(), 1);
            release.send(()).unwrap();
            assert_eq!((busy.await.unwrap(), waiting.await.unwrap()), (Ok(1), Ok(2)));
            let panicked: Result<(), Problem> = pool.run(|| panic!("expected by this test")).await;
            assert_eq!(panicked.unwrap_err().status, 500);
            assert_eq!(pool.run(|| Ok(4)).await, Ok(4), "the thread survives");
        });
    }

    #[test]
    fn callers_do_not_wait_longer_than_the_limit() {
        let pool = Pool::new("test", 1, 1, Duration::from_millis(20)).unwrap();
        let (release, blocked) = std::sync::mpsc::channel::<()>();
        let late = block_on(pool.run(move || {
            let _ = blocked.recv();
            Ok(())
        }));
        assert_eq!(late.unwrap_err().status, 503);
        drop(release);
    }
}
