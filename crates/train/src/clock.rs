//! How long a run takes, and what it has seen in that time.

use std::time::{Duration, Instant};

use crate::batch::Batch;

/// Times and counts of what was seen since the start.
pub(crate) struct Clock {
    start: Instant,
    waited: Duration,
    shapes: usize,
    images: usize,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: Instant::now(), waited: Duration::ZERO, shapes: 0, images: 0 }
    }

    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> f64 {
        self.start.elapsed().as_secs_f64().max(1e-9)
    }

    /// Seconds in which the steps waited for their batches.
    pub(crate) fn waited(&self) -> f64 {
        self.waited.as_secs_f64()
    }

    /// Shapes and images.
    pub(crate) fn seen(&self) -> (usize, usize) {
        (self.shapes, self.images)
    }

    /// Counts the time of drawing a batch.
    pub(crate) fn waits<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let done = work();
        self.waited += before.elapsed();
        done
    }

    /// Counts what is in a batch.
    pub(crate) fn saw(&mut self, batch: &Batch) {
        self.shapes += batch.rows();
        self.images += batch.rows() * batch.views;
    }
}
