//! The processes of a run: one, or several on one or more machines that share each batch.
//!
//! Every process has the same recipe, shapes and weights. It loads and encodes its own part of a batch; features are gathered,
//! so that every process computes the loss of the whole batch; and gradients are summed in the order of the processes. The
//! first process evaluates, and writes files.

#[cfg(feature = "mpi")]
mod mpi;

use std::sync::Arc;

#[cfg(feature = "mpi")]
pub use self::mpi::Mpi;

use crate::data::features::vectors::{to_bytes, to_floats};

/// How processes exchange messages. All of them make the same calls in the same order.
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Number of this process, from 0.
    fn rank(&self) -> usize;

    /// Number of processes, at least 1.
    fn count(&self) -> usize;

    /// Sends the `i`-th message to process `i`, and returns what each process sent to this one.
    ///
    /// # Errors
    /// If a message cannot be sent or received.
    fn exchange(&self, messages: &[&[u8]]) -> Result<Vec<Vec<u8>>, TransportError>;
}

/// A message could not be exchanged, or the processes have diverged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("process {rank} of {count}: {message}")]
pub struct TransportError {
    /// Number of the process, from 0.
    pub rank: usize,
    /// Number of processes.
    pub count: usize,
    /// What failed.
    pub message: String,
}

/// The processes of a run. The default is this process alone.
#[derive(Clone, Debug, Default)]
pub struct Processes(Option<Arc<dyn Transport>>);

impl Processes {
    /// Processes that exchange messages over `transport`.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self((transport.count() > 1).then_some(transport))
    }

    /// Number of this process, from 0.
    pub fn rank(&self) -> usize {
        self.0.as_ref().map_or(0, |transport| transport.rank())
    }

    /// Number of processes.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |transport| transport.count())
    }

    /// Whether this process writes files and reports events.
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// The message of every process, in order.
    pub(crate) fn gather(&self, own: Vec<u8>) -> Result<Vec<Vec<u8>>, TransportError> {
        match &self.0 {
            None => Ok(vec![own]),
            Some(transport) => transport.exchange(&vec![own.as_slice(); transport.count()]),
        }
    }

    /// The first process's message; those of the others are not sent.
    pub(crate) fn broadcast(&self, own: Vec<u8>) -> Result<Vec<u8>, TransportError> {
        let Some(transport) = &self.0 else { return Ok(own) };
        let sent: &[u8] = if self.is_first() { &own } else { &[] };
        let received = transport.exchange(&vec![sent; transport.count()])?;
        received.into_iter().next().ok_or_else(|| self.error("no message from process 0".to_owned()))
    }

    /// Waits for all processes.
    pub(crate) fn wait(&self) -> Result<(), TransportError> {
        self.gather(Vec::new()).map(drop)
    }

    /// Runs `work` in one process after the other, so that a later one finds the files of an earlier one.
    pub(crate) fn in_turn<T, E: From<TransportError>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        for _ in 0..self.rank() {
            self.wait()?;
        }
        let done = work()?;
        for _ in self.rank()..self.count() {
            self.wait()?;
        }
        Ok(done)
    }

    /// Element-wise sums over all processes, added in the order of the processes: the same bits everywhere. All processes must
    /// have equally many values.
    pub(crate) fn sum(&self, values: Vec<f32>) -> Result<Vec<f32>, TransportError> {
        let Some(transport) = &self.0 else { return Ok(values) };
        // Each process adds up a part, so that every value is sent twice, however many processes there are.
        let (count, all) = (self.count(), values.len());
        let parts: Vec<Vec<u8>> =
            (0..count).map(|i| to_bytes(&values[all * i / count..all * (i + 1) / count])).collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        let mut received = transport.exchange(&parts)?.into_iter().map(|bytes| to_floats(&bytes));
        let mut sums = received.next().unwrap_or_default();
        for part in received {
            if part.len() != sums.len() {
                return Err(self.error(format!("expected {} values, found {}", sums.len(), part.len())));
            }
            sums.iter_mut().zip(part).for_each(|(sum, value)| *sum += value);
        }
        Ok(self.gather(to_bytes(&sums))?.iter().flat_map(|bytes| to_floats(bytes)).collect())
    }

    /// Checks that `own` is the same in all processes.
    pub(crate) fn check_equal(&self, what: &str, own: &str) -> Result<(), TransportError> {
        let all = self.gather(own.as_bytes().to_vec())?;
        match all.iter().position(|other| other != own.as_bytes()) {
            None => Ok(()),
            Some(other) => {
                let found = String::from_utf8_lossy(&all[other]);
                Err(self.error(format!("{what}: {own} here, {found} in process {other}")))
            }
        }
    }

    pub(crate) fn error(&self, message: String) -> TransportError {
        TransportError { rank: self.rank(), count: self.count(), message }
    }
}
