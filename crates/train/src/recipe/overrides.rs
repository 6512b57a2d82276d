//! `--set key=value`, and errors that name the nearest known key.

use std::path::Path;

use lexiform_model::point::EncoderConfig;
use serde::de::DeserializeOwned;

use super::RecipeError;
use crate::reference_names::{ReferenceName, find_reference_name};

/// The table whose other keys depend on its `kind`.
const ENCODER_KIND: &str = "network.tower.encoder.kind";

/// Reads a TOML file and applies `key=value` settings in order. `hint` is what to do about an error with this message.
pub(super) fn read<T: DeserializeOwned>(
    path: &Path,
    settings: &[String],
    hint: impl Fn(&str) -> Option<String>,
) -> Result<T, RecipeError> {
    let text = fs_err::read_to_string(path)?;
    let invalid = |error: toml::de::Error| {
        let message = error.to_string();
        RecipeError::Invalid { path: path.to_owned(), hint: hint(&message), message: with_nearest(&message) }
    };
    let mut table: toml::Table = text.parse().map_err(invalid)?;
    for setting in settings {
        apply(&mut table, setting)?;
    }
    table.try_into().map_err(invalid)
}

/// Sets one value, creating intermediate tables. Unknown keys are found later, by deserialization.
fn apply(table: &mut toml::Table, setting: &str) -> Result<(), RecipeError> {
    let wrong = |message: String| RecipeError::Override { setting: setting.to_owned(), message };
    let (key, value) = setting.split_once('=').ok_or_else(|| wrong("expected key=value".to_owned()))?;
    let (tables, last) = key.rsplit_once('.').map_or((None, key), |(tables, last)| (Some(tables), last));
    if key.split('.').any(str::is_empty) {
        return Err(wrong("expected key=value".to_owned()));
    }
    let mut inner = table;
    for name in tables.into_iter().flat_map(|tables| tables.split('.')) {
        let slot = inner.entry(name).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        inner = slot.as_table_mut().ok_or_else(|| wrong(format!("{name:?} is a value, not a table")))?;
    }
    match (inner.get_mut(last), parse_value(value)) {
        // Shorthand: a string for the table `data` is its path, `data=my/folder`.
        (Some(toml::Value::Table(table)), path @ toml::Value::String(_)) => {
            table.insert("path".to_owned(), path);
        }
        (old, value) => {
            if key == ENCODER_KIND && old.as_deref() != Some(&value) {
                // The keys of another encoder would be unknown ones: those of the new one, with its published sizes.
                *inner = published_encoder(&value);
                // They name the kind: that of Uni3D is Point-BERT's.
                if inner.contains_key(last) {
                    return Ok(());
                }
            }
            inner.insert(last.to_owned(), value);
        }
    }
    Ok(())
}

/// The table of an encoder with its published sizes; empty for an unknown kind, which deserialization reports.
fn published_encoder(kind: &toml::Value) -> toml::Table {
    let config = kind.as_str().and_then(EncoderConfig::published);
    config.and_then(|config| toml::Table::try_from(config).ok()).unwrap_or_default()
}

/// A TOML value, or the text itself where it is not valid TOML.
fn parse_value(text: &str) -> toml::Value {
    // Quotes are optional, so that shells need no escaping: `name=mine`.
    let parsed = format!("value = {text}").parse::<toml::Table>().ok();
    let parsed = parsed.filter(|table| table.len() == 1).and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

/// Appends the most similar known key to an error about an unknown one.
fn with_nearest(message: &str) -> String {
    // serde puts the unknown key first, then all known ones, each in backticks.
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(unknown) = quoted.next().filter(|_| message.contains("unknown ")) else {
        return message.trim().to_owned();
    };
    match quoted.min_by_key(|known| edit_distance(unknown, known)) {
        Some(nearest) => format!("{}; did you mean `{nearest}`?", message.trim()),
        None => message.trim().to_owned(),
    }
}

/// What to use instead of an unknown key that is one of a paper's code: of an override, or in the file itself.
pub(super) fn reference_hint(message: &str, overrides: &[String]) -> Option<String> {
    let unknown = message.split('`').nth(1).filter(|_| message.contains("unknown "))?;
    let key_of = |setting: &String| setting.split('=').next().map(str::to_owned);
    let has_unknown = |key: &String| key.split('.').any(|part| part == unknown);
    let mut keys = overrides.iter().filter_map(key_of).filter(has_unknown);
    let found = keys.find_map(|key| find_reference_name(&key)).or_else(|| find_reference_name(unknown));
    found.map(ReferenceName::hint)
}

/// The number of edits between two words
/// ([Levenshtein distance](https://en.wikipedia.org/wiki/Levenshtein_distance)).
pub fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    // One row of the table is enough.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_named() {
        let message = with_nearest("unknown field `stepz`, expected one of `steps`, `seed`");
        assert!(message.ends_with("did you mean `steps`?"), "{message}");
        assert_eq!(with_nearest("missing field `steps`\n"), "missing field `steps`");
    }

    #[test]
    fn values_are_toml_or_text() {
        let mut table = "a = 1".parse::<toml::Table>().unwrap();
        for setting in ["a=2", "b.c=x y", "b.d=[1, 2]"] {
            apply(&mut table, setting).unwrap();
        }
        assert_eq!(table.to_string(), "a = 2\n\n[b]\nc = \"x y\"\nd = [1, 2]\n");
        for setting in ["a", "a.b=1", ".=1"] {
            assert!(apply(&mut table, setting).is_err(), "{setting}");
        }
    }
}
