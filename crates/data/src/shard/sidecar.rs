//! The Parquet tables beside shards and over a whole data set: one row a shape.

use std::io::Seek as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use parquet::basic::{Compression, Encoding};
use parquet::column::reader::{ColumnReader, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, RowGroupReader, SerializedFileReader};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::durable::{aside, rename_durably};
use super::{Place, Row, ShardEntry};
use crate::DataError;

/// The columns; lists in the three-level form that all readers know.
const SCHEMA: &str = "message shape {
    REQUIRED BINARY key (UTF8);
    REQUIRED BINARY shard (UTF8);
    REQUIRED INT64 offset;
    REQUIRED INT64 size;
    REQUIRED BINARY split (UTF8);
    REQUIRED BINARY source (UTF8);
    REQUIRED GROUP labels (LIST) { REPEATED GROUP list { REQUIRED BINARY element (UTF8); } }
    REQUIRED GROUP captions (LIST) { REPEATED GROUP list { REQUIRED BINARY element (UTF8); } }
    REQUIRED GROUP members (LIST) { REPEATED GROUP list { REQUIRED BINARY element (UTF8); } }
    REQUIRED GROUP offsets (LIST) { REPEATED GROUP list { REQUIRED INT64 element; } }
    REQUIRED GROUP sizes (LIST) { REPEATED GROUP list { REQUIRED INT64 element; } }
    REQUIRED GROUP crc32 (LIST) { REPEATED GROUP list { REQUIRED INT64 element; } }
}";
/// Columns of numbers that grow in small steps.
const STEPPED: [&str; 4] = ["offset", "size", "offsets.list.element", "sizes.list.element"];
/// Rows that are written together: bounds the memory of both sides.
const ROWS_AT_ONCE: usize = 16_384;
/// Key of the shard's sum in the file's metadata.
const SUM: &str = "lexiform.sha256";
/// Key of the shard's size in the file's metadata.
const BYTES: &str = "lexiform.bytes";

/// Writes a table, row by row.
pub(crate) struct SidecarWriter {
    path: PathBuf,
    writer: SerializedFileWriter<std::fs::File>,
    waiting: Vec<Row>,
}

impl SidecarWriter {
    /// Begins a table; `shard` says what it describes, if it is one shard's.
    pub fn create(path: &Path, shard: Option<&ShardEntry>) -> Result<Self, DataError> {
        let file = fs::File::create(aside(path))?.into_file();
        let schema = parse_message_type(SCHEMA).map_err(|error| broken(path, &error))?;
        let stepped = STEPPED.iter().fold(
            WriterProperties::builder()
                .set_compression(Compression::SNAPPY)
                .set_created_by(format!("lexiform {}", env!("CARGO_PKG_VERSION"))),
            |properties, column| {
                let column = || ColumnPath::new(column.split('.').map(str::to_owned).collect());
                properties
                    .set_column_dictionary_enabled(column(), false)
                    .set_column_encoding(column(), Encoding::DELTA_BINARY_PACKED)
            },
        );
        let about = shard.map(|shard| {
            let pair = |key: &str, value: String| KeyValue { key: key.to_owned(), value: Some(value) };
            vec![pair(SUM, shard.sha256.clone()), pair(BYTES, shard.bytes.to_string())]
        });
        let properties = stepped.set_key_value_metadata(about).build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
            .map_err(|error| broken(path, &error))?;
        Ok(Self { path: path.to_owned(), writer, waiting: Vec::new() })
    }

    /// Adds a row.
    pub fn push(&mut self, row: Row) -> Result<(), DataError> {
        self.waiting.push(row);
        if self.waiting.len() >= ROWS_AT_ONCE { self.flush() } else { Ok(()) }
    }

    /// Writes the rest, makes the file durable and gives it its name.
    pub fn finish(mut self) -> Result<(), DataError> {
        self.flush()?;
        let path = self.path;
        let file = self.writer.into_inner().map_err(|error| broken(&path, &error))?;
        file.sync_all()?;
        drop(file);
        rename_durably(&aside(&path), &path)
    }

    fn flush(&mut self) -> Result<(), DataError> {
        let rows = std::mem::take(&mut self.waiting);
        if rows.is_empty() {
            return Ok(());
        }
        write_rows(&mut self.writer, &rows).map_err(|error| broken(&self.path, &error))
    }
}

fn broken(path: &Path, error: &ParquetError) -> DataError {
    DataError::invalid(path, error)
}

type Group<'a> = SerializedRowGroupWriter<'a, std::fs::File>;

fn write_rows(writer: &mut SerializedFileWriter<std::fs::File>, rows: &[Row]) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    let text = |text: &String| ByteArray::from(text.as_str());
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    scalars::<ByteArrayType>(&mut group, rows, |row| text(&row.key))?;
    scalars::<ByteArrayType>(&mut group, rows, |row| text(&row.shard))?;
    scalars::<Int64Type>(&mut group, rows, |row| number(row.offset))?;
    scalars::<Int64Type>(&mut group, rows, |row| number(row.size))?;
    scalars::<ByteArrayType>(&mut group, rows, |row| text(&row.split))?;
    scalars::<ByteArrayType>(&mut group, rows, |row| text(&row.source))?;
    lists::<ByteArrayType>(&mut group, rows, |row| row.labels.iter().map(text).collect())?;
    lists::<ByteArrayType>(&mut group, rows, |row| row.captions.iter().map(text).collect())?;
    lists::<ByteArrayType>(&mut group, rows, |row| row.members.iter().map(|m| text(&m.name)).collect())?;
    lists::<Int64Type>(&mut group, rows, |row| row.members.iter().map(|m| number(m.offset)).collect())?;
    lists::<Int64Type>(&mut group, rows, |row| row.members.iter().map(|m| number(m.size)).collect())?;
    lists::<Int64Type>(&mut group, rows, |row| row.members.iter().map(|m| i64::from(m.crc32)).collect())?;
    group.close()?;
    Ok(())
}

fn scalars<T: DataType>(
    group: &mut Group,
    rows: &[Row],
    value: impl Fn(&Row) -> T::T,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = rows.iter().map(value).collect();
    write_column::<T>(group, &values, None)
}

/// A list column: level 1 of definition is a value, 0 an empty list; level 1 of repetition goes on with the list.
fn lists<T: DataType>(
    group: &mut Group,
    rows: &[Row],
    list: impl Fn(&Row) -> Vec<T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let list = list(row);
        defined.extend(std::iter::repeat_n(i16::from(!list.is_empty()), list.len().max(1)));
        repeated.push(0);
        repeated.extend(std::iter::repeat_n(1, list.len().saturating_sub(1)));
        values.extend(list);
    }
    write_column::<T>(group, &values, Some((&defined, &repeated)))
}

fn write_column<T: DataType>(
    group: &mut Group,
    values: &[T::T],
    levels: Option<(&[i16], &[i16])>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column =
        column.ok_or_else(|| ParquetError::General("more columns than the schema has".to_owned()))?;
    column.typed::<T>().write_batch(values, levels.map(|l| l.0), levels.map(|l| l.1))?;
    column.close()
}

/// A table, read one group of rows at a time.
pub(crate) struct Sidecar {
    path: PathBuf,
    reader: SerializedFileReader<std::fs::File>,
}

impl Sidecar {
    /// Opens a table. It may have been written by another tool: columns are found by name.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Self::of(fs::File::open(path)?.into_file(), path)
    }

    /// The same of a file that is open; errors call it `path`.
    pub fn of(mut file: std::fs::File, path: &Path) -> Result<Self, DataError> {
        file.rewind()?;
        let reader = guarded(path, || SerializedFileReader::new(file))?;
        Ok(Self { path: path.to_owned(), reader })
    }

    /// What it says about its shard.
    pub fn shard(&self, file: &str) -> Result<ShardEntry, DataError> {
        let metadata = self.reader.metadata().file_metadata();
        let find = |key: &str| {
            let pairs = metadata.key_value_metadata()?;
            pairs.iter().find(|pair| pair.key == key)?.value.clone()
        };
        let missing =
            || DataError::invalid(&self.path, format!("expected {SUM} and {BYTES} in its metadata"));
        Ok(ShardEntry {
            file: file.to_owned(),
            bytes: find(BYTES).and_then(|text| text.parse().ok()).ok_or_else(missing)?,
            shapes: u64::try_from(metadata.num_rows()).unwrap_or(0),
            sha256: find(SUM).ok_or_else(missing)?,
        })
    }

    /// Every row in order.
    ///
    /// # Errors
    /// Of the table, or the first that `see` gives.
    pub fn rows(&self, mut see: impl FnMut(Row) -> Result<(), DataError>) -> Result<(), DataError> {
        for index in 0..self.reader.num_row_groups() {
            let rows = guarded(&self.path, || read_rows(&*self.reader.get_row_group(index)?))?;
            rows.into_iter().try_for_each(&mut see)?;
        }
        Ok(())
    }
}

/// Runs a reader of untrusted bytes; a panic inside is the file's fault.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, DataError> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(|error| broken(path, &error)),
        Err(_) => Err(DataError::invalid(path, "is not a Parquet file that can be read")),
    }
}

fn read_rows(group: &dyn RowGroupReader) -> Result<Vec<Row>, ParquetError> {
    let count = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
    let text = |name: &str| texts(group, name, count);
    let numbers = |name: &str| numbers(group, name, count);
    let (mut key, mut shard, mut split, mut source) =
        (text("key")?, text("shard")?, text("split")?, text("source")?);
    let (mut labels, mut captions, mut members) = (text("labels")?, text("captions")?, text("members")?);
    let (offset, size) = (numbers("offset")?, numbers("size")?);
    let (offsets, sizes, sums) = (numbers("offsets")?, numbers("sizes")?, numbers("crc32")?);
    let mut rows = Vec::with_capacity(count);
    for i in 0..count {
        let only = |list: &mut Vec<Vec<String>>| list[i].pop().unwrap_or_default();
        let names = std::mem::take(&mut members[i]);
        let same = [&offsets[i], &sizes[i], &sums[i]].iter().all(|list| list.len() == names.len());
        if !same {
            return Err(ParquetError::General(format!("row {i}: lists of members differ in length")));
        }
        let place =
            |(m, name)| Place { name, offset: offsets[i][m], size: sizes[i][m], crc32: sums[i][m] as u32 };
        rows.push(Row {
            key: only(&mut key),
            shard: only(&mut shard),
            offset: offset[i].first().copied().unwrap_or(0),
            size: size[i].first().copied().unwrap_or(0),
            split: only(&mut split),
            source: only(&mut source),
            labels: std::mem::take(&mut labels[i]),
            captions: std::mem::take(&mut captions[i]),
            members: names.into_iter().enumerate().map(place).collect(),
        });
    }
    Ok(rows)
}

fn texts(group: &dyn RowGroupReader, name: &str, count: usize) -> Result<Vec<Vec<String>>, ParquetError> {
    let text = |bytes: &ByteArray| String::from_utf8_lossy(bytes.data()).into_owned();
    read_column::<ByteArrayType, _>(group, name, count, text)
}

fn numbers(group: &dyn RowGroupReader, name: &str, count: usize) -> Result<Vec<Vec<u64>>, ParquetError> {
    read_column::<Int64Type, _>(group, name, count, |n| u64::try_from(*n).unwrap_or(0))
}

/// A column as one list a row; a scalar is a list of one.
fn read_column<T: DataType, V>(
    group: &dyn RowGroupReader,
    name: &str,
    count: usize,
    value: impl Fn(&T::T) -> V,
) -> Result<Vec<Vec<V>>, ParquetError> {
    let schema = group.metadata().schema_descr();
    let wanted = |column: &parquet::schema::types::ColumnDescPtr| {
        column.path().parts().first().is_some_and(|p| p == name)
    };
    let index = schema.columns().iter().position(wanted);
    let index = index.ok_or_else(|| ParquetError::General(format!("no column {name:?}")))?;
    let descriptor = schema.column(index);
    let column: ColumnReader = group.get_column_reader(index)?;
    if descriptor.physical_type() != T::get_physical_type() {
        let found = descriptor.physical_type();
        return Err(ParquetError::General(format!(
            "column {name:?}: expected {}, found {found}",
            T::get_physical_type()
        )));
    }
    let mut reader = get_typed_column_reader::<T>(column);
    let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    let (records, _, _) = reader.read_records(count, Some(&mut defined), Some(&mut repeated), &mut values)?;
    if records != count {
        return Err(ParquetError::General(format!(
            "column {name:?}: expected {count} rows, found {records}"
        )));
    }
    let present = descriptor.max_def_level();
    let levels = if descriptor.max_def_level() == 0 { values.len() } else { defined.len() };
    let mut lists: Vec<Vec<V>> = Vec::with_capacity(count);
    let mut next = values.iter();
    for level in 0..levels {
        if descriptor.max_rep_level() == 0 || repeated[level] == 0 {
            lists.push(Vec::new());
        }
        if (present == 0 || defined[level] == present)
            && let (Some(list), Some(found)) = (lists.last_mut(), next.next())
        {
            list.push(value(found));
        }
    }
    lists.resize_with(count, Vec::new);
    Ok(lists)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(i: usize) -> Row {
        let words = |n: usize| (0..n).map(|j| format!("{i} {j}")).collect();
        Row {
            key: format!("key-{i}"),
            shard: format!("{}.tar", i / 10),
            offset: i as u64 * 1_000_003,
            size: 99,
            split: if i.is_multiple_of(3) { "val" } else { "train" }.to_owned(),
            source: String::new(),
            labels: words(i % 3),
            captions: words((i + 1) % 2),
            members: (0..i % 5)
                .map(|m| Place {
                    name: format!("v{m:02}.png"),
                    offset: (i * 7 + m) as u64,
                    size: 5,
                    crc32: u32::MAX - m as u32,
                })
                .collect(),
        }
    }

    #[test]
    fn rows_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.parquet");
        let shard = ShardEntry { file: "0.tar".into(), bytes: 7, shapes: 40_000, sha256: "ab".into() };
        let mut writer = SidecarWriter::create(&path, Some(&shard)).unwrap();
        (0..40_000).for_each(|i| writer.push(row(i)).unwrap());
        writer.finish().unwrap();
        let sidecar = Sidecar::open(&path).unwrap();
        assert_eq!(sidecar.shard("0.tar").unwrap(), shard);
        let mut next = 0;
        sidecar
            .rows(|found| {
                assert_eq!(found, row(next));
                next += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(next, 40_000);
    }

    #[test]
    fn broken_tables_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.parquet");
        let mut writer = SidecarWriter::create(&path, None).unwrap();
        (0..50).for_each(|i| writer.push(row(i)).unwrap());
        writer.finish().unwrap();
        let good = std::fs::read(&path).unwrap();
        for at in (0..good.len()).step_by(7) {
            let mut bytes = good.clone();
            bytes[at] ^= 0x5A;
            std::fs::write(&path, &bytes).unwrap();
            // A value or an error; never a panic.
            let _ = Sidecar::open(&path).and_then(|sidecar| sidecar.rows(|_| Ok(())));
        }
        std::fs::write(&path, &good[..good.len() / 2]).unwrap();
        assert!(Sidecar::open(&path).is_err());
    }
}
