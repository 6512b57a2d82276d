//! The trait for sources of shapes.

use serde_json::Value;

use crate::annotations::MatchCounts;
use crate::{Key, Shape};

/// A source of shapes: 3D files that are prepared, or files of another project that are imported.
pub trait Producer: Sync {
    /// Every shape it can make, in any order.
    fn jobs(&self) -> &[ShapeJob];
    /// Everything that determines the shapes. A run that is resumed must have the same settings.
    fn settings(&self) -> Value;
    /// How many rows of the user's table match one of the shapes.
    fn match_counts(&self) -> MatchCounts {
        MatchCounts::default()
    }
    /// Makes the shape of job `index`. Called from many threads.
    ///
    /// # Errors
    /// [`ProduceError`] says whether only this shape or the whole run fails.
    fn produce(&self, index: usize) -> Result<Shape, ProduceError>;
    /// Additional threads, for a producer that waits for a network.
    fn extra_workers(&self) -> usize {
        0
    }
}

/// A shape to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShapeJob {
    /// Its key in the data set.
    pub key: Key,
    /// Where it comes from.
    pub source: String,
}

/// Why a shape was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProduceError {
    /// The shape cannot be used; the run continues.
    Shape(String),
    /// No shape would succeed: a server is down, a model fails. The run stops and can be resumed.
    Fatal {
        /// What happened.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
}
