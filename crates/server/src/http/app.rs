//! What all handlers share.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::metrics::Metrics;
use crate::pool::Pool;
use crate::{Problem, Service};

/// Threads for searches. More than processors: most of the time they wait for a batch of texts, which is larger for it.
const SEARCH_THREADS: usize = 64;
/// Searches that wait for a thread.
const SEARCH_QUEUE: usize = 512;
/// Files that wait to be read and rendered.
const RENDER_QUEUE: usize = 256;
/// Uploads that wait to be embedded: they are in memory.
const UPLOAD_QUEUE: usize = 4;
/// Longest wait for a search.
const SEARCH_LIMIT: Duration = Duration::from_secs(30);
/// Longest wait for a file to be read and rendered, or an upload to be embedded.
const FILE_LIMIT: Duration = Duration::from_secs(60);

/// The service, and threads to call it on.
pub(super) struct App {
    service: Arc<Service>,
    searches: Pool,
    renders: Pool,
    /// One thread, so that only one untrusted file at a time takes memory.
    uploads: Pool,
    /// Uploads in memory: those that arrive, that wait, and the one that is embedded.
    upload_places: Arc<Semaphore>,
    refused_uploads: AtomicU64,
    is_stopping: AtomicBool,
    pub metrics: Metrics,
    /// Longest time for a JSON body to arrive.
    pub receive_time: Duration,
}

/// Which threads a request needs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Searches, and whatever reads only the library.
    Search,
    /// Reading and rendering files of the library.
    Render,
    /// Reading and embedding uploads.
    Upload,
}

impl App {
    /// Starts the threads.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub(super) fn start(service: Arc<Service>, receive_time: Duration) -> io::Result<Self> {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            service,
            searches: Pool::new("search", SEARCH_THREADS, SEARCH_QUEUE, SEARCH_LIMIT)?,
            renders: Pool::new("render", processors.clamp(1, 4), RENDER_QUEUE, FILE_LIMIT)?,
            uploads: Pool::new("upload", 1, UPLOAD_QUEUE, FILE_LIMIT)?,
            upload_places: Arc::new(Semaphore::new(UPLOAD_QUEUE + 1)),
            refused_uploads: AtomicU64::new(0),
            is_stopping: AtomicBool::new(false),
            metrics: Metrics::default(),
            receive_time,
        })
    }

    /// Calls the service on one of the threads.
    ///
    /// # Errors
    /// As of [`Pool::run`].
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: Work,
        call: impl FnOnce(&Service) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let service = self.service.clone();
        let pool = match work {
            Work::Search => &self.searches,
            Work::Render => &self.renders,
            Work::Upload => &self.uploads,
        };
        pool.run(move || call(&service)).await
    }

    /// A place for an upload in memory, held from before its body is read until it is embedded.
    ///
    /// # Errors
    /// 503 if all are taken.
    pub(super) fn upload_place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.upload_places.clone().try_acquire_owned().map_err(|_| {
            self.refused_uploads.fetch_add(1, Ordering::Relaxed);
            Problem::overloaded()
        })
    }

    pub(super) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// From now on the server is not ready: it answers what still comes, and ends.
    pub(super) fn begin_shutdown(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }

    /// Requests refused because a queue was full.
    pub(super) fn rejected(&self) -> u64 {
        let of_pools: u64 = [&self.searches, &self.renders, &self.uploads].map(Pool::rejected).iter().sum();
        of_pools + self.refused_uploads.load(Ordering::Relaxed)
    }
}
