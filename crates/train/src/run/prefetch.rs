//! Batches loaded ahead on other threads.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use lexiform_data::DataError;
use lexiform_model::point::{GroupingPlan, PointPreprocess};
use lexiform_model::preprocess::Preprocess;

use crate::batch::Batch;
use crate::batch::sampler::Sampler;
use crate::data::features::neighbors::Neighbors;
use crate::data::pool::ShapePool;
use crate::data::source::second::SecondSource;
use crate::recipe::{AugmentConfig, BatchConfig};

/// A batch of a run: the step and its index within the step, both from 0.
pub(crate) type BatchIndex = (usize, usize);

/// A batch or why it could not be loaded, and the time it took.
type Timed = (Result<Batch, DataError>, Duration);

/// Everything that batches are sampled from, shared with the threads that load them.
#[derive(Clone)]
pub(crate) struct BatchSource {
    pub pool: Arc<ShapePool>,
    pub second: Option<Arc<SecondSource>>,
    pub config: BatchConfig,
    pub augment: AugmentConfig,
    pub preprocess: Option<Preprocess>,
    pub input: Option<PointPreprocess>,
    pub neighbors: Option<Arc<Neighbors>>,
    pub teacher_dim: usize,
    pub class_text: Arc<HashMap<String, Vec<f32>>>,
    pub grouping: Arc<GroupingPlan>,
    pub seed: u64,
    pub process: [usize; 2],
}

impl BatchSource {
    /// Samples and loads a batch on this thread.
    pub fn load(&self, (step, part): BatchIndex) -> Timed {
        let before = Instant::now();
        let second = self.second.as_ref().map(|second| {
            // Hard negatives are groups of the first source only.
            let sampler = Sampler { neighbors: None, ..self.sampler(&second.batch, "second ") };
            (Box::new(sampler), &second.pool)
        });
        let sampler = Sampler { second, ..self.sampler(&self.config, "") };
        (sampler.sample(&self.pool, step, part), before.elapsed())
    }

    /// The sampler of one source.
    fn sampler<'a>(&'a self, config: &'a BatchConfig, stream: &'static str) -> Sampler<'a> {
        Sampler {
            config,
            preprocess: self.preprocess,
            input: self.input,
            augment: &self.augment,
            neighbors: self.neighbors.as_deref(),
            teacher_dim: self.teacher_dim,
            class_text: &self.class_text,
            grouping: &self.grouping,
            seed: self.seed,
            process: self.process,
            stream,
            second: None,
        }
    }
}

/// Batches that are being loaded or wait to be used, in the order of their use. Dropping it waits for their threads, which may
/// be reading files.
#[derive(Default)]
pub(crate) struct Prefetch {
    loading: VecDeque<(BatchIndex, JoinHandle<Timed>)>,
}

impl Prefetch {
    /// The batch at `at`, once it is loaded; `None` if it was not requested, or its thread panicked.
    pub fn take(&mut self, at: BatchIndex) -> Option<Timed> {
        match self.loading.pop_front() {
            Some((found, thread)) if found == at => thread.join().ok(),
            Some(other) => {
                // The run has jumped: what was loaded ahead is of no use.
                self.loading.push_front(other);
                self.clear();
                None
            }
            None => None,
        }
    }

    /// Starts loading those of `next` that are not loading already. The threads do not depend on each other, so batches are the
    /// same however many are loaded ahead.
    pub fn request(&mut self, source: &BatchSource, next: impl Iterator<Item = BatchIndex>) {
        for at in next.skip(self.loading.len()) {
            let source = source.clone();
            self.loading.push_back((at, std::thread::spawn(move || source.load(at))));
        }
    }

    fn clear(&mut self) {
        // The result of a thread that panicked is not needed either.
        self.loading.drain(..).for_each(|(_, thread)| drop(thread.join()));
    }
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(at: BatchIndex) -> (BatchIndex, JoinHandle<Timed>) {
        (
            at,
            std::thread::spawn(move || (Ok(Batch { seed: at.0 as u64, ..Batch::default() }), Duration::ZERO)),
        )
    }

    #[test]
    fn batches_come_in_order_and_only_when_asked_for() {
        let mut ahead = Prefetch { loading: [ready((3, 0)), ready((4, 0)), ready((5, 0))].into() };
        assert_eq!(ahead.take((3, 0)).map(|(batch, _)| batch.unwrap().seed), Some(3));
        assert!(ahead.take((5, 0)).is_none());
        assert!(ahead.loading.is_empty());
        assert!(ahead.take((4, 0)).is_none());
    }
}
