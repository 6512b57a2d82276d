//! Labels, captions and splits that tables give by name: the field's caption and label files, and a user's own.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use csv::StringRecord;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::listing::{CAPTIONS, Columns, LABELS, Line, NAMES, each_line, unpacked};
use crate::shard::mark;
use crate::split::split_called;
use crate::{Caption, DataError};

/// Name of Duoduo CLIP's captions of MVImgNet, `packed.json.gz`: of each shape one a view.
const PER_VIEW: &str = "packed";
/// What a table says about one shape.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Names of its categories.
    pub labels: Vec<String>,
    /// Sentences about it.
    pub captions: Vec<Caption>,
    /// `train`, `val` or `test`.
    pub split: Option<String>,
}

impl Facts {
    /// Adds the labels that are new: tables of captions say the label in every row.
    fn label(&mut self, labels: impl IntoIterator<Item = String>) {
        add_new(&mut self.labels, labels);
    }
}

/// Adds the labels that are not among `labels` yet.
pub(crate) fn add_new(labels: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for label in more {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
}

/// How many rows of the facts a user gave are about a shape of the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// Names that the facts know.
    pub rows: usize,
    /// Of these, names of shapes.
    pub matched: usize,
}

impl Matched {
    /// A sentence where facts were given and none is about a shape; `example` is the name of one.
    pub fn warning(self, example: Option<&str>) -> Option<String> {
        let named = example.map_or_else(String::new, |name| format!(", which are called such as {name:?}"));
        let rows = self.rows;
        (rows > 0 && self.matched == 0)
            .then(|| format!("0 of {rows} rows of facts matched the shapes{named}"))
    }
}

/// Facts by name.
#[derive(Clone, Debug, Default)]
pub struct Table {
    by_name: HashMap<String, Facts>,
}

impl Table {
    /// Reads a table; its form is told by ending and content:
    ///
    /// - a CSV with headings, as [`crate::listing`] reads it; Text2Shape's captions are one;
    /// - a CSV without: `id,caption` as Cap3D publishes it, or `class number,class,id` as Duoduo CLIP lists LVIS;
    /// - JSON: an object from ids to captions or lists of them, or a list of objects with the headings above; where the file
    ///   is called `packed`, as Duoduo CLIP's for MVImgNet, caption k is about view k.
    ///
    /// `.gz` is unpacked.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let invalid = |message: String| DataError::invalid(path, message);
        let (bytes, name) = unpacked(path)?;
        let stem = name.split('.').next().unwrap_or_default().to_owned();
        let mut table = Self::default();
        match name.ends_with(".json") {
            true => table.read_json(&bytes, &stem).map_err(invalid)?,
            false => table.read_csv(&bytes, &stem).map_err(invalid)?,
        }
        Ok(table)
    }

    /// How many shapes it knows.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Every name, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.by_name.keys().cloned().collect();
        names.sort();
        names
    }

    /// Puts every shape into one split.
    pub fn set_split(&mut self, split: &str) {
        self.by_name.values_mut().for_each(|facts| facts.split = Some(split.to_owned()));
    }

    /// Says what is known about a shape, instead of what was said before.
    pub(crate) fn insert(&mut self, name: &str, facts: Facts) {
        self.by_name.insert(plain(name).to_owned(), facts);
    }

    /// Adds what another table says; of two splits the other's counts.
    pub fn join(&mut self, other: Self) {
        for (name, facts) in other.by_name {
            let mine = self.by_name.entry(name).or_default();
            mine.label(facts.labels);
            mine.captions.extend(facts.captions);
            mine.split = facts.split.or(mine.split.take());
        }
    }

    /// A mark of all that the table says; nothing where it says nothing.
    pub fn digest(&self) -> Option<String> {
        if self.by_name.is_empty() {
            return None;
        }
        let mut rows: Vec<_> = self.by_name.iter().collect();
        rows.sort_by_key(|(name, _)| *name);
        let mut hasher = Sha256::new();
        // Lengths too, so that no two tables run together into the same text.
        let mut add = |text: &str| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        };
        for (name, Facts { labels, captions, split }) in rows {
            [name, split.as_deref().unwrap_or_default()].into_iter().for_each(&mut add);
            add(&labels.len().to_string());
            labels.iter().for_each(|label| add(label));
            add(&captions.len().to_string());
            for Caption { text, from, view, .. } in captions {
                let view = view.map_or_else(String::new, |view| view.to_string());
                [text, from, &view].into_iter().for_each(|part| add(part));
            }
        }
        Some(mark(hasher))
    }

    /// How many of its rows are about one of these shapes.
    pub fn matched<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Matched {
        let found: HashSet<&str> = names.into_iter().filter_map(|name| Some(self.row(name)?.0)).collect();
        Matched { rows: self.len(), matched: found.len() }
    }

    /// What is said about a shape, by the whole name, the name without its ending, or the last of its folders that is
    /// known: `chairs/0a1b.glb`, `chairs/0a1b`, `0a1b`, `chairs`.
    pub fn find(&self, name: &str) -> Option<&Facts> {
        self.row(name).map(|(_, facts)| facts)
    }

    /// The row about a shape, and what it is called.
    fn row(&self, name: &str) -> Option<(&str, &Facts)> {
        if self.by_name.is_empty() {
            return None;
        }
        let name = plain(name);
        let stem = |part: &str| part.rsplit_once('.').map_or(part, |(stem, _)| stem).to_owned();
        let whole = [name.to_owned(), stem(name)];
        let parts = name.rsplit('/').flat_map(|part| [part.to_owned(), stem(part)]);
        let row = |name: String| self.by_name.get_key_value(&name);
        whole.into_iter().chain(parts).find_map(row).map(|(name, facts)| (name.as_str(), facts))
    }

    fn at(&mut self, name: &str) -> &mut Facts {
        self.by_name.entry(plain(name).to_owned()).or_default()
    }

    fn read_csv(&mut self, bytes: &[u8], from: &str) -> Result<(), String> {
        let see = |line: Line| {
            if !line.shape.is_empty() {
                self.add(line, from);
            }
        };
        each_line(bytes, columns, see)?;
        Ok(())
    }

    fn add(&mut self, line: Line, from: &str) {
        let facts = self.at(&line.shape);
        facts.label(line.label);
        facts.captions.extend(line.captions.into_iter().map(|text| Caption::new(text, from)));
        if let Some(split) = line.split {
            facts.split = Some(split.to_owned());
        }
    }

    fn read_json(&mut self, bytes: &[u8], from: &str) -> Result<(), String> {
        match serde_json::from_slice(bytes).map_err(|error| error.to_string())? {
            Value::Object(map) => {
                for (name, value) in map {
                    let facts = self.at(&name);
                    match &value {
                        Value::Array(list) if from == PER_VIEW => facts.captions.extend(of_views(list, from)),
                        Value::Object(fields) => {
                            fill(facts, fields, from).map_err(|error| format!("{name:?}: {error}"))?
                        }
                        other => facts
                            .captions
                            .extend(texts(other).into_iter().map(|text| Caption::new(text, from))),
                    }
                }
                Ok(())
            }
            Value::Array(rows) => {
                for row in rows {
                    let fields = row.as_object().ok_or("expected a list of objects")?;
                    let name = fields.iter().find(|(key, _)| NAMES.contains(&key.to_lowercase().as_str()));
                    let name =
                        name.and_then(|(_, name)| name.as_str()).ok_or("an object names no file or uid")?;
                    fill(self.at(name), fields, from).map_err(|error| format!("{name:?}: {error}"))?;
                }
                Ok(())
            }
            _ => Err("expected an object from ids to captions, or a list of objects".to_owned()),
        }
    }
}

/// A name as lists of files give it to shapes: the root and the folder one is in do not count.
fn plain(name: &str) -> &str {
    name.trim().trim_start_matches("./").trim_start_matches('/')
}

/// The columns of a table: those of its headings, or of the forms that have none.
fn columns(first: &StringRecord) -> Result<Columns, String> {
    let columns = Columns::of(first);
    // With some headings that count and others that are called otherwise, it is none of the forms.
    let has_none = columns.shape.is_none() && !columns.says();
    let start = first.get(0).unwrap_or_default().trim();
    match first.len() {
        _ if columns.shape.is_some() && columns.says() => Ok(columns),
        3 if has_none && start.parse::<u32>().is_ok() => {
            Ok(Columns { shape: Some(2), label: Some(1), ..Columns::default() })
        }
        2.. if has_none && !start.contains(' ') => {
            Ok(Columns { shape: Some(0), captions: vec![1], ..Columns::default() })
        }
        _ => {
            let found: Vec<&str> = first.iter().take(8).collect();
            Err(format!("expected headings such as file,label,caption, or id,caption, found {found:?}"))
        }
    }
}

/// Takes what an object says under the known headings.
fn fill(facts: &mut Facts, fields: &serde_json::Map<String, Value>, from: &str) -> Result<(), String> {
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

/// Captions of which the k-th is about view k.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, text: &str) -> Table {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Table::read(&path).unwrap()
    }

    #[track_caller]
    fn check(name: &str, text: &str, shape: &str, labels: &[&str], captions: &[&str]) {
        let table = table(name, text);
        let facts = table.find(shape).unwrap();
        assert_eq!(facts.labels, labels);
        assert_eq!(facts.captions.iter().map(|c| c.text.as_str()).collect::<Vec<_>>(), captions);
    }

    #[test]
    fn every_form_is_told_by_its_content() {
        check(
            "mine.csv",
            "file,label,caption\na/b.glb,chair,\"red, soft\"\n",
            "a/b.glb",
            &["chair"],
            &["red, soft"],
        );
        check("cap3d.csv", "0a1b,A red chair.\n0c,\"A cup, white.\"\n", "x/0c.glb", &[], &["A cup, white."]);
        check("roots.csv", "file,label\n/a/b.glb,chair\n./a/c.glb,cup\n", "a/b.glb", &["chair"], &[]);
        check("lvis.csv", "3,Band_Aid,0a1b\n4,cup,0c\n", "0c/000.png", &["cup"], &[]);
        let text2shape = "id,modelId,description,category,topLevelSynsetId\n\
            0,aaa,a brown table,Table,04379243\n1,aaa,wooden,Table,04379243\n";
        check("captions.tablechair.csv", text2shape, "aaa", &["Table"], &["a brown table", "wooden"]);
        check("c.json", r#"{"u1": ["one", "two"], "u2": "three"}"#, "u1.glb", &[], &["one", "two"]);
        check("d.json", r#"[{"uid": "u1", "caption": "one", "category": "cup"}]"#, "u1", &["cup"], &["one"]);
        assert!(table("e.csv", "").is_empty());
    }

    #[test]
    fn what_a_table_does_not_mean_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Table::read(&path).unwrap_err().to_string()
        };
        let split = "expected split train, val or test, found \"banana\"";
        let error = refused("a.csv", "file,split\na.glb,\nb.glb,banana\n");
        assert!(error.contains(&format!("line 3: {split}")), "{error}");
        let error = refused("a.json", r#"[{"uid": "u1", "split": "banana"}]"#);
        assert!(error.contains(&format!("\"u1\": {split}")), "{error}");
        assert!(refused("b.json", r#"{"u1": {"split": "banana"}}"#).contains(split));
        assert!(refused("c.json", r#"{"u1": {"split": 3}}"#).contains("test, found 3"));
        for headings in ["file,kind", "filename,category"] {
            let error = refused("h.csv", &format!("{headings}\na.glb,chair\n"));
            assert!(error.contains("expected headings such as file,label,caption"), "{error}");
        }
    }

    #[test]
    fn packed_captions_are_of_views() {
        let text = r#"{"5_26": ["a cup", "", "its handle"], "6_1": "a pot"}"#;
        let views = |name: &str, shape: &str| {
            let table = table(name, text);
            table.find(shape).unwrap().captions.iter().map(|c| (c.text.clone(), c.view)).collect::<Vec<_>>()
        };
        assert_eq!(views("packed.json", "5_26"), [("a cup".into(), Some(0)), ("its handle".into(), Some(2))]);
        assert_eq!(views("packed.json", "6_1"), [("a pot".into(), None)]);
        assert_eq!(views("other.json", "5_26"), [("a cup".into(), None), ("its handle".into(), None)]);
    }

    #[test]
    fn a_table_is_known_by_its_mark_and_by_the_shapes_it_names() {
        let one = table("a.csv", "file,label,split\nu1,cup,test\nu2,pot,test\n");
        let turned = table("a.csv", "file,label,split\nu2,pot,test\nu1,cup,test\n");
        assert_eq!(one.digest(), turned.digest());
        for other in ["u1,cap,test\nu2,pot,test\n", "u1,cup,val\nu2,pot,test\n", "u1,cup,test\n"] {
            assert_ne!(
                one.digest(),
                table("a.csv", &format!("file,label,split\n{other}")).digest(),
                "{other}"
            );
        }
        assert_eq!(Table::default().digest(), None);
        let matched = one.matched(["x/u1.glb", "u1/0.obj", "other.obj"]);
        assert_eq!((matched, matched.warning(None)), (Matched { rows: 2, matched: 1 }, None));
        let warning = one.matched(["other.obj"]).warning(Some("other.obj")).unwrap();
        assert_eq!(
            warning,
            "0 of 2 rows of facts matched the shapes, which are called such as \"other.obj\""
        );
        assert_eq!(Table::default().matched(["a"]).warning(None), None);
    }

    #[test]
    fn tables_join_and_say_where_a_sentence_is_from() {
        let mut all = table("cap3d.csv", "u1,one\n");
        all.join(table("x.csv", "file,label,split\nu1,cup,test\n"));
        all.join(table("y.csv", "file,label\nu1,cup\nu1,vase\n"));
        let facts = all.find("u1").unwrap();
        assert_eq!(facts.labels, ["cup", "vase"]);
        assert_eq!(facts.captions[0].from, "cap3d");
        assert_eq!(facts.split.as_deref(), Some("test"));
    }
}
