//! Options of a run that makes a data set, its progress and its counts.

use serde::Serialize;

use crate::shard::{Failed, ShardEntry};
use crate::{Part, Refused};

/// How a data set is made.
#[derive(Clone, Debug)]
pub struct MakeOptions {
    /// The partition of the shapes that this run makes.
    pub part: Part,
    /// Number of shapes made at the same time; 0 for one per processor.
    pub jobs: usize,
    /// Size at which a shard is closed, in bytes.
    pub shard_bytes: u64,
    /// Retry shapes that failed in earlier runs, and rebuild shapes with missing captions.
    pub retry_failed: bool,
}

impl Default for MakeOptions {
    fn default() -> Self {
        Self { part: Part::WHOLE, jobs: 0, shard_bytes: 256 << 20, retry_failed: false }
    }
}

/// Progress of a run. Events are reported on the calling thread, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
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
        refused: Option<Refused>,
    },
    /// A shape could not be used.
    Failed(Failed),
    /// A shard was closed.
    Shard(ShardEntry),
}

/// Counts of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MakeSummary {
    /// Number of shapes written by this run.
    pub written: usize,
    /// Number of shapes written by earlier runs.
    pub before: usize,
    /// Number of shapes that could not be used, including those of earlier runs.
    pub failed: usize,
    /// Number of shapes without any of the requested captions, including those of earlier runs.
    pub uncaptioned: usize,
    /// Number of shapes that miss some of the requested captions, including those of earlier runs.
    pub partly_captioned: usize,
}

impl MakeSummary {
    pub(super) fn count(&mut self, refused: &Refused) {
        if refused.is_all() {
            self.uncaptioned += 1;
        } else {
            self.partly_captioned += 1;
        }
    }
}
