//! Names of rows, from files next to an array or named by the user.

use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::DataError;
use crate::import::{checked_rows, rows_in};

/// Names of arrays or columns with the names of rows.
pub(super) const NAME_ARRAYS: [&str; 10] =
    ["names", "name", "ids", "id", "uids", "uid", "keys", "key", "rows", "path"];

/// A name and its row. Several names may have the same row, and not every row needs a name.
pub(super) type NamedRow = (String, usize);

/// Names of an array with `count` rows from a file: `{name: row}` or a list as JSON, or one name per line.
pub(super) fn read(path: &Path, count: usize) -> Result<Vec<NamedRow>, DataError> {
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let bytes = fs::read(path)?;
    let names: Vec<String> = if !is_json {
        let text = String::from_utf8(bytes).map_err(|error| DataError::invalid(path, error))?;
        let lines = text.lines().map(|line| line.trim_end_matches('\r').to_owned());
        lines.filter(|line| !line.trim().is_empty()).collect()
    } else if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        serde_json::from_slice(&bytes).map_err(|error| DataError::invalid(path, error))?
    } else {
        return Ok(checked_rows(rows_in(&bytes, path)?, count, path)?.rows);
    };
    let invalid = |message: String| DataError::invalid(path, message);
    let named = numbered(names, count).map_err(invalid)?;
    check_unique(&named).map_err(invalid)?;
    Ok(named)
}

/// Names in the order of rows.
pub(super) fn numbered(names: Vec<String>, count: usize) -> Result<Vec<NamedRow>, String> {
    if names.len() != count {
        return Err(format!("expected {count} names, one per row, found {}", names.len()));
    }
    Ok(names.into_iter().zip(0..).collect())
}

/// Checks that each name is there once.
pub(super) fn check_unique(named: &[NamedRow]) -> Result<(), String> {
    let mut sorted: Vec<&String> = named.iter().map(|(name, _)| name).collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("the name {:?} is there twice", pair[0])),
        None => Ok(()),
    }
}

/// The file with names that belongs to an array, if there is one in its folder.
pub(super) fn next_to(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let names = [
        // Duoduo CLIP's, then those of other projects, then one per folder.
        format!("{stem}_model_to_idx.json"),
        format!("{stem}.json"),
        format!("{stem}_names.json"),
        format!("{stem}_names.txt"),
        format!("{stem}.txt"),
        "model_to_idx.json".to_owned(),
    ];
    names.into_iter().map(|name| path.with_file_name(name)).find(|path| path.is_file())
}
