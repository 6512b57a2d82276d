//! Conditions on payloads: parsed from text, evaluated in Rust, or compiled to SQL.

mod case;
mod condition;
mod glob;
mod literal;
mod parse;
mod sql;

pub use condition::{Comparison, Field, Filter, Value};
pub use glob::Glob;
pub use parse::FilterError;
pub(crate) use sql::register;
