//! Long runs that report to Python and can be interrupted by it.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use pyo3::prelude::*;

use crate::error::{PyError, Result};

/// An exception of a callback or a signal, on its way through a run that cannot return it.
struct Interrupted;

/// Runs `work` without the interpreter's lock. `work` gets a function to call with each event, as JSON: it passes them to `on_event` and lets
/// signal handlers run. An exception there, such as `KeyboardInterrupt`, ends the run.
pub fn run_with_events<T: Send, E: Send>(
    py: Python<'_>,
    on_event: Option<Py<PyAny>>,
    work: impl FnOnce(&mut dyn FnMut(String)) -> std::result::Result<T, E> + Send,
) -> Result<T>
where
    PyError: From<E>,
{
    let mut raised: Option<PyErr> = None;
    let outcome = py.detach(|| {
        // Unwind safe: what the run wrote is safe against being killed at any time, and its values are dropped.
        catch_unwind(AssertUnwindSafe(|| {
            work(&mut |event| {
                let passed = Python::attach(|py| {
                    py.check_signals()?;
                    on_event.as_ref().map_or(Ok(()), |on_event| on_event.call1(py, (event,)).map(drop))
                });
                if let Err(error) = passed {
                    raised = Some(error);
                    // A run has no cancel flag, and what it wrote survives an abrupt end. Unlike a panic, this prints nothing.
                    resume_unwind(Box::new(Interrupted));
                }
            })
        }))
    });
    match (outcome, raised) {
        (_, Some(error)) => Err(PyError::Raised(error)),
        (Ok(result), None) => Ok(result?),
        (Err(panic), None) => resume_unwind(panic),
    }
}
