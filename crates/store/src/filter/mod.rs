//! Conditions on payloads: parsed from text, evaluated in Rust, or compiled to SQL.

mod case;
mod condition;
mod glob;
mod literal;
mod parse;
mod sql;
mod sqlite;

pub use condition::{Comparison, Field, Filter, Value};
pub use glob::Glob;
pub use parse::FilterError;
pub use sql::{SqlDialect, SqlParameter};
pub(crate) use sqlite::register;
