//! What an indexing run tells while it works, and at its end.

use serde::Serialize;

/// Something happened. Told on the thread that called, in the order it became durable.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The files have been found; `to_check` of them are new or may have changed.
    Planned {
        /// How many assets there are.
        files: usize,
        /// How many must be read.
        to_check: usize,
    },
    /// A file is done with, and the library has it on disk.
    File {
        /// Its name in the library.
        path: String,
        /// What became of it.
        status: Status,
    },
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was seen by the model and can be found.
    Indexed,
    /// The library knew it as it is.
    Unchanged,
    /// The same content lay elsewhere before.
    Renamed {
        /// Where.
        from: String,
    },
    /// It cannot be used.
    Failed {
        /// Why.
        error: String,
    },
    /// The library knows it, but it is gone.
    Removed {
        /// Whether the library has forgotten it now.
        dropped: bool,
    },
}

/// Counts of a whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Files seen by the model and stored, or stored again because they changed.
    pub indexed: usize,
    /// Files the library knew as they are.
    pub unchanged: usize,
    /// Files that moved.
    pub renamed: usize,
    /// Files that cannot be used.
    pub failed: usize,
    /// Files that are gone.
    pub removed: usize,
}

impl Summary {
    pub(crate) fn count(&mut self, status: &Status) {
        let counter = match status {
            Status::Indexed => &mut self.indexed,
            Status::Unchanged => &mut self.unchanged,
            Status::Renamed { .. } => &mut self.renamed,
            Status::Failed { .. } => &mut self.failed,
            Status::Removed { .. } => &mut self.removed,
        };
        *counter += 1;
    }
}
