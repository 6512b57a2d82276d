//! Options of a run that makes a data set, its progress and its counts.

use serde::Serialize;

use crate::shard::{FailedShape, ShardEntry};
use crate::{MissingCaptions, Partition};

/// How a data set is made.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// The partition of the shapes that this run makes.
    pub partition: Partition,
    /// Number of shapes made at the same time; 0 for one per processor.
    pub num_workers: usize,
    /// Size at which a shard is closed, in bytes.
    pub shard_bytes: u64,
    /// Retry shapes that failed in earlier runs, and rebuild shapes with missing captions.
    pub retry_failed: bool,
}

impl Default for BuildOptions {
    fn default() -> Self {
        // 256 MiB: large enough for fast sequential reads, small enough to copy shards one by one.
        Self { partition: Partition::ALL, num_workers: 0, shard_bytes: 256 << 20, retry_failed: false }
    }
}

/// Progress of a run. Events are reported on the calling thread, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildEvent {
    /// The run starts.
    Planned {
        /// Number of shapes of this partition.
        shapes: usize,
        /// Of these, shapes written by earlier runs.
        written: usize,
        /// Of these, shapes that failed in earlier runs and are not retried.
        failed: usize,
    },
    /// A shape was written to its shard.
    Written {
        /// Its key in the data set.
        key: String,
        /// Where it comes from.
        source: String,
        /// Missing captions, if any.
        missing_captions: Option<MissingCaptions>,
    },
    /// A shape could not be used.
    Failed(FailedShape),
    /// A shard was closed.
    Shard(ShardEntry),
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BuildSummary {
    /// Number of shapes written by this run.
    pub written: usize,
    /// Number of shapes written by earlier runs.
    pub already_written: usize,
    /// Number of shapes that could not be used, including those of earlier runs.
    pub failed: usize,
    /// Number of shapes without any of the requested captions, including those of earlier runs.
    pub without_captions: usize,
    /// Number of shapes that miss some of the requested captions, including those of earlier runs.
    pub missing_some_captions: usize,
}

impl BuildSummary {
    pub(super) fn count(&mut self, missing_captions: &MissingCaptions) {
        if missing_captions.is_all() {
            self.without_captions += 1;
        } else {
            self.missing_some_captions += 1;
        }
    }
}
