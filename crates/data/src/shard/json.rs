//! The small JSON files of a data set, and lists with one JSON value per line.

use std::io::{BufRead as _, Write as _};
use std::path::Path;

use fs_err as fs;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::durable::write_durably;
use crate::DataError;

/// Reads a JSON file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, DataError> {
    serde_json::from_slice(&fs::read(path)?).map_err(|error| DataError::invalid(path, error))
}

/// Writes a JSON file atomically and durably.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), DataError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| DataError::invalid(path, error))?;
    write_durably(path, text.as_bytes())
}

/// A value as one line of a list.
pub(crate) fn to_json_line(value: &impl Serialize, path: &Path) -> Result<Vec<u8>, DataError> {
    let mut line = serde_json::to_vec(value).map_err(|error| DataError::invalid(path, error))?;
    line.push(b'\n');
    Ok(line)
}

/// Opens a list to append lines to it.
pub(super) fn append(path: &Path) -> Result<fs::File, DataError> {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    // If the last line was cut off, the next must not be joined to it.
    if file.metadata()?.len() > 0 {
        file.write_all(b"\n")?;
    }
    Ok(file)
}

/// The values of a list; a line that was cut off is skipped, and a missing file is an empty list.
pub(super) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, DataError> {
    let mut found = Vec::new();
    if path.exists() {
        for line in std::io::BufReader::new(fs::File::open(path)?).split(b'\n') {
            // A process that is killed while it appends leaves half a line.
            found.extend(serde_json::from_slice::<T>(&line?).ok());
        }
    }
    Ok(found)
}

/// Replaces a list.
pub(super) fn write_lines<'a, T: Serialize + 'a>(
    path: &Path,
    values: impl IntoIterator<Item = &'a T>,
) -> Result<(), DataError> {
    let lines = values.into_iter().map(|value| to_json_line(value, path)).collect::<Result<Vec<_>, _>>()?;
    write_durably(path, &lines.concat())
}
