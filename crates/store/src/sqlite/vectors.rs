//! Where the vectors of a space are: its row in `spaces`, and copying sparse files to dense ones.

use std::path::Path;

use rusqlite::Connection;

use super::transaction_error::TransactionError;
use crate::StoreError;
use crate::vectors::{MappedVectors, VectorAppender, VectorFiles, remove_unknown};

/// Files with fewer dead slots than this are not copied.
const MIN_DEAD: usize = 256;
/// Files are copied when one of this many slots is dead: searches scan dead slots too.
const DEAD_SHARE: usize = 4;

/// The files of a space in a snapshot of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct VectorState {
    pub(super) space_id: i64,
    pub(super) dim: usize,
    /// Counts changes.
    pub(super) generation: i64,
    /// Counts copies of the files.
    pub(super) epoch: i64,
    /// Valid slots, dead ones included.
    pub(super) slots: u32,
}

impl VectorState {
    /// The state of a space.
    pub(super) fn read(connection: &Connection, space_id: i64) -> rusqlite::Result<Self> {
        let select = "SELECT dim, generation, epoch, slots FROM spaces WHERE id = ?";
        connection.prepare_cached(select)?.query_row([space_id], |row| {
            let (dim, generation, epoch, slots) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Self { space_id, dim, generation, epoch, slots })
        })
    }

    fn files(&self, folder: &Path) -> VectorFiles {
        VectorFiles::new(folder, self.space_id, self.epoch)
    }

    /// Maps the files. If they are missing, a writer may have copied and removed them after this snapshot was taken.
    pub(super) fn open(&self, folder: &Path) -> Result<MappedVectors, TransactionError> {
        let is_missing = |error: &StoreError| matches!(error, StoreError::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound);
        MappedVectors::open(&self.files(folder), self.dim, self.slots as usize).map_err(|error| {
            let outdated = is_missing(&error);
            if outdated { TransactionError::Outdated(error) } else { error.into() }
        })
    }

    /// Slots without a record, ascending.
    pub(super) fn dead_slots(&self, connection: &Connection) -> rusqlite::Result<Vec<u32>> {
        let select = "SELECT slot FROM dead_slots WHERE space_id = ? ORDER BY slot";
        connection.prepare_cached(select)?.query_map([self.space_id], |row| row.get(0))?.collect()
    }

    /// Number of slots without a record.
    pub(super) fn count_dead(&self, connection: &Connection) -> rusqlite::Result<usize> {
        let select = "SELECT count(*) FROM dead_slots WHERE space_id = ?";
        connection.prepare_cached(select)?.query_row([self.space_id], |row| row.get(0))
    }
}

/// The error for a record whose slot its space does not have.
pub(super) fn no_such_slot(connection: &Connection, slot: u32) -> TransactionError {
    let path = connection.path().unwrap_or_default().into();
    StoreError::Corrupt { path, problems: vec![format!("a record has slot {slot}, which does not exist")] }
        .into()
}

/// Opens the files of a space to append to them in the current transaction.
pub(super) fn appender(
    connection: &Connection,
    folder: &Path,
    space_id: i64,
) -> Result<VectorAppender, TransactionError> {
    let state = VectorState::read(connection, space_id)?;
    Ok(VectorAppender::open(state.files(folder), state.dim, state.slots)?)
}

/// Sets the number of valid slots.
pub(super) fn set_slots(connection: &Connection, space_id: i64, slots: u32) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE spaces SET slots = ? WHERE id = ?")?
        .execute((slots, space_id))
        .map(drop)
}

/// The states of all spaces.
pub(super) fn states(connection: &Connection) -> rusqlite::Result<Vec<VectorState>> {
    let mut statement = connection.prepare_cached("SELECT id FROM spaces ORDER BY id")?;
    let ids: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    ids.into_iter().map(|id| VectorState::read(connection, id)).collect()
}

/// Deletes files of vectors that no space has.
pub(super) fn remove_unknown_files(connection: &Connection, folder: &Path) -> rusqlite::Result<()> {
    let known: Vec<VectorFiles> = states(connection)?.iter().map(|state| state.files(folder)).collect();
    remove_unknown(folder, &known);
    Ok(())
}

/// Copies the files of spaces with many dead slots. Returns the old files, to be removed after the transaction.
pub(super) fn compact(connection: &Connection, folder: &Path) -> Result<Vec<VectorFiles>, TransactionError> {
    let mut outdated = Vec::new();
    for state in states(connection)? {
        let dead = state.count_dead(connection)?;
        if dead >= MIN_DEAD && dead * DEAD_SHARE >= state.slots as usize {
            copy_live(connection, folder, &state)?;
            outdated.push(state.files(folder));
        }
    }
    Ok(outdated)
}

/// Copies the slots that records have to the files of the next epoch.
fn copy_live(connection: &Connection, folder: &Path, state: &VectorState) -> Result<(), TransactionError> {
    let old = state.open(folder)?;
    let next = VectorState { epoch: state.epoch + 1, slots: 0, ..*state };
    let mut appender = VectorAppender::open(next.files(folder), next.dim, 0)?;
    // Listed before the first update, which changes the index that the list is read from.
    let mut select =
        connection.prepare_cached("SELECT slot FROM vectors WHERE space_id = ? ORDER BY slot")?;
    let live: Vec<u32> = select.query_map([state.space_id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut vector = Vec::with_capacity(state.dim);
    // In ascending order a slot never moves to one that a later record still has.
    let mut update =
        connection.prepare_cached("UPDATE vectors SET slot = ? WHERE space_id = ? AND slot = ?")?;
    for slot in live {
        if !old.read(slot as usize, &mut vector) {
            return Err(no_such_slot(connection, slot));
        }
        update.execute((appender.push(&vector)?, state.space_id, slot))?;
    }
    connection.execute("DELETE FROM dead_slots WHERE space_id = ?", [state.space_id])?;
    let set = "UPDATE spaces SET epoch = ?, slots = ?, generation = generation + 1 WHERE id = ?";
    connection.execute(set, (next.epoch, appender.finish()?, state.space_id))?;
    Ok(())
}
