//! A table in memory.

use std::collections::{HashMap, HashSet};

use sha2::{Digest as _, Sha256};

use super::annotation::Annotation;
use super::match_counts::MatchCounts;
use crate::Caption;
use crate::shard::short_hash;

/// Labels, captions and splits by name of the shape.
///
/// ```
/// use lexiform_data::annotations::AnnotationTable;
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("models.csv");
/// std::fs::write(&path, "file,label,caption\nchairs/7.glb,chair,a red chair\n")?;
/// let table = AnnotationTable::read(&path)?;
/// let annotation = table.find("chairs/7.glb").ok_or("not in the table")?;
/// assert_eq!(annotation.labels, ["chair"]);
/// assert_eq!(annotation.captions[0].text, "a red chair");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AnnotationTable {
    by_name: HashMap<String, Annotation>,
}

impl AnnotationTable {
    /// Number of shapes.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether the table is empty.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.by_name.keys().cloned().collect();
        names.sort();
        names
    }

    /// Sets the split of every shape.
    pub fn set_split(&mut self, split: &str) {
        self.by_name.values_mut().for_each(|annotation| annotation.split = Some(split.to_owned()));
    }

    /// Sets the entry of a shape, replacing an earlier one.
    pub(crate) fn insert(&mut self, name: &str, annotation: Annotation) {
        self.by_name.insert(normalize_name(name).to_owned(), annotation);
    }

    /// Adds the entries of another table, whose splits take precedence.
    pub fn extend(&mut self, other: Self) {
        for (name, annotation) in other.by_name {
            let mine = self.by_name.entry(name).or_default();
            mine.label(annotation.labels);
            mine.captions.extend(annotation.captions);
            // The other table wins, so that users can override a published split.
            mine.split = annotation.split.or(mine.split.take());
        }
    }

    /// A short hash of the table; `None` if it is empty.
    pub fn digest(&self) -> Option<String> {
        if self.by_name.is_empty() {
            return None;
        }
        let mut rows: Vec<_> = self.by_name.iter().collect();
        // Hash maps iterate in random order.
        rows.sort_by_key(|(name, _)| *name);
        let mut hasher = Sha256::new();
        // With lengths, so that different tables cannot concatenate to the same text.
        let mut add = |text: &str| {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        };
        for (name, Annotation { labels, captions, split }) in rows {
            [name, split.as_deref().unwrap_or_default()].into_iter().for_each(&mut add);
            add(&labels.len().to_string());
            labels.iter().for_each(|label| add(label));
            add(&captions.len().to_string());
            for Caption { text, source, view, .. } in captions {
                let view = view.map_or_else(String::new, |view| view.to_string());
                [text, source, &view].into_iter().for_each(|part| add(part));
            }
        }
        Some(short_hash(hasher))
    }

    /// Number of entries that match one of these shapes.
    pub fn matched<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> MatchCounts {
        // A set, because several shapes may match the same row.
        let found: HashSet<&str> = names.into_iter().filter_map(|name| Some(self.row(name)?.0)).collect();
        MatchCounts { rows: self.len(), matched: found.len() }
    }

    /// The entry of a shape. It is looked up by the whole name, the name without extension, and its components from the last:
    /// `chairs/0a1b.glb`, `chairs/0a1b`, `0a1b.glb`, `0a1b`, `chairs`.
    pub fn find(&self, name: &str) -> Option<&Annotation> {
        self.row(name).map(|(_, annotation)| annotation)
    }

    /// The name and the entry of a shape.
    fn row(&self, name: &str) -> Option<(&str, &Annotation)> {
        if self.by_name.is_empty() {
            return None;
        }
        let name = normalize_name(name);
        let stem = |part: &str| part.rsplit_once('.').map_or(part, |(stem, _)| stem).to_owned();
        // From specific to general, so that an entry for one file wins over an entry for its folder.
        let whole = [name.to_owned(), stem(name)];
        let parts = name.rsplit('/').flat_map(|part| [part.to_owned(), stem(part)]);
        let row = |name: String| self.by_name.get_key_value(&name);
        whole.into_iter().chain(parts).find_map(row).map(|(name, annotation)| (name.as_str(), annotation))
    }

    /// The entry of a name, which is created if needed.
    pub(super) fn at(&mut self, name: &str) -> &mut Annotation {
        self.by_name.entry(normalize_name(name).to_owned()).or_default()
    }
}

/// A name without a leading `/` or `./`.
fn normalize_name(name: &str) -> &str {
    name.trim().trim_start_matches("./").trim_start_matches('/')
}
