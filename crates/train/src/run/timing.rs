//! Time of steps, waiting for batches, and throughput.

use std::time::{Duration, Instant};

use crate::batch::Batch;

/// Times and counts of the steps since the start or resume, without what happens between steps.
#[derive(Default)]
pub(crate) struct StepTimer {
    all: StepTimes,
    last: StepTimes,
    shapes: usize,
    images: usize,
}

/// Durations of a step, or sums over steps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StepTimes {
    /// Whole steps.
    pub total: Duration,
    /// Waiting for batches.
    pub data_wait: Duration,
    /// Loading batches, mostly in parallel to a step.
    pub data_load: Duration,
}

impl StepTimes {
    /// Whole steps in seconds.
    pub fn seconds(&self) -> f64 {
        // Rates are quotients by it, before the first step too.
        self.total.as_secs_f64().max(1e-9)
    }

    /// Fraction of the time spent waiting for batches.
    pub fn data_wait_fraction(&self) -> f64 {
        self.data_wait.as_secs_f64() / self.seconds()
    }

    /// Time of loading batches as a fraction of the whole.
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

    /// Sums over all steps.
    pub fn all(&self) -> StepTimes {
        self.all
    }

    /// The last step.
    pub fn last(&self) -> StepTimes {
        self.last
    }

    /// Numbers of shapes and images so far.
    pub fn counts(&self) -> (usize, usize) {
        (self.shapes, self.images)
    }

    /// Times waiting for a batch.
    pub fn time_data_wait<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let done = work();
        self.last.data_wait += before.elapsed();
        done
    }

    /// Adds the time of loading a batch on another thread.
    pub fn add_data_time(&mut self, time: Duration) {
        self.last.data_load += time;
    }

    /// Adds a batch's shapes and images.
    pub fn count(&mut self, batch: &Batch) {
        self.shapes += batch.rows();
        self.images += batch.images(batch.rows());
    }
}
