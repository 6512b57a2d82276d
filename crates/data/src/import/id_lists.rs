//! Lists of ids, indices from ids to rows, and warnings about them.

use std::collections::HashSet;
use std::path::Path;

use fs_err as fs;
use serde::de::{Deserializer as _, MapAccess, Visitor};

use super::files::file_name;
use crate::DataError;

/// Maximum number of ids in a warning.
const MAX_SHOWN: usize = 5;

/// The lines of a list, trimmed, without empty lines.
pub(super) fn lines(path: &Path) -> Result<Vec<String>, DataError> {
    let text = fs::read_to_string(path)?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// The lines of a list; none if the file does not exist.
pub(super) fn lines_if_exists(path: &Path) -> Result<Vec<String>, DataError> {
    if path.exists() { lines(path) } else { Ok(Vec::new()) }
}

/// Reads `{id: row}` with duplicate ids, which a JSON reader would drop silently.
pub(crate) fn rows_by_id(path: &Path) -> Result<Vec<(String, usize)>, DataError> {
    rows_in(&fs::read(path)?, path)
}

/// As [`rows_by_id`], for the bytes of a file.
///
/// # Errors
/// If they are not an object from ids to rows.
pub(crate) fn rows_in(bytes: &[u8], path: &Path) -> Result<Vec<(String, usize)>, DataError> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, usize)>;

        fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
            f.write_str("an object from ids to rows")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = map.next_entry()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    json.deserialize_map(Pairs).map_err(|error| DataError::invalid(path, error))
}

/// Rows of an array by id.
pub(crate) struct Rows {
    /// Ids with their rows, each id once, in the order of rows.
    pub rows: Vec<(String, usize)>,
    pub warnings: Vec<String>,
}

/// Checks an index of an array with `count` rows; of duplicate ids the first is kept.
///
/// # Errors
/// If a row is not below `count`.
pub(crate) fn checked_rows(
    pairs: Vec<(String, usize)>,
    count: usize,
    path: &Path,
) -> Result<Rows, DataError> {
    if let Some((id, row)) = pairs.iter().find(|(_, row)| *row >= count) {
        return Err(DataError::invalid(path, format!("{id:?} has row {row}, expected less than {count}")));
    }
    let (mut ids, mut used) = (HashSet::new(), HashSet::new());
    let (mut duplicates, mut shared, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for (id, row) in pairs {
        // The first wins; a JSON parser would keep the last without a warning.
        if !ids.insert(id.clone()) {
            duplicates.push(id);
            continue;
        }
        // Two ids with the same row are two shapes with the same views: suspicious, but not fatal.
        if !used.insert(row) {
            shared.push(id.clone());
        }
        rows.push((id, row));
    }
    // In the order of the file, so that reading it is sequential.
    rows.sort_by_key(|(_, row)| *row);
    let name = file_name(path);
    let mut warnings = Vec::new();
    if !duplicates.is_empty() {
        let (n, shown) = (duplicates.len(), join_ids(&duplicates));
        warnings.push(format!("{name}: {n} duplicate ids, the first of each is used: {shown}"));
    }
    if !shared.is_empty() {
        let (n, shown) = (shared.len(), join_ids(&shared));
        warnings.push(format!("{name}: {n} ids have the same row as another id: {shown}"));
    }
    if used.len() < count {
        let n = count - used.len();
        warnings.push(format!("{name}: {n} of {count} rows have no id and are skipped"));
    }
    Ok(Rows { rows, warnings })
}

/// A warning if two lists that should be disjoint have ids in common.
pub(super) fn overlap<'a>(
    a: impl IntoIterator<Item = &'a String>,
    b: impl IntoIterator<Item = &'a String>,
    what: &str,
) -> Option<String> {
    let a: HashSet<&String> = a.into_iter().collect();
    let mut both: Vec<String> = b.into_iter().filter(|id| a.contains(id)).cloned().collect();
    both.sort();
    both.dedup();
    (!both.is_empty()).then(|| format!("{} shapes are {what}: {}", both.len(), join_ids(&both)))
}

/// The first few ids.
fn join_ids(ids: &[String]) -> String {
    let more = if ids.len() > MAX_SHOWN { ", …" } else { "" };
    format!("{}{more}", ids.iter().take(MAX_SHOWN).cloned().collect::<Vec<_>>().join(", "))
}
