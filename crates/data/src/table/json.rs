//! Tables in JSON.

use serde_json::{Map, Value};

use super::by_name::Table;
use super::facts::Facts;
use crate::Caption;
use crate::listing::{CAPTIONS, LABELS, NAMES};
use crate::split::split_called;

/// Name of Duoduo CLIP's captions of MVImgNet, `packed.json.gz`, with one caption per view.
const PER_VIEW: &str = "packed";

/// Adds the entries of a JSON file to a table; `from` is the source of its captions.
pub(super) fn read(table: &mut Table, bytes: &[u8], from: &str) -> Result<(), String> {
    match serde_json::from_slice(bytes).map_err(|error| error.to_string())? {
        Value::Object(map) => map.iter().try_for_each(|(name, value)| add_value(table, name, value, from)),
        Value::Array(rows) => rows.iter().try_for_each(|row| add_row(table, row, from)),
        _ => Err("expected an object from ids to captions, or a list of objects".to_owned()),
    }
}

/// Adds an entry of an object: captions, or an object with labels, captions and a split.
fn add_value(table: &mut Table, name: &str, value: &Value, from: &str) -> Result<(), String> {
    let facts = table.at(name);
    match value {
        Value::Array(list) if from == PER_VIEW => facts.captions.extend(of_views(list, from)),
        Value::Object(fields) => fill(facts, fields, from).map_err(|error| format!("{name:?}: {error}"))?,
        other => facts.captions.extend(texts(other).into_iter().map(|text| Caption::new(text, from))),
    }
    Ok(())
}

/// Adds an object of a list, which has the name among its keys.
fn add_row(table: &mut Table, row: &Value, from: &str) -> Result<(), String> {
    let fields = row.as_object().ok_or("expected a list of objects")?;
    let name = fields.iter().find(|(key, _)| NAMES.contains(&key.to_lowercase().as_str()));
    let name = name.and_then(|(_, name)| name.as_str()).ok_or("an object has no file or uid")?;
    fill(table.at(name), fields, from).map_err(|error| format!("{name:?}: {error}"))
}

/// Adds the known keys of an object.
fn fill(facts: &mut Facts, fields: &Map<String, Value>, from: &str) -> Result<(), String> {
    for (key, value) in fields {
        let key = key.to_lowercase();
        if LABELS.contains(&key.as_str()) {
            facts.label(texts(value));
        } else if CAPTIONS.contains(&key.as_str()) {
            facts.captions.extend(texts(value).into_iter().map(|text| Caption::new(text, from)));
        } else if key == "split" {
            match value {
                Value::Null => {}
                Value::String(split) if split.trim().is_empty() => {}
                Value::String(split) => facts.split = Some(split_called(split)?.to_owned()),
                other => return Err(format!("expected split train, val or test, found {other}")),
            }
        }
    }
    Ok(())
}

/// Captions of views: the k-th describes view k.
fn of_views(list: &[Value], from: &str) -> impl Iterator<Item = Caption> {
    list.iter().enumerate().flat_map(move |(view, value)| {
        texts(value).into_iter().map(move |text| Caption { view: Some(view), ..Caption::new(text, from) })
    })
}

/// A text, or the texts of a list.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => vec![text.trim().to_owned()],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
