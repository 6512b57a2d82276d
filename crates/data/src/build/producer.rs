//! What makes the shapes of a data set.

use serde_json::Value;

use crate::table::Matched;
use crate::{Key, Shape};

/// A source of shapes: 3D files that are prepared, or files of another project that are imported.
pub trait Producer: Sync {
    /// Every shape it can make, in any order.
    fn jobs(&self) -> &[Job];
    /// Everything that determines the shapes. A run that is resumed must have the same settings.
    fn settings(&self) -> Value;
    /// How many rows of the user's table match one of the shapes.
    fn matched(&self) -> Matched {
        Matched::default()
    }
    /// Makes the shape of job `index`. Called from many threads.
    ///
    /// # Errors
    /// [`Problem`] says whether only this shape or the whole run fails.
    fn produce(&self, index: usize) -> Result<Shape, Problem>;
    /// Additional threads, for a producer that waits for a network.
    fn waiting(&self) -> usize {
        0
    }
}

/// A shape to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its key in the data set.
    pub key: Key,
    /// Where it comes from.
    pub source: String,
}

/// Why a shape was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The shape cannot be used; the run continues.
    Shape(String),
    /// No shape would succeed: a server is down, a model fails. The run stops and can be resumed.
    Stop {
        /// What happened.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
}
