//! What filters need of SQLite: functions, and parameters in its types.

use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value;
use rusqlite::{Connection, Result};

use super::case::fold_case;
use super::condition::Filter;
use super::glob::Glob;
use super::sql::{SqlDialect, SqlParameter};

/// Registers the functions that `~` and comparisons without case compile to.
pub(crate) fn register(connection: &Connection) -> Result<()> {
    // DIRECTONLY: views and triggers of an untrusted library cannot call it.
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("lexiform_glob", 2, flags, |context| {
        // Compiled once per statement instead of once per row.
        let glob = context.get_or_create_aux(0, |pattern| pattern.as_str().map(Glob::new))?;
        Ok(context.get_raw(1).as_str().is_ok_and(|text| glob.matches(text)))
    })?;
    // SQLite's own `lower` and NOCASE know ASCII only.
    connection.create_scalar_function("lexiform_fold_case", 1, flags, |context| {
        Ok(context.get_raw(0).as_str().ok().map(fold_case))
    })
}

impl Filter {
    /// The condition for SQLite; its parameters are appended to `parameters` in order.
    pub(crate) fn to_sqlite(&self, parameters: &mut Vec<Value>) -> String {
        let (condition, bound) = self.to_sql(SqlDialect::Sqlite);
        parameters.extend(bound.into_iter().map(|parameter| match parameter {
            SqlParameter::Text(text) => Value::Text(text),
            SqlParameter::Number(number) => Value::Real(number),
            SqlParameter::Null => Value::Null,
        }));
        condition
    }
}
