//! Filters as SQL conditions on the table `records`, with bound parameters.

use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Result};

use super::case::fold_case;
use super::condition::{Comparison, Field, Filter, Value};
use super::glob::Glob;

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
    /// An expression that is 0 or 1 and never null; its parameters are appended to `parameters` in order.
    pub(crate) fn to_sql(&self, parameters: &mut Vec<Sql>) -> String {
        match self {
            // SQL has no empty conjunction: the neutral elements.
            Self::And(parts) if parts.is_empty() => "1".into(),
            Self::Or(parts) if parts.is_empty() => "0".into(),
            Self::And(parts) => joined(parts, " AND ", parameters),
            Self::Or(parts) => joined(parts, " OR ", parameters),
            Self::Not(part) => format!("(NOT {})", part.to_sql(parameters)),
            Self::Compare(field, Comparison::NotEqual, value) => {
                format!("(NOT {})", comparison(field, "=", value, parameters))
            }
            Self::Compare(field, relation, value) => comparison(field, relation.symbol(), value, parameters),
            Self::In(_, values) if values.is_empty() => "0".into(),
            Self::In(field, values) => {
                let comparisons = values.iter().map(|value| comparison(field, "=", value, parameters));
                format!("({})", comparisons.collect::<Vec<_>>().join(" OR "))
            }
            Self::Matches(field, glob) => {
                parameters.push(Sql::Text(glob.pattern().into()));
                match field.text(parameters) {
                    Some(text) => format!("(lexiform_glob(?, {text}) IS TRUE)"),
                    // No text, so no condition uses the pattern.
                    None => {
                        parameters.pop();
                        "0".into()
                    }
                }
            }
            Self::InFolder(folder) => {
                // The character after `/` is `0`: a range, for which SQLite can use an index.
                let range = [folder.clone(), format!("{folder}/"), format!("{folder}0")];
                parameters.extend(range.map(Sql::Text));
                "(path = ? OR (path >= ? AND path < ?))".into()
            }
            Self::Has(field) => match field {
                Field::Extra(key) => {
                    parameters.push(json_path(key));
                    "(coalesce(json_type(extra, ?), 'null') <> 'null')".into()
                }
                Field::Caption => "(captions <> '[]')".into(),
                Field::Modified => "(modified_ns IS NOT NULL)".into(),
                Field::Extent(3..) => "0".into(),
                _ => "1".into(),
            },
        }
    }
}

impl Comparison {
    fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
        }
    }
}

impl Field {
    /// An expression that is the field's text, or null; `None` if it is never text.
    fn text(&self, parameters: &mut Vec<Sql>) -> Option<String> {
        Some(match self {
            Self::Path => "path".into(),
            Self::Name => "name".into(),
            Self::Format => "format".into(),
            Self::ContentHash => "content_hash".into(),
            Self::Caption => "json_extract(captions, '$[0]')".into(),
            Self::Extra(key) => {
                parameters.extend([json_path(key), json_path(key)]);
                // `json_extract` alone would turn numbers and booleans into values that compare with text.
                "iif(json_type(extra, ?) = 'text', json_extract(extra, ?), NULL)".into()
            }
            _ => return None,
        })
    }

    /// An expression that is the field's number, or null; `None` if it is never a number.
    fn number(&self, parameters: &mut Vec<Sql>) -> Option<String> {
        Some(match self {
            Self::Bytes => "bytes".into(),
            Self::Vertices => "vertices".into(),
            Self::Triangles => "triangles".into(),
            Self::Points => "points".into(),
            Self::Extent(0) => "extent_x".into(),
            Self::Extent(1) => "extent_y".into(),
            Self::Extent(2) => "extent_z".into(),
            Self::Modified => "(modified_ns / 1000000000.0)".into(),
            Self::Extra(key) => {
                parameters.extend([json_path(key), json_path(key)]);
                "iif(json_type(extra, ?) IN ('integer', 'real'), CAST(json_extract(extra, ?) AS REAL), NULL)"
                    .into()
            }
            _ => return None,
        })
    }
}

fn joined(parts: &[Filter], operator: &str, parameters: &mut Vec<Sql>) -> String {
    let parts: Vec<String> = parts.iter().map(|part| part.to_sql(parameters)).collect();
    format!("({})", parts.join(operator))
}

fn comparison(field: &Field, symbol: &str, value: &Value, parameters: &mut Vec<Sql>) -> String {
    let (left, right) = match value {
        Value::Number(number) => (field.number(parameters), Sql::Real(field.rounded(*number))),
        Value::Text(text) => (field.text(parameters), Sql::Text(text.clone())),
        Value::AnyCase(text) => {
            let folded = field.text(parameters).map(|text| format!("lexiform_fold_case({text})"));
            (folded, Sql::Text(fold_case(text)))
        }
        Value::Bool(value) => match field {
            Field::Extra(key) if symbol == "=" => {
                parameters.push(json_path(key));
                // `json_extract` gives 1 and 0 for booleans, the same as for numbers; the type is 'true' or 'false'.
                (Some("json_type(extra, ?)".into()), Sql::Text(value.to_string()))
            }
            _ => (None, Sql::Null),
        },
    };
    let Some(left) = left else { return "0".into() };
    parameters.push(right);
    // IS TRUE: a comparison with NULL is NULL, and NOT would keep it NULL instead of making it true.
    format!("(({left} {symbol} ?) IS TRUE)")
}

/// SQLite's path to a top-level key. Keys with quotes or backslashes cannot be written in it: the parser rejects
/// them, and here they become NULL, which matches nothing.
fn json_path(key: &str) -> Sql {
    let plain = key.chars().all(|c| !c.is_control() && c != '"' && c != '\\');
    if plain { Sql::Text(format!("$.\"{key}\"")) } else { Sql::Null }
}
