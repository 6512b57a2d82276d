//! Lists of 3D files: one a line, or a table with a column of them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use lexiform_mesh_io::{HEAD_BYTES, is_asset};

use super::Asset;
use crate::DataError;
use crate::listing::Columns;
use crate::table::Table;

/// What a list says.
pub(super) struct List {
    /// Its files, those too that are not there.
    pub assets: Vec<Asset>,
    /// What a table says about them.
    pub facts: Table,
}

impl List {
    /// Reads a list; `None` if the file is none. Files are looked up beside the list first, then from the working folder.
    ///
    /// # Errors
    /// If a table or a text names no file that exists, or a table has columns and no headings.
    pub fn read(path: &Path) -> Result<Option<Self>, DataError> {
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        let certain = ending == "list";
        if !certain && (!matches!(ending.as_str(), "txt" | "csv") || starts_with_points(path)?) {
            return Ok(None);
        }
        let records = if ending == "csv" { rows(path)? } else { lines(path)? };
        let column = records.first().filter(|_| ending == "csv").and_then(|first| Columns::of(first).shape);
        let names = records.iter().skip(usize::from(column.is_some()));
        let names = names.filter_map(|row| row.get(column.unwrap_or(0)).map(str::trim));
        let names: Vec<&str> = names.filter(|name| !name.is_empty() && !name.starts_with('#')).collect();
        let exists = |name: &&str| locate(path, name).exists();
        if names.is_empty() || (!certain && !names.iter().any(exists)) {
            return Err(names_nothing(path, names.first().copied()));
        }
        let facts = match records.first() {
            Some(first) if ending == "csv" && first.len() > 1 => facts(path, first, column)?,
            _ => Table::default(),
        };
        let asset = |name: &&str| Asset { name: plain(name), location: locate(path, name) };
        Ok(Some(Self { assets: names.iter().map(asset).collect(), facts }))
    }
}

/// Whether a file holds points, as a walk through a folder judges it.
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

/// What a table says about its files.
fn facts(path: &Path, first: &StringRecord, column: Option<usize>) -> Result<Table, DataError> {
    if column.is_some() {
        return Table::read(path);
    }
    let found: Vec<&str> = first.iter().take(8).collect();
    Err(DataError::unusable(
        path,
        format!("expected headings such as file,label,caption,split, found {found:?}"),
        "put a line that says what the columns are above it, such as file,label or file,caption",
    ))
}

/// Where a file of a list lies.
fn locate(list: &Path, name: &str) -> PathBuf {
    let beside = list.parent().unwrap_or(Path::new("")).join(name);
    let from_here = PathBuf::from(name);
    if !beside.exists() && from_here.exists() { from_here } else { beside }
}

/// A file's name as shapes have it.
fn plain(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches("./").trim_start_matches('/').to_owned()
}

fn names_nothing(path: &Path, first: Option<&str>) -> DataError {
    let list = path.file_name().unwrap_or_default().to_string_lossy();
    let message = match first {
        Some(first) => format!("no line of {list} names a file that exists (first: {first:?})"),
        None => format!("no line of {list} names a file"),
    };
    DataError::unusable(
        path,
        message,
        "expected one file a line, or a table with commas and headings such as file,label,caption,split; files are \
         looked up beside the list, then from the working folder",
    )
}
