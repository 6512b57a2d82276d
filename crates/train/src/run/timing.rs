//! How long steps take, how long they wait for their batches, and what they have seen.

use std::time::{Duration, Instant};

use crate::batch::Batch;

/// Times and counts of the steps since the start. What happens between steps does not count.
#[derive(Default)]
pub(crate) struct StepTimer {
    all: StepTimes,
    last: StepTimes,
    shapes: usize,
    images: usize,
}

/// Where time went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StepTimes {
    /// Of steps in all.
    pub total: Duration,
    /// Of steps that had to wait for a batch.
    pub data_wait: Duration,
    /// Of the thread that draws batches, mostly while a step computes.
    pub data_load: Duration,
}

impl StepTimes {
    /// Seconds of steps in all.
    pub fn seconds(&self) -> f64 {
        self.total.as_secs_f64().max(1e-9)
    }

    /// Share of the steps' time in which they waited.
    pub fn data_wait_fraction(&self) -> f64 {
        self.data_wait.as_secs_f64() / self.seconds()
    }

    /// Share of the steps' time in which batches were drawn.
    pub fn data_load_fraction(&self) -> f64 {
        self.data_load.as_secs_f64() / self.seconds()
    }
}

impl StepTimer {
    /// Times a step.
    pub fn step<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.last = StepTimes::default();
        let before = Instant::now();
        let done = work(self);
        self.last.total = before.elapsed();
        self.all.total += self.last.total;
        self.all.data_wait += self.last.data_wait;
        self.all.data_load += self.last.data_load;
        done
    }

    /// Of all steps.
    pub fn all(&self) -> StepTimes {
        self.all
    }

    /// Of the last step.
    pub fn last(&self) -> StepTimes {
        self.last
    }

    /// Shapes and images.
    pub fn counts(&self) -> (usize, usize) {
        (self.shapes, self.images)
    }

    /// Counts the time of data_wait for a batch.
    pub fn time_data_wait<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let done = work();
        self.last.data_wait += before.elapsed();
        done
    }

    /// Counts the time in which a batch was drawn elsewhere.
    pub fn add_data_time(&mut self, time: Duration) {
        self.last.data_load += time;
    }

    /// Counts what is in a batch.
    pub fn count(&mut self, batch: &Batch) {
        self.shapes += batch.rows();
        self.images += batch.rows() * batch.n_views;
    }
}
