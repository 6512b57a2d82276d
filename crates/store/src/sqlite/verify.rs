//! Integrity checks of a whole database.

use rusqlite::Connection;

use super::transaction_error::TransactionError;

/// Problems of pages, indexes, references and vector sizes. Reads everything.
pub(super) fn problems(connection: &Connection) -> Result<Vec<String>, TransactionError> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    // SQLite reports one line `ok`, or one line per problem.
    let mut problems: Vec<String> = lines.into_iter().filter(|line| line != "ok").collect();
    let mut count = |select: &str, problem: &str| -> Result<(), TransactionError> {
        let found: i64 = connection.query_row(select, [], |row| row.get(0))?;
        problems.extend((found > 0).then(|| format!("{found} {problem}")));
        Ok(())
    };
    count("SELECT count(*) FROM pragma_foreign_key_check", "rows that belong to no record")?;
    count(
        "SELECT count(*) FROM vectors JOIN spaces ON spaces.id = space_id WHERE length(vector) <> 4 * dim",
        "vectors of the wrong size",
    )?;
    Ok(problems)
}
