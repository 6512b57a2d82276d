//! Reading captions by key: results and annotations of COCO, results of PointLLM, JSON lines, and tables.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::error::EvalError;

/// Names of the key of an item, in the order in which they are looked for: annotations of COCO have an `id` of their own.
const KEYS: [&str; 10] =
    ["image_id", "object_id", "key", "uid", "model_id", "modelId", "shape", "file", "name", "id"];
/// Names of predicted captions.
const PREDICTIONS: [&str; 5] = ["prediction", "model_output", "caption", "captions", "text"];
/// Names of references.
const REFERENCES: [&str; 8] =
    ["references", "reference", "ground_truth", "caption", "captions", "description", "text", "texts"];
/// Names of the list of items in an object.
const LISTS: [&str; 3] = ["annotations", "results", "predictions"];

/// What captions of a file are read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Captions of a model.
    Prediction,
    /// Captions by others.
    Reference,
}

impl Role {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Prediction => &PREDICTIONS,
            Self::Reference => &REFERENCES,
        }
    }
}

/// Captions of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// Its name.
    pub key: String,
    /// Its captions, in the order of the file.
    pub captions: Vec<String>,
}

/// Captions by item, in the order in which items occur.
#[derive(Debug)]
pub(super) struct Captions {
    path: PathBuf,
    /// The items.
    pub items: Vec<Item>,
    places: HashMap<String, usize>,
}

impl Captions {
    /// Reads a file, by its extension: `.json`, `.jsonl`, or CSV.
    pub(super) fn read(path: &Path, role: Role) -> Result<Self, EvalError> {
        let mut captions = Self { path: path.to_owned(), items: Vec::new(), places: HashMap::new() };
        let bytes = fs_err::read(path)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let read = match extension.as_str() {
            "json" => captions.add_json(bytes, role),
            "jsonl" | "ndjson" => captions.add_lines(bytes, role),
            "csv" => captions.add_table(bytes, role),
            _ => Err(format!("unknown extension {extension:?}")),
        };
        read.and_then(|()| if captions.items.is_empty() { Err("found no captions".to_owned()) } else { Ok(()) })
            .map_err(|reason| {
                EvalError::hinted(
                    format!("{}: {reason}", path.display()),
                    "expected JSON of COCO ([{\"image_id\": 1, \"caption\": \"…\"}] or {\"annotations\": […]}), an object from keys to \
                     captions, .jsonl with the same objects, or .csv with the columns key and caption",
                )
            })?;
        Ok(captions)
    }

    /// The name of the file.
    pub(super) fn file(&self) -> std::path::Display<'_> {
        self.path.display()
    }

    fn add(&mut self, key: String, captions: impl IntoIterator<Item = String>) {
        let items = &mut self.items;
        let place = *self.places.entry(key).or_insert_with_key(|key| {
            items.push(Item { key: key.clone(), captions: Vec::new() });
            items.len() - 1
        });
        self.items[place].captions.extend(captions);
    }

    fn add_json(&mut self, bytes: &[u8], role: Role) -> Result<(), String> {
        match serde_json::from_slice(bytes).map_err(|error| error.to_string())? {
            Value::Array(items) => self.add_objects(&items, role),
            Value::Object(object) => match LISTS.iter().find_map(|name| object.get(*name)?.as_array()) {
                Some(items) => self.add_objects(items, role),
                None => self.add_by_key(&object, role),
            },
            other => Err(format!("expected a list or an object, found {}", kind(&other))),
        }
    }

    fn add_objects(&mut self, items: &[Value], role: Role) -> Result<(), String> {
        items.iter().enumerate().try_for_each(|(place, item)| {
            self.add_object(item, role).map_err(|reason| format!("item {}: {reason}", place + 1))
        })
    }

    fn add_lines(&mut self, bytes: &[u8], role: Role) -> Result<(), String> {
        for (number, line) in (1_usize..).zip(bytes.split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let value: Result<Value, String> =
                serde_json::from_slice(line).map_err(|error| error.to_string());
            value
                .and_then(|value| self.add_object(&value, role))
                .map_err(|reason| format!("line {number}: {reason}"))?;
        }
        Ok(())
    }

    /// An object with a key and one or several captions.
    fn add_object(&mut self, item: &Value, role: Role) -> Result<(), String> {
        let object = item.as_object().ok_or_else(|| format!("expected an object, found {}", kind(item)))?;
        let found = KEYS.iter().find_map(|name| object.get(*name));
        let key = found.and_then(key_text).ok_or_else(|| {
            format!("expected a key, one of {}, found {}", KEYS.join(", "), list(object.keys()))
        })?;
        let captions = role.names().iter().find_map(|name| object.get(*name)).ok_or_else(|| {
            format!(
                "{key}: expected a caption, one of {}, found {}",
                role.names().join(", "),
                list(object.keys())
            )
        })?;
        let captions = texts(captions, role).map_err(|reason| format!("{key}: {reason}"))?;
        self.add(key, captions);
        Ok(())
    }

    /// An object from keys to captions.
    fn add_by_key(&mut self, object: &Map<String, Value>, role: Role) -> Result<(), String> {
        for (key, value) in object {
            let captions = texts(value, role).map_err(|reason| format!("{key}: {reason}"))?;
            self.add(key.clone(), captions);
        }
        Ok(())
    }

    /// A table with headings, or of keys and captions.
    fn add_table(&mut self, bytes: &[u8], role: Role) -> Result<(), String> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut columns = None;
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let columns = match columns {
                Some(columns) => columns,
                None => {
                    let (found, has_headings) = caption_columns(&record, role)?;
                    columns = Some(found);
                    if has_headings {
                        continue;
                    }
                    found
                }
            };
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |place: usize| {
                record.get(place).ok_or_else(|| {
                    format!("line {line}: expected {} columns, found {}", place + 1, record.len())
                })
            };
            self.add(cell(columns.0)?.trim().to_owned(), [cell(columns.1)?.to_owned()]);
        }
        Ok(())
    }
}

/// Columns of the key and of the caption, and whether the first line has their names.
fn caption_columns(first: &csv::StringRecord, role: Role) -> Result<((usize, usize), bool), String> {
    let place =
        |names: &[&str]| names.iter().find_map(|name| first.iter().position(|cell| cell.trim() == *name));
    match (place(&KEYS), place(role.names())) {
        (Some(key), Some(caption)) => Ok(((key, caption), true)),
        // As in Cap3D's table.
        _ if first.len() == 2 => Ok(((0, 1), false)),
        _ => Err(format!("expected the columns key and caption, found {}", list(first.iter()))),
    }
}

/// One caption or a list of captions, as text or as objects with a `caption`.
fn texts(value: &Value, role: Role) -> Result<Vec<String>, String> {
    match value {
        Value::String(text) => Ok(vec![text.clone()]),
        Value::Array(values) => {
            let texts: Result<Vec<Vec<String>>, String> = values
                .iter()
                .map(|value| match value {
                    Value::Array(_) => Err("expected a caption, found a list in a list".to_owned()),
                    value => texts(value, role),
                })
                .collect();
            texts.map(|texts| texts.concat())
        }
        Value::Object(object) => match role.names().iter().find_map(|name| object.get(*name)) {
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            _ => Err(format!("expected a caption, found {}", list(object.keys()))),
        },
        other => Err(format!("expected a caption, found {}", kind(other))),
    }
}

fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// At most a few names, for messages.
fn list(names: impl Iterator<Item = impl ToString>) -> String {
    let names: Vec<String> = names.take(8).map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str, role: Role) -> Result<Vec<(String, Vec<String>)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let captions = Captions::read(&path, role).map_err(|error| error.to_string())?;
        Ok(captions.items.into_iter().map(|item| (item.key, item.captions)).collect())
    }

    #[test]
    fn layouts() {
        let check = |name, text: &str, role, expected: &[(&str, &[&str])]| {
            let expected: Vec<_> = expected
                .iter()
                .map(|(key, captions)| {
                    ((*key).to_owned(), captions.iter().map(|c| (*c).to_owned()).collect())
                })
                .collect();
            assert_eq!(read(name, text, role), Ok(expected), "{text}");
        };
        let (prediction, reference) = (Role::Prediction, Role::Reference);
        let coco = r#"{"images": [{"id": 7}], "annotations": [{"id": 1, "image_id": 7, "caption": "a cup"},
            {"id": 2, "image_id": 7, "caption": "cup"}]}"#;
        check("a.json", coco, reference, &[("7", &["a cup", "cup"])]);
        check("a.json", r#"[{"image_id": 7, "caption": ""}]"#, prediction, &[("7", &[""])]);
        let pointllm = r#"{"prompt": "What is this?", "results": [{"object_id": "u1", "ground_truth": "a cup",
            "model_output": "a mug", "label_name": "cup"}]}"#;
        check("a.json", pointllm, prediction, &[("u1", &["a mug"])]);
        check("a.json", pointllm, reference, &[("u1", &["a cup"])]);
        let by_key = r#"{"u1": [{"caption": "c"}], "u2": ["a", "b"], "u3": "d"}"#;
        check("a.json", by_key, reference, &[("u1", &["c"]), ("u2", &["a", "b"]), ("u3", &["d"])]);
        check("a.jsonl", "{\"key\": \"u1\", \"captions\": [\"a\"]}\n\n", reference, &[("u1", &["a"])]);
        check("a.csv", "u1,\"A cup, red\"\nu1,mug\n", reference, &[("u1", &["A cup, red", "mug"])]);
        check("a.csv", "label,caption,file\ncup,red,u1\n", prediction, &[("u1", &["red"])]);
    }

    #[test]
    fn other_files_are_errors() {
        let check = |name, text, expected: &str| {
            let error = read(name, text, Role::Prediction).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("a.json", "{", "EOF");
        check("a.json", "[]", "found no captions");
        check("a.json", "3", "expected a list or an object, found a number");
        check("a.json", r#"[{"image_id": 1}]"#, "item 1: 1: expected a caption, one of prediction");
        check("a.json", r#"[{"caption": "a"}]"#, "item 1: expected a key, one of image_id");
        check("a.json", r#"{"a": 3}"#, "a: expected a caption, found a number");
        check("a.json", r#"{"a": [["b"]]}"#, "a list in a list");
        check("a.jsonl", "{\"key\": \"a\", \"caption\": \"b\"}\nx\n", "line 2: ");
        check("a.csv", "a,b,c\n", "expected the columns key and caption, found a, b, c");
        check("a.csv", "key,caption\na\n", "line 2: expected 2 columns, found 1");
        check("a.txt", "a", "unknown extension \"txt\"");
    }
}
