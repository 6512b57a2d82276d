//! Writes checkpoints on another thread, while training goes on.

use std::path::PathBuf;
use std::thread::JoinHandle;

use crate::error::CheckpointError;
use crate::run::checkpoint::Checkpoint;

/// At most one checkpoint being written. Dropping it waits for the file.
#[derive(Default)]
pub(crate) struct CheckpointWriter {
    writing: Option<(usize, JoinHandle<Result<(), CheckpointError>>)>,
}

impl CheckpointWriter {
    /// Starts writing; the one before must be [finished](Self::wait).
    pub fn start(&mut self, checkpoint: Checkpoint, path: PathBuf) {
        debug_assert!(self.writing.is_none(), "two checkpoints at the same time");
        let step = checkpoint.progress.step;
        self.writing = Some((step, std::thread::spawn(move || checkpoint.write(&path))));
    }

    /// The step of the checkpoint if it has been written since the last call.
    ///
    /// # Errors
    /// If it could not be written.
    pub fn poll(&mut self) -> Result<Option<usize>, CheckpointError> {
        match &self.writing {
            Some((_, thread)) if thread.is_finished() => self.wait(),
            _ => Ok(None),
        }
    }

    /// Waits until the checkpoint is written, if there is one; returns its step.
    ///
    /// # Errors
    /// If it could not be written.
    pub fn wait(&mut self) -> Result<Option<usize>, CheckpointError> {
        let Some((step, thread)) = self.writing.take() else { return Ok(None) };
        match thread.join() {
            Ok(written) => written.map(|()| Some(step)),
            // It goes on in this thread, as if there were no other.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        // After an error, which is reported instead of this one's.
        if let Some((_, thread)) = self.writing.take() {
            drop(thread.join());
        }
    }
}
