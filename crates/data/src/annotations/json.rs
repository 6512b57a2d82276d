//! Tables in JSON, read entry by entry: ULIP's captions of Objaverse have gigabytes.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::annotation::Annotation;
use super::image_name::shape_and_view;
use super::table::AnnotationTable;
use crate::Caption;
use crate::shape_csv::{CAPTION_HEADINGS, LABEL_HEADINGS, NAME_HEADINGS};
use crate::split::parse_split;

/// Name of Duoduo CLIP's captions of MVImgNet, `packed.json.gz`, with one caption per view.
const PER_VIEW_STEM: &str = "packed";

/// Adds the entries of a JSON file to a table; `from` is the source of its captions.
pub(super) fn read(table: &mut AnnotationTable, bytes: &[u8], from: &str) -> Result<(), String> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    json.deserialize_any(TableVisitor { table, from }).map_err(|error| error.to_string())?;
    json.end().map_err(|error| error.to_string())
}

/// Adds the entries of a file as they are parsed.
struct TableVisitor<'a> {
    table: &'a mut AnnotationTable,
    from: &'a str,
}

impl<'de> Visitor<'de> for TableVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object from ids to captions, or a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            add_value(self.table, &name, &value, self.from).map_err(A::Error::custom)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element::<Value>()? {
            add_row(self.table, &row, self.from).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// Adds an entry of an object: captions, or an object with labels, captions and a split.
fn add_value(table: &mut AnnotationTable, name: &str, value: &Value, from: &str) -> Result<(), String> {
    // The name of an image: captions of one view.
    if let Some((shape, view)) = shape_and_view(name).filter(|_| !value.is_object()) {
        let captions =
            texts(value).into_iter().map(|text| Caption { view: Some(view), ..Caption::new(text, from) });
        table.at(shape).captions.extend(captions);
        return Ok(());
    }
    let annotation = table.at(name);
    match value {
        // Only in this file does the position of a caption have a meaning.
        Value::Array(list) if from == PER_VIEW_STEM => {
            annotation.captions.extend(per_view_captions(list, from))
        }
        Value::Object(fields) => {
            apply_fields(annotation, fields, from).map_err(|error| format!("{name:?}: {error}"))?
        }
        other => annotation.captions.extend(texts(other).into_iter().map(|text| Caption::new(text, from))),
    }
    Ok(())
}

/// Adds an object of a list, which has the name among its keys.
fn add_row(table: &mut AnnotationTable, row: &Value, from: &str) -> Result<(), String> {
    let fields = row.as_object().ok_or("expected a list of objects")?;
    // Keys are compared in lower case, as the headings of CSV files.
    let name = fields.iter().find(|(key, _)| NAME_HEADINGS.contains(&key.to_lowercase().as_str()));
    let name = name.and_then(|(_, name)| name.as_str()).ok_or("an object has no file or uid")?;
    apply_fields(table.at(name), fields, from).map_err(|error| format!("{name:?}: {error}"))
}

/// Adds the known keys of an object.
fn apply_fields(annotation: &mut Annotation, fields: &Map<String, Value>, from: &str) -> Result<(), String> {
    for (key, value) in fields {
        let key = key.to_lowercase();
        if LABEL_HEADINGS.contains(&key.as_str()) {
            annotation.label(texts(value));
        } else if CAPTION_HEADINGS.contains(&key.as_str()) {
            annotation.captions.extend(texts(value).into_iter().map(|text| Caption::new(text, from)));
        } else if key == "split" {
            match value {
                // `null` and empty texts mean no split, as an empty cell of a CSV file.
                Value::Null => {}
                Value::String(split) if split.trim().is_empty() => {}
                Value::String(split) => annotation.split = Some(parse_split(split)?.to_owned()),
                other => return Err(format!("expected split train, val or test, found {other}")),
            }
        }
    }
    Ok(())
}

/// Captions of views: the k-th describes view k.
fn per_view_captions(list: &[Value], from: &str) -> impl Iterator<Item = Caption> {
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
