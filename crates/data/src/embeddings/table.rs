//! Embeddings in a Parquet table: a column of lists of floats, and a column of names.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use parquet::basic::Type;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType};
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};
use parquet::schema::types::SchemaDescriptor;

use super::names::NAME_ARRAYS;
use crate::shard::{catch_panics, read_column};

/// An open table.
pub(super) struct Table {
    reader: SerializedFileReader<std::fs::File>,
    column: String,
    is_double: bool,
    /// The first row of each group, and the number of rows.
    starts: Vec<usize>,
    /// The last group that was read, and its rows.
    cached: Mutex<Option<(usize, Vec<Vec<f32>>)>>,
}

/// A table with its number of rows, length of a row, names and model.
type OpenTable = (Table, usize, usize, Option<Vec<String>>, Option<String>);

impl Table {
    /// Opens a file; `wanted` is the column of embeddings if there are several.
    pub fn open(path: &Path, wanted: Option<&str>) -> Result<OpenTable, String> {
        let file = fs_err::File::open(path).map_err(|error| error.to_string())?.into_file();
        let reader = catch_panics(|| SerializedFileReader::new(file))?;
        let metadata = reader.metadata().file_metadata();
        let (column, is_double) = list_column(metadata.schema_descr(), wanted)?;
        let names_in = name_column(metadata.schema_descr());
        let pairs = metadata.key_value_metadata().into_iter().flatten();
        let model = pairs.into_iter().find(|pair| pair.key == super::writer::MODEL_KEY);
        let model = model.and_then(|pair| pair.value.clone());
        let mut starts = vec![0];
        for group in reader.metadata().row_groups() {
            let before = starts.last().copied().unwrap_or(0);
            starts.push(before + usize::try_from(group.num_rows()).unwrap_or(0));
        }
        let rows = starts.last().copied().unwrap_or(0);
        let table = Self { reader, column, is_double, starts, cached: Mutex::default() };
        let dim = match table.group(0)?.first() {
            Some(first) if first.is_empty() => {
                return Err("expected a column of lists of numbers, the first is empty".to_owned());
            }
            Some(first) => first.len(),
            None => return Err("expected a column of lists of numbers, found no rows".to_owned()),
        };
        let names = names_in.map(|column| table.texts(&column)).transpose()?;
        Ok((table, rows, dim, names, model))
    }

    /// Rows from `first` on; each must have `dim` numbers.
    pub fn read(&self, first: usize, count: usize, dim: usize) -> Result<Vec<f32>, String> {
        let mut values = Vec::with_capacity(count * dim);
        let (mut at, end) = (first, first + count);
        while at < end {
            let group = self.starts.partition_point(|start| *start <= at) - 1;
            let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
            if cached.as_ref().is_none_or(|(index, _)| *index != group) {
                *cached = Some((group, self.group(group)?));
            }
            let Some((_, rows)) = cached.as_ref() else { break };
            let start = self.starts[group];
            for (row, vector) in rows.iter().enumerate().take(end - start).skip(at - start) {
                if vector.len() != dim {
                    return Err(format!(
                        "row {}: expected {dim} numbers, found {}",
                        start + row,
                        vector.len()
                    ));
                }
                values.extend(vector);
            }
            at = start + rows.len().max(1);
        }
        Ok(values)
    }

    /// The embeddings of a row group.
    fn group(&self, index: usize) -> Result<Vec<Vec<f32>>, String> {
        if index >= self.reader.num_row_groups() {
            return Ok(Vec::new());
        }
        catch_panics(|| {
            let group = self.reader.get_row_group(index)?;
            let count = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            if self.is_double {
                read_column::<DoubleType, _>(&*group, &self.column, count, |x| *x as f32)
            } else {
                read_column::<FloatType, _>(&*group, &self.column, count, |x| *x)
            }
        })
    }

    /// A column of texts, of all row groups.
    fn texts(&self, column: &str) -> Result<Vec<String>, String> {
        let mut texts = Vec::new();
        for index in 0..self.reader.num_row_groups() {
            let read = |group: &dyn RowGroupReader| {
                let count = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
                let text = |bytes: &ByteArray| String::from_utf8_lossy(bytes.data()).into_owned();
                read_column::<ByteArrayType, _>(group, column, count, text)
            };
            let rows = catch_panics(|| read(&*self.reader.get_row_group(index)?))?;
            texts.extend(rows.into_iter().map(|mut row| row.pop().unwrap_or_default()));
        }
        Ok(texts)
    }
}

/// The column of lists of floats, and whether they have 64 bits.
fn list_column(schema: &SchemaDescriptor, wanted: Option<&str>) -> Result<(String, bool), String> {
    let lists = schema.columns().iter().filter(|column| {
        column.max_rep_level() == 1 && matches!(column.physical_type(), Type::FLOAT | Type::DOUBLE)
    });
    let found: Vec<(String, bool)> = lists
        .map(|column| (column.path().parts()[0].clone(), column.physical_type() == Type::DOUBLE))
        .collect();
    let names = || found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    match (wanted, &found[..]) {
        (Some(wanted), _) => found
            .iter()
            .find(|(name, _)| name == wanted)
            .cloned()
            .ok_or_else(|| format!("no column {wanted:?} of lists of floats, found {}", names())),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err("expected a column of lists of floats".to_owned()),
        (None, _) => Err(format!(
            "expected one column of lists of floats, found {}: choose one with FILE#COLUMN",
            names()
        )),
    }
}

/// The column of names: one with a usual name, or the only one of texts.
fn name_column(schema: &SchemaDescriptor) -> Option<String> {
    let texts: Vec<&str> = schema
        .columns()
        .iter()
        .filter(|column| column.max_rep_level() == 0 && column.physical_type() == Type::BYTE_ARRAY)
        .map(|column| column.name())
        .collect();
    let usual = NAME_ARRAYS.iter().find(|name| texts.contains(*name)).copied();
    let chosen = usual.or(if let [only] = texts[..] { Some(only) } else { None });
    chosen.map(str::to_owned)
}
