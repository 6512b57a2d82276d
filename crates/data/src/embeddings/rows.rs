//! A file of embeddings as named rows.

use std::path::{Path, PathBuf};

use super::names::{self, NamedRow};
use super::source::Source;
use crate::DataError;

/// Rows read at a time: a few megabytes.
const ROWS_AT_ONCE: usize = 4096;
/// Separates the path of a file from the name of an array in it.
const ARRAY_SEPARATOR: char = '#';

/// An open file of embeddings.
pub struct EmbeddingFile {
    path: PathBuf,
    source: Source,
    named: Option<Vec<NamedRow>>,
}

impl EmbeddingFile {
    /// Opens `FILE`, or `FILE#ARRAY` if it has several arrays. Names come from the file `names`; without it, from the file
    /// itself; without these, from a file next to it: `FILE_model_to_idx.json`, as Duoduo CLIP publishes, `FILE.json`,
    /// `FILE.txt` or `model_to_idx.json`.
    ///
    /// # Errors
    /// If the file cannot be read, is of another format, or the names do not fit the rows.
    pub fn open(file: &Path, names: Option<&Path>) -> Result<Self, DataError> {
        let (path, array) = split_array(file);
        let invalid = |message: String| DataError::invalid(&path, message);
        if !lexiform_formats::file_exists(&path) {
            return Err(DataError::invalid(&path, "no such file"));
        }
        let mut source = Source::open(&path, array.as_deref()).map_err(invalid)?;
        let count = source.rows;
        let inside = source.names.take();
        let named = match (names, inside) {
            (Some(names), _) => Some(names::read(names, count)?),
            (None, Some(inside)) => Some(names::numbered(inside, count).map_err(invalid)?),
            (None, None) => names::next_to(&path).map(|names| names::read(&names, count)).transpose()?,
        };
        Ok(Self { path, source, named })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of rows in the array.
    pub fn rows(&self) -> usize {
        self.source.rows
    }

    /// Numbers in a row.
    pub fn dim(&self) -> usize {
        self.source.dim
    }

    /// The model that computed the embeddings, if the file says so.
    pub fn model(&self) -> Option<&str> {
        self.source.model.as_deref()
    }

    /// Names with their rows, in the order of rows; `None` if there are no names. Those inside a file may repeat.
    pub fn named(&self) -> Option<&[(String, usize)]> {
        self.named.as_deref()
    }

    /// Rows from `first` on, `[count, dim]`.
    ///
    /// # Errors
    /// If there are fewer rows, or the file is damaged.
    pub fn read(&self, first: usize, count: usize) -> Result<Vec<f32>, DataError> {
        let invalid = |message: String| DataError::invalid(&self.path, message);
        let values = self.source.read(first, count).map_err(invalid)?;
        if values.len() == count * self.source.dim {
            return Ok(values);
        }
        Err(invalid(format!("expected {count} rows from row {first}, found {}", values.len() / self.dim())))
    }

    /// Reads the named rows one after another, in bounded memory.
    ///
    /// # Errors
    /// If the file has no names, or one name twice: texts that are queries may repeat, what is looked up by name may not.
    pub fn iter(&self) -> Result<NamedRows<'_>, DataError> {
        let named = self.named.as_deref().ok_or_else(|| {
            let message = "there are no names for its rows";
            let hint = "give them with --names FILE: {\"name\": row} or a list as JSON, or one name per line";
            DataError::unusable(&self.path, message, hint)
        })?;
        names::check_unique(named).map_err(|message| DataError::invalid(&self.path, message))?;
        Ok(NamedRows { file: self, named, next: 0, first: 0, values: Vec::new() })
    }
}

/// Reads named rows one after another.
pub struct NamedRows<'f> {
    file: &'f EmbeddingFile,
    named: &'f [NamedRow],
    next: usize,
    /// The rows in memory start here.
    first: usize,
    values: Vec<f32>,
}

impl NamedRows<'_> {
    /// The next name and its embedding; `None` at the end.
    ///
    /// # Errors
    /// If the file is damaged.
    pub fn next_row(&mut self) -> Result<Option<(&str, &[f32])>, DataError> {
        let Some((name, row)) = self.named.get(self.next) else { return Ok(None) };
        self.next += 1;
        let dim = self.file.dim();
        if !(self.first..self.first + self.values.len() / dim).contains(row) {
            let count = ROWS_AT_ONCE.min(self.file.rows() - row);
            (self.first, self.values) = (*row, self.file.read(*row, count)?);
        }
        Ok(Some((name, &self.values[(row - self.first) * dim..][..dim])))
    }
}

/// Splits `FILE#ARRAY`. The name of an existing file may itself contain the separator.
fn split_array(file: &Path) -> (PathBuf, Option<String>) {
    let text = file.to_string_lossy();
    match text.rsplit_once(ARRAY_SEPARATOR) {
        Some((path, array)) if !lexiform_formats::file_exists(file) => (path.into(), Some(array.to_owned())),
        _ => (file.to_owned(), None),
    }
}
