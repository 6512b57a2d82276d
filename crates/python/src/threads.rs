//! Where native code computes: without the interpreter's lock, and with threads that exist.

use std::process;
use std::sync::{Mutex, OnceLock, PoisonError};

use pyo3::marker::Ungil;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Result, invalid};

/// Niceness of threads that compute, on Linux; a thread of Python has 0, and three times their share of a processor.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;
/// The process that loaded the module.
static FIRST_PROCESS: OnceLock<u32> = OnceLock::new();
/// The thread pool of a forked process, with its id.
static FORKED_POOL: Mutex<Option<(u32, &'static ThreadPool)>> = Mutex::new(None);

/// Remembers the process that loads the module, and starts its threads.
pub fn initialize() {
    FIRST_PROCESS.get_or_init(process::id);
    // Fails if there is a pool already, which then is used.
    let _ = pool().build_global();
}

/// Threads that compute when those of Python leave time for it: a notebook stays responsive and a data loader keeps its speed.
fn pool() -> ThreadPoolBuilder {
    ThreadPoolBuilder::new().start_handler(|_| {
        #[cfg(target_os = "linux")]
        {
            // Without the right to, or where the limit is lower already, the priority stays.
            let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICENESS);
        }
    })
}

/// Whether this process is a fork of the one that loaded the module: the threads of the global pool are not in it.
fn is_forked() -> bool {
    FIRST_PROCESS.get().is_some_and(|first| *first != process::id())
}

/// Runs `work` without the interpreter's lock. A forked process has a pool of its own: work for the global one would wait forever.
pub fn compute<T: Ungil + Send>(py: Python<'_>, work: impl FnOnce() -> T + Ungil + Send) -> T {
    py.detach(|| match is_forked().then(forked_pool).flatten() {
        Some(pool) => pool.install(work),
        None => work(),
    })
}

/// Refuses what starts threads that need the global pool in a forked process.
pub fn check_not_forked(what: &str) -> Result<()> {
    match is_forked() {
        true => {
            Err(invalid(format!("{what} cannot run in a forked process: use the start method \"spawn\"")))
        }
        false => Ok(()),
    }
}

fn forked_pool() -> Option<&'static ThreadPool> {
    let mut known = FORKED_POOL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((process, pool)) = *known
        && process == process::id()
    {
        return Some(pool);
    }
    // Kept to the end of the process, as the global pool is.
    let created: &'static ThreadPool = Box::leak(Box::new(pool().build().ok()?));
    *known = Some((process::id(), created));
    Some(created)
}
