//! Filters as SQL conditions on a table `records`, with bound parameters.

use super::case::fold_case;
use super::condition::{Comparison, Field, Filter, Value};

/// The database that a condition is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlDialect {
    /// SQLite: parameters are `?`; JSON is text.
    Sqlite,
    /// PostgreSQL 17 or later: parameters are `$1`, `$2` …; columns of text have the collation `C`, columns of JSON the type `json`.
    Postgres,
}

/// A value that is bound to a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlParameter {
    /// Text.
    Text(String),
    /// A number with fractions.
    Number(f64),
    /// No value.
    Null,
}

impl Filter {
    /// An expression that is true or false and never null, and its parameters in order.
    pub fn to_sql(&self, dialect: SqlDialect) -> (String, Vec<SqlParameter>) {
        let mut compiler = Compiler { dialect, parameters: Vec::new() };
        (compiler.condition(self), compiler.parameters)
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

struct Compiler {
    dialect: SqlDialect,
    parameters: Vec<SqlParameter>,
}

impl Compiler {
    fn condition(&mut self, filter: &Filter) -> String {
        match filter {
            // SQL has no empty conjunction: the neutral elements.
            Filter::And(parts) if parts.is_empty() => "TRUE".into(),
            Filter::Or(parts) if parts.is_empty() => "FALSE".into(),
            Filter::And(parts) => self.joined(parts, " AND "),
            Filter::Or(parts) => self.joined(parts, " OR "),
            Filter::Not(part) => format!("(NOT {})", self.condition(part)),
            Filter::Compare(field, Comparison::NotEqual, value) => {
                format!("(NOT {})", self.comparison(field, "=", value))
            }
            Filter::Compare(field, relation, value) => self.comparison(field, relation.symbol(), value),
            Filter::In(_, values) if values.is_empty() => "FALSE".into(),
            Filter::In(field, values) => {
                let comparisons: Vec<String> =
                    values.iter().map(|value| self.comparison(field, "=", value)).collect();
                format!("({})", comparisons.join(" OR "))
            }
            Filter::Matches(field, glob) => match self.dialect {
                SqlDialect::Sqlite => {
                    let pattern = self.text(glob.pattern());
                    match self.text_of(field) {
                        Some(text) => format!("(lexiform_glob({pattern}, {text}) IS TRUE)"),
                        // No text, so no condition uses the pattern.
                        None => {
                            self.parameters.pop();
                            "FALSE".into()
                        }
                    }
                }
                SqlDialect::Postgres => match self.text_of(field) {
                    Some(text) => {
                        let (text, pattern) = (self.folded(&text), self.text(&glob.to_posix_regex()));
                        format!("(({text} ~ {pattern}) IS TRUE)")
                    }
                    None => "FALSE".into(),
                },
            },
            Filter::InFolder(folder) => {
                // The character after `/` is `0`: a range, for which a database can use an index.
                let [own, first, end] =
                    [folder.clone(), format!("{folder}/"), format!("{folder}0")].map(|text| self.text(&text));
                format!("(path = {own} OR (path >= {first} AND path < {end}))")
            }
            Filter::Has(field) => self.has(field),
        }
    }

    fn joined(&mut self, parts: &[Filter], operator: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.condition(part)).collect();
        format!("({})", parts.join(operator))
    }

    fn has(&mut self, field: &Field) -> String {
        match field {
            Field::Extra(key) => {
                let kind = self.json_type(key);
                format!("(coalesce({kind}, 'null') <> 'null')")
            }
            Field::Caption => "(captioner <> '')".into(),
            Field::Modified => "(modified_ns IS NOT NULL)".into(),
            Field::Extent(3..) => "FALSE".into(),
            _ => "TRUE".into(),
        }
    }

    fn comparison(&mut self, field: &Field, symbol: &str, value: &Value) -> String {
        let (left, right) = match value {
            Value::Number(number) => (self.number_of(field), SqlParameter::Number(field.rounded(*number))),
            Value::Text(text) => (self.text_of(field), SqlParameter::Text(text.clone())),
            Value::AnyCase(text) => {
                let folded = self.text_of(field).map(|text| self.folded(&text));
                (folded, SqlParameter::Text(fold_case(text)))
            }
            Value::Bool(value) => match field {
                Field::Extra(key) if symbol == "=" => {
                    (Some(self.boolean_of(key)), SqlParameter::Text(value.to_string()))
                }
                _ => (None, SqlParameter::Null),
            },
        };
        let Some(left) = left else { return "FALSE".into() };
        let right = self.bind(right);
        // IS TRUE: a comparison with NULL is NULL, and NOT would keep it NULL instead of making it true.
        format!("(({left} {symbol} {right}) IS TRUE)")
    }

    /// An expression that is the field's text, or null; `None` if it is never text.
    fn text_of(&mut self, field: &Field) -> Option<String> {
        Some(match field {
            Field::Path => "path".into(),
            Field::Name => "name".into(),
            Field::Format => "format".into(),
            Field::ContentHash => "content_hash".into(),
            Field::Caption => match self.dialect {
                SqlDialect::Sqlite => "json_extract(captions, '$[0]')".into(),
                SqlDialect::Postgres => "((captions ->> 0) COLLATE \"C\")".into(),
            },
            Field::Extra(key) => {
                // The value alone would turn numbers and booleans into values that compare with text.
                let (kind, value) = (self.json_type(key), self.json_value(key));
                match self.dialect {
                    SqlDialect::Sqlite => format!("iif({kind} = 'text', {value}, NULL)"),
                    SqlDialect::Postgres => {
                        format!("((CASE WHEN {kind} = 'string' THEN {value} END) COLLATE \"C\")")
                    }
                }
            }
            _ => return None,
        })
    }

    /// An expression that is the field's number, or null; `None` if it is never a number.
    fn number_of(&mut self, field: &Field) -> Option<String> {
        Some(match field {
            Field::Bytes => "bytes".into(),
            Field::Vertices => "vertices".into(),
            Field::Triangles => "triangles".into(),
            Field::Points => "points".into(),
            Field::Extent(0) => "extent_x".into(),
            Field::Extent(1) => "extent_y".into(),
            Field::Extent(2) => "extent_z".into(),
            Field::Modified => match self.dialect {
                SqlDialect::Sqlite => "(modified_ns / 1000000000.0)".into(),
                SqlDialect::Postgres => "(modified_ns::float8 / 1000000000)".into(),
            },
            Field::Extra(key) => {
                let (kind, value) = (self.json_type(key), self.json_value(key));
                match self.dialect {
                    SqlDialect::Sqlite => {
                        format!("iif({kind} IN ('integer', 'real'), CAST({value} AS REAL), NULL)")
                    }
                    SqlDialect::Postgres => {
                        format!("(CASE WHEN {kind} = 'number' THEN ({value})::float8 END)")
                    }
                }
            }
            _ => return None,
        })
    }

    /// An expression that is 'true' or 'false' for a boolean.
    fn boolean_of(&mut self, key: &str) -> String {
        let kind = self.json_type(key);
        match self.dialect {
            // The value is 1 or 0, the same as for numbers; the type says which.
            SqlDialect::Sqlite => kind,
            SqlDialect::Postgres => {
                let value = self.json_value(key);
                format!("(CASE WHEN {kind} = 'boolean' THEN {value} END)")
            }
        }
    }

    /// A text in lower case, as [`fold_case`] writes it.
    fn folded(&self, text: &str) -> String {
        match self.dialect {
            // SQLite's own `lower` and NOCASE know ASCII only.
            SqlDialect::Sqlite => format!("lexiform_fold_case({text})"),
            // The collation that converts each letter on its own, whatever the database's language.
            SqlDialect::Postgres => format!("(lower({text} COLLATE pg_c_utf8) COLLATE \"C\")"),
        }
    }

    /// The type of a top-level key of `extra`.
    fn json_type(&mut self, key: &str) -> String {
        match self.dialect {
            SqlDialect::Sqlite => format!("json_type(extra, {})", self.bind(json_path(key))),
            SqlDialect::Postgres => format!("json_typeof(extra -> {})", self.text(key)),
        }
    }

    /// The value of a top-level key of `extra`.
    fn json_value(&mut self, key: &str) -> String {
        match self.dialect {
            SqlDialect::Sqlite => format!("json_extract(extra, {})", self.bind(json_path(key))),
            SqlDialect::Postgres => format!("extra ->> {}", self.text(key)),
        }
    }

    fn text(&mut self, text: &str) -> String {
        self.bind(SqlParameter::Text(text.to_owned()))
    }

    /// The placeholder of a new parameter.
    fn bind(&mut self, parameter: SqlParameter) -> String {
        let kind = if matches!(parameter, SqlParameter::Number(_)) { "float8" } else { "text" };
        self.parameters.push(parameter);
        match self.dialect {
            SqlDialect::Sqlite => "?".into(),
            // With its type: otherwise an integer column would make the parameter an integer.
            SqlDialect::Postgres => format!("${}::{kind}", self.parameters.len()),
        }
    }
}

/// SQLite's path to a top-level key. Keys with quotes or backslashes cannot be written in it: the parser rejects
/// them, and here they become NULL, which matches nothing.
fn json_path(key: &str) -> SqlParameter {
    let plain = key.chars().all(|c| !c.is_control() && c != '"' && c != '\\');
    if plain { SqlParameter::Text(format!("$.\"{key}\"")) } else { SqlParameter::Null }
}
