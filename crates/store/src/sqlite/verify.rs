//! Integrity checks of a whole library.

use std::path::Path;

use rusqlite::Connection;

use super::transaction_error::TransactionError;
use super::vectors::{self, VectorState};

/// Problems of pages, indexes, references and vectors. Reads everything.
pub(super) fn problems(connection: &Connection, folder: &Path) -> Result<Vec<String>, TransactionError> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    // SQLite reports one line `ok`, or one line per problem.
    let mut problems: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
    let dangling: i64 =
        connection.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
    problems.extend((dangling > 0).then(|| format!("{dangling} rows that belong to no record")));
    for state in vectors::states(connection)? {
        problems.extend(problems_of_slots(connection, &state)?);
        match state.open(folder) {
            Ok(mapped) => {
                let damaged = (0..mapped.slots()).filter(|slot| !mapped.is_intact(*slot)).count();
                problems.extend((damaged > 0).then(|| format!("{damaged} damaged vectors")));
            }
            // A snapshot that is too old is not a problem of the library.
            Err(error @ TransactionError::Outdated(_)) => return Err(error),
            Err(error) => {
                problems.push(error.into_store_error(folder, "cannot read the vectors").to_string())
            }
        }
    }
    Ok(problems)
}

/// Whether every valid slot belongs to one record or is dead.
fn problems_of_slots(connection: &Connection, state: &VectorState) -> rusqlite::Result<Option<String>> {
    let count = |select: &str| -> rusqlite::Result<u64> {
        connection.query_row(select, (state.space_id, state.slots), |row| row.get(0))
    };
    let used = count("SELECT count(*) FROM vectors WHERE space_id = ? AND slot < ?")?;
    let dead = count("SELECT count(*) FROM dead_slots WHERE space_id = ? AND slot < ?")?;
    let invalid = count("SELECT count(*) FROM vectors WHERE space_id = ? AND slot >= ?")?;
    let both = count(
        "SELECT count(*) FROM vectors JOIN dead_slots USING (space_id, slot) WHERE space_id = ? AND slot < ?",
    )?;
    let is_consistent = used + dead == u64::from(state.slots) && invalid == 0 && both == 0;
    Ok((!is_consistent).then(|| {
        let slots = state.slots;
        format!("{slots} vectors: {used} of records, {dead} dead, {both} both, {invalid} beyond the end")
    }))
}
