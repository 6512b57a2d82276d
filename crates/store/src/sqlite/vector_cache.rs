//! The mapped vectors of a space, kept between calls while they do not change.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;

use super::spaces::StoredSpace;
use super::transaction_error::TransactionError;
use super::vectors::VectorState;
use crate::scan::Rows;
use crate::vectors::MappedVectors;

/// The mapped vectors of a space, kept until they change.
#[derive(Debug, Default)]
pub(super) struct VectorCache {
    cached: Mutex<Option<Arc<Vectors>>>,
}

/// The vectors of a space in a snapshot of the database.
#[derive(Debug)]
pub(super) struct Vectors {
    state: VectorState,
    mapped: MappedVectors,
    /// Slots without a record, ascending.
    dead: Vec<u32>,
}

impl VectorCache {
    /// The vectors in `connection`'s snapshot.
    pub(super) fn vectors(
        &self,
        connection: &Connection,
        folder: &Path,
        space: &StoredSpace,
    ) -> Result<Arc<Vectors>, TransactionError> {
        let state = VectorState::read(connection, space.id)?;
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(vectors) = cached.as_ref().filter(|vectors| vectors.state == state) {
            return Ok(vectors.clone());
        }
        let dead = state.dead_slots(connection)?;
        let vectors = Arc::new(Vectors { state, mapped: state.open(folder)?, dead });
        // A thread with an older snapshot must not replace the vectors of a newer one.
        if cached.as_ref().is_none_or(|known| known.state.generation < state.generation) {
            *cached = Some(vectors.clone());
        }
        Ok(vectors)
    }
}

impl Vectors {
    /// The space they belong to, and its files.
    pub(super) fn state(&self) -> &VectorState {
        &self.state
    }

    /// The rows to scan.
    pub(super) fn rows(&self) -> Rows<'_> {
        Rows { dim: self.state.dim, coded: self.mapped.coded(), dead: &self.dead }
    }

    /// Reads the vector in a slot; returns whether there is such a slot.
    pub(super) fn read(&self, slot: u32, vector: &mut Vec<f32>) -> bool {
        self.mapped.read(slot as usize, vector)
    }
}
