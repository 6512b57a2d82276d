//! Lists of 3D files: one per line, or a CSV table with a column of files.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use lexiform_mesh_io::{HEAD_BYTES, is_asset};

use super::asset::Asset;
use crate::DataError;
use crate::annotations::AnnotationTable;
use crate::shape_csv::ColumnIndices;

/// A list of 3D files.
pub(super) struct FileList {
    /// Its files, including those that do not exist.
    pub assets: Vec<Asset>,
    /// Their labels, captions and splits, if the list is a table.
    pub annotations: AnnotationTable,
}

impl FileList {
    /// Reads a list; `None` if the file is not a list. Files are found relative to the list or, failing that, to the working
    /// directory.
    ///
    /// # Errors
    /// If a table or a text names no file that exists, or a table has columns but no headings.
    pub fn read(path: &Path) -> Result<Option<Self>, DataError> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        // `.txt` and `.csv` may also be point clouds.
        let certain = extension == "list";
        if !certain && (!matches!(extension.as_str(), "txt" | "csv") || starts_with_points(path)?) {
            return Ok(None);
        }
        let is_table = extension == "csv";
        let records = if is_table { rows(path)? } else { lines(path)? };
        let column =
            records.first().filter(|_| is_table).and_then(|first| ColumnIndices::from_header(first).shape);
        let names = names_in(&records, column);
        let exists = |name: &&str| resolve(path, name).exists();
        if names.is_empty() || (!certain && !names.iter().any(exists)) {
            return Err(no_such_files(path, names.first().copied()));
        }
        let annotations = match records.first() {
            Some(first) if is_table && first.len() > 1 => annotations(path, first, column)?,
            _ => AnnotationTable::default(),
        };
        let asset = |name: &&str| Asset { name: normalize_name(name), location: resolve(path, name) };
        Ok(Some(Self { assets: names.iter().map(asset).collect(), annotations }))
    }
}

/// Names of files: the first column, or `column` below its heading. Lines that start with `#` are comments.
fn names_in(records: &[StringRecord], column: Option<usize>) -> Vec<&str> {
    let records = records.iter().skip(usize::from(column.is_some()));
    let names = records.filter_map(|row| row.get(column.unwrap_or(0)).map(str::trim));
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).collect()
}

/// Whether a file is a point cloud, by the rule that also applies to files in folders.
fn starts_with_points(path: &Path) -> Result<bool, DataError> {
    let mut head = Vec::new();
    fs_err::File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    Ok(is_asset(path, || Some(head)))
}

fn lines(path: &Path) -> Result<Vec<StringRecord>, DataError> {
    let bytes = fs_err::read(path)?;
    Ok(String::from_utf8_lossy(&bytes).lines().map(|line| StringRecord::from(vec![line])).collect())
}

fn rows(path: &Path) -> Result<Vec<StringRecord>, DataError> {
    let bytes = fs_err::read(path)?;
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..]);
    let records = reader.byte_records().map(|record| record.map(StringRecord::from_byte_record_lossy));
    records.collect::<Result<_, _>>().map_err(|error| DataError::invalid(path, error))
}

/// Labels, captions and splits of the files in a table.
fn annotations(
    path: &Path,
    first: &StringRecord,
    column: Option<usize>,
) -> Result<AnnotationTable, DataError> {
    if column.is_some() {
        return AnnotationTable::read(path);
    }
    let found: Vec<&str> = first.iter().take(8).collect();
    Err(DataError::unusable(
        path,
        format!("expected headings such as file,label,caption,split, found {found:?}"),
        "put a line with the names of the columns above it, such as file,label or file,caption",
    ))
}

/// The path of a file in a list.
fn resolve(list: &Path, name: &str) -> PathBuf {
    // Lists are often moved together with their files.
    let relative_to_list = list.parent().unwrap_or(Path::new("")).join(name);
    let from_here = PathBuf::from(name);
    if !relative_to_list.exists() && from_here.exists() { from_here } else { relative_to_list }
}

/// A file's name as assets have it.
fn normalize_name(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches("./").trim_start_matches('/').to_owned()
}

fn no_such_files(path: &Path, first: Option<&str>) -> DataError {
    let list = path.file_name().unwrap_or_default().to_string_lossy();
    let message = match first {
        Some(first) => format!("no line of {list} names a file that exists (first: {first:?})"),
        None => format!("no line of {list} names a file"),
    };
    DataError::unusable(
        path,
        message,
        "expected one file per line, or a comma-separated table with headings such as file,label,caption,split; paths are \
         relative to the list or to the working directory",
    )
}
