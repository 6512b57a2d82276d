//! The spaces of a library, in the table `spaces`.

use std::path::Path;

use rusqlite::Connection;

use super::transaction_error::TransactionError;
use crate::{EmbeddingSpace, StoreError};

/// A space with its id in the database.
#[derive(Clone, Debug)]
pub(super) struct StoredSpace {
    pub(super) id: i64,
    pub(super) space: EmbeddingSpace,
}

impl StoredSpace {
    /// SQL condition for rows of `records` that have a vector in this space.
    pub(super) fn has_vector_sql(&self) -> String {
        format!("EXISTS (SELECT 1 FROM vectors WHERE record_id = records.id AND space_id = {})", self.id)
    }
}

/// Adds a space without vectors.
pub(super) fn add(connection: &Connection, space: &EmbeddingSpace) -> Result<(), TransactionError> {
    let EmbeddingSpace { model, dim, preprocessing } = space;
    let insert = "INSERT INTO spaces (model, dim, preprocessing) VALUES (?, ?, ?)";
    connection.execute(insert, (model, i64::try_from(*dim).unwrap_or(i64::MAX), preprocessing))?;
    Ok(())
}

/// All spaces of a library, oldest first; at least one.
pub(super) fn all(connection: &Connection, path: &Path) -> Result<Vec<StoredSpace>, TransactionError> {
    let mut statement = connection.prepare("SELECT id, model, dim, preprocessing FROM spaces ORDER BY id")?;
    let found = statement.query_map([], |row| {
        let space = EmbeddingSpace { model: row.get(1)?, dim: row.get(2)?, preprocessing: row.get(3)? };
        Ok(StoredSpace { id: row.get(0)?, space })
    })?;
    let found: Vec<StoredSpace> = found.collect::<Result<_, _>>()?;
    // The space is written in the transaction that creates the tables.
    if found.is_empty() {
        let problems = vec!["no model is recorded for its vectors".into()];
        return Err(StoreError::Corrupt { path: path.into(), problems }.into());
    }
    Ok(found)
}

/// The space `wanted` if the library has it, the oldest one otherwise.
pub(super) fn find(
    connection: &Connection,
    path: &Path,
    wanted: Option<&EmbeddingSpace>,
) -> Result<StoredSpace, TransactionError> {
    let mut spaces = all(connection, path)?;
    let position = spaces.iter().position(|stored| Some(&stored.space) == wanted).unwrap_or(0);
    Ok(spaces.swap_remove(position))
}

/// Counts a change of a space's vectors, so that readers notice it.
pub(super) fn next_generation(connection: &Connection, space_id: i64) -> rusqlite::Result<()> {
    let update = "UPDATE spaces SET generation = generation + 1 WHERE id = ?";
    connection.prepare_cached(update)?.execute([space_id]).map(drop)
}
