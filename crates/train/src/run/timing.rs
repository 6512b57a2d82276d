//! How long steps take, how long they wait for their batches, and what they have seen.

use std::time::{Duration, Instant};

use crate::batch::Batch;

/// Times and counts of the steps since the start. What happens between steps does not count.
#[derive(Default)]
pub(crate) struct Clock {
    all: Spent,
    last: Spent,
    shapes: usize,
    images: usize,
}

/// Where time went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    /// Of steps in all.
    pub whole: Duration,
    /// Of steps that had to wait for a batch.
    pub waiting: Duration,
    /// Of the thread that draws batches, mostly while a step computes.
    pub drawing: Duration,
}

impl Spent {
    /// Seconds of steps in all.
    pub fn seconds(&self) -> f64 {
        self.whole.as_secs_f64().max(1e-9)
    }

    /// Share of the steps' time in which they waited.
    pub fn share_waiting(&self) -> f64 {
        self.waiting.as_secs_f64() / self.seconds()
    }

    /// Share of the steps' time in which batches were drawn.
    pub fn share_drawing(&self) -> f64 {
        self.drawing.as_secs_f64() / self.seconds()
    }
}

impl Clock {
    /// Times a step.
    pub fn step<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.last = Spent::default();
        let before = Instant::now();
        let done = work(self);
        self.last.whole = before.elapsed();
        self.all.whole += self.last.whole;
        self.all.waiting += self.last.waiting;
        self.all.drawing += self.last.drawing;
        done
    }

    /// Of all steps.
    pub fn all(&self) -> Spent {
        self.all
    }

    /// Of the last step.
    pub fn last(&self) -> Spent {
        self.last
    }

    /// Shapes and images.
    pub fn seen(&self) -> (usize, usize) {
        (self.shapes, self.images)
    }

    /// Counts the time of waiting for a batch.
    pub fn waits<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let done = work();
        self.last.waiting += before.elapsed();
        done
    }

    /// Counts the time in which a batch was drawn elsewhere.
    pub fn drew(&mut self, time: Duration) {
        self.last.drawing += time;
    }

    /// Counts what is in a batch.
    pub fn saw(&mut self, batch: &Batch) {
        self.shapes += batch.rows();
        self.images += batch.rows() * batch.views;
    }
}
