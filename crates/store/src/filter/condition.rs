//! Conditions as values, and their evaluation in Rust.

use std::cmp::Ordering;

use serde_json::Value as Json;

use super::case::fold_case;
use super::glob::Glob;
use crate::Payload;

/// A condition on a [`Payload`], parsed by [`Filter::parse`] or built directly.
///
/// Logic has two values, unlike SQL's: a condition on a missing field is false, and `not` makes it true. `a != b` is
/// `not a = b`. Parsed conditions ignore case.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// All conditions hold; true if empty.
    And(Vec<Filter>),
    /// At least one condition holds; false if empty.
    Or(Vec<Filter>),
    /// The condition does not hold.
    Not(Box<Filter>),
    /// Compares the field with the value. For values of different types, only `NotEqual` is true.
    Compare(Field, Comparison, Value),
    /// The field equals one of the values.
    In(Field, Vec<Value>),
    /// The field is text, and the pattern matches all of it.
    Matches(Field, Glob),
    /// The file is in this folder, at any depth, or the path is the folder's own, as that of a folder of views. Case-sensitive.
    InFolder(String),
    /// The field exists and is not null.
    Has(Field),
}

/// A field that conditions can refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `path`
    Path,
    /// `name`: last part of the path.
    Name,
    /// `format`
    Format,
    /// `hash`: the content hash.
    ContentHash,
    /// `bytes`
    Bytes,
    /// `vertices`
    Vertices,
    /// `triangles`
    Triangles,
    /// `points`
    Points,
    /// `extents.x`, `extents.y`, `extents.z`: 0, 1, 2; other indices never exist.
    Extent(usize),
    /// `modified`: seconds since 1970-01-01 UTC.
    Modified,
    /// `caption`: the best sentence that a captioner wrote.
    Caption,
    /// `extra.KEY`; `label` is short for `extra.label`.
    Extra(String),
}

/// Comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`: not equal, or the field is missing.
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
}

/// Right-hand side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An integer or fraction, as f64.
    Number(f64),
    /// Text, compared byte by byte.
    Text(String),
    /// Text of which case is ignored.
    AnyCase(String),
    /// `true` or `false`, for extra keys; only `=` and `!=`.
    Bool(bool),
}

impl Filter {
    /// Both conditions, of which either may be missing.
    pub fn both(a: Option<Self>, b: Option<Self>) -> Option<Self> {
        match (a, b) {
            (Some(a), Some(b)) => Some(Self::And(vec![a, b])),
            (a, b) => a.or(b),
        }
    }

    /// Whether the condition holds for a payload.
    pub fn matches(&self, payload: &Payload) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.matches(payload)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(payload)),
            Self::Not(part) => !part.matches(payload),
            Self::Compare(field, comparison, value) => field.compares(payload, *comparison, value),
            Self::In(field, values) => {
                values.iter().any(|value| field.compares(payload, Comparison::Equal, value))
            }
            Self::Matches(field, glob) => {
                matches!(field.read(payload), Some(Operand::Text(text)) if glob.matches(text))
            }
            Self::InFolder(folder) => {
                let rest = payload.path.strip_prefix(folder.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Self::Has(field) => field.is_present(payload),
        }
    }
}

impl Comparison {
    fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterEqual => ordering.is_ge(),
        }
    }
}

/// The value of a field in a payload.
enum Operand<'a> {
    Number(f64),
    Text(&'a str),
    Bool(bool),
}

impl Field {
    #[expect(clippy::cast_precision_loss, reason = "counts above 2^53 are beyond what filters distinguish")]
    fn read<'a>(&self, payload: &'a Payload) -> Option<Operand<'a>> {
        let count = |count: u64| Some(Operand::Number(count as f64));
        match self {
            Self::Path => Some(Operand::Text(&payload.path)),
            Self::Name => Some(Operand::Text(payload.name())),
            Self::Format => Some(Operand::Text(&payload.format)),
            Self::ContentHash => Some(Operand::Text(&payload.content_hash)),
            Self::Bytes => count(payload.bytes),
            Self::Vertices => count(payload.vertices),
            Self::Triangles => count(payload.triangles),
            Self::Points => count(payload.points),
            Self::Extent(axis) => {
                payload.extents.get(*axis).map(|extent| Operand::Number(f64::from(*extent)))
            }
            Self::Modified => payload.modified_ns.map(|ns| Operand::Number(ns as f64 / 1e9)),
            Self::Caption => payload.captions.as_ref()?.first().map(Operand::Text),
            Self::Extra(key) => match payload.extra.get(key)? {
                Json::Number(number) => number.as_f64().map(Operand::Number),
                Json::String(text) => Some(Operand::Text(text)),
                Json::Bool(value) => Some(Operand::Bool(*value)),
                // They have no order or equality that SQL shares; `has` finds arrays and objects.
                Json::Null | Json::Array(_) | Json::Object(_) => None,
            },
        }
    }

    fn compares(&self, payload: &Payload, comparison: Comparison, value: &Value) -> bool {
        // By negation, so that it holds for missing fields and values of other types.
        if comparison == Comparison::NotEqual {
            return !self.compares(payload, Comparison::Equal, value);
        }
        match (self.read(payload), value) {
            (Some(Operand::Number(found)), Value::Number(number)) => {
                found.partial_cmp(&self.rounded(*number)).is_some_and(|ordering| comparison.accepts(ordering))
            }
            (Some(Operand::Text(found)), Value::Text(text)) => comparison.accepts(found.cmp(text.as_str())),
            (Some(Operand::Text(found)), Value::AnyCase(text)) => {
                comparison.accepts(fold_case(found).cmp(&fold_case(text)))
            }
            (Some(Operand::Bool(found)), Value::Bool(value)) => {
                comparison == Comparison::Equal && found == *value
            }
            _ => false,
        }
    }

    fn is_present(&self, payload: &Payload) -> bool {
        match self {
            Self::Extra(key) => payload.extra.get(key).is_some_and(|value| !value.is_null()),
            field => field.read(payload).is_some(),
        }
    }

    /// The number at the precision of the field: extents are f32, and `extents.x = 0.1` should find 0.1.
    #[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is the point")]
    pub(super) fn rounded(&self, number: f64) -> f64 {
        if matches!(self, Self::Extent(_)) { f64::from(number as f32) } else { number }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chair() -> Payload {
        let Json::Object(extra) =
            json!({"label": "chair", "price": 12.5, "free": true, "none": null, "tags": ["a"]})
        else {
            unreachable!()
        };
        Payload {
            path: "furniture/Red chair.glb".into(),
            content_hash: "c0ffee".into(),
            format: "glb".into(),
            bytes: 2048,
            vertices: 100,
            triangles: 200,
            points: 0,
            extents: [0.1, 1.0, 2.0],
            modified_ns: Some(1_714_521_600_000_000_000),
            captions: Some(crate::Captions {
                captioner: "c".into(),
                texts: vec!["a red wooden chair".into(), "a sofa".into()],
            }),
            extra,
            ..Payload::default()
        }
    }

    #[test]
    fn evaluates_conditions() {
        let check = |text: &str, expected: bool| {
            assert_eq!(Filter::parse(text).unwrap().matches(&chair()), expected, "{text}");
        };
        check("triangles = 200", true);
        check("triangles < 200", false);
        check("triangles <= 0.2k and vertices > 99", true);
        check("format = glb", true);
        check("format != glb", false);
        check("format in (stl, 'glb')", true);
        check("format not in (stl, glb)", false);
        check("path ~ 'furniture/*'", true);
        check("path !~ furniture/*", false);
        check("name ~ 'Red*.gl[bt]'", true);
        check("name ~ 'red*.GL[BT]'", true);
        check("name ~ 'chair*'", false);
        check("name ~ CHAIR", true);
        check("name !~ chair", false);
        check("path ~ Furniture", true);
        check("name = 'Red chair.glb'", true);
        check("name = 'RED CHAIR.glb'", true);
        check("name = 'chair'", false);
        check("format = GLB and format in (STL, Glb)", true);
        check("label = Chair", true);
        check("label < D and label > B", true);
        check("extents.x = 0.1", true);
        check("label = chair and extra.price < 13", true);
        check("extra.price = '12.5'", false);
        check("extra.free = true", true);
        check("extra.free = 1", false);
        check("caption ~ '*red*chair'", true);
        check("caption ~ sofa", false);
        check("has caption", true);
        check("has extra.none", false);
        check("has extra.tags and not has extra.other", true);
        check("extra.other != 3", true);
        check("extra.other < 3 or extra.other >= 3", false);
        check("modified >= 2024-05-01", true);
        check("modified >= 2024-05-01T00:00:01", false);
        check("not (triangles = 200 or points = 0)", false);
        check("points = 1 and points = 1 or triangles = 200", true);
        check("points = 1 and (points = 1 or triangles = 200)", false);
    }

    #[test]
    fn values_given_as_such_and_folders_are_exact() {
        let label = |text: &str| {
            Filter::Compare(Field::Extra("label".into()), Comparison::Equal, Value::Text(text.into()))
        };
        assert!(label("chair").matches(&chair()) && !label("Chair").matches(&chair()));
        let is_in = |folder: &str| Filter::InFolder(folder.into()).matches(&chair());
        assert!(is_in("furniture") && is_in("furniture/Red chair.glb"));
        assert!(!is_in("furn") && !is_in("Furniture") && !is_in("furniture/Red"));
    }
}
