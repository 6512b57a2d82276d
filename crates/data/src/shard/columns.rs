//! Rows as columns of a Parquet file, and back.

use std::io::Write;

use parquet::column::reader::{ColumnReader, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::reader::RowGroupReader;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::row::{IndexRow, MemberEntry};

type RowGroupWriter<'a> = SerializedRowGroupWriter<'a, std::fs::File>;

/// Writes rows as one row group, column by column in the order of the schema.
pub(super) fn write_rows(
    writer: &mut SerializedFileWriter<std::fs::File>,
    rows: &[IndexRow],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    let text = |text: &String| ByteArray::from(text.as_str());
    // Parquet has no unsigned type that all readers support; no offset comes near the limit.
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
    group: &mut RowGroupWriter,
    rows: &[IndexRow],
    value: impl Fn(&IndexRow) -> T::T,
) -> Result<(), ParquetError> {
    let values: Vec<T::T> = rows.iter().map(value).collect();
    write_column::<_, T>(group, &values, None)
}

/// A list column: definition level 1 is a value, 0 an empty list; repetition level 1 continues a list.
fn lists<T: DataType>(
    group: &mut RowGroupWriter,
    rows: &[IndexRow],
    list: impl Fn(&IndexRow) -> Vec<T::T>,
) -> Result<(), ParquetError> {
    let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let list = list(row);
        // An empty list has one definition level of 0 and no value.
        defined.extend(std::iter::repeat_n(i16::from(!list.is_empty()), list.len().max(1)));
        repeated.push(0);
        repeated.extend(std::iter::repeat_n(1, list.len().saturating_sub(1)));
        values.extend(list);
    }
    write_column::<_, T>(group, &values, Some((&defined, &repeated)))
}

/// Writes the next column of a row group; `levels` are definition and repetition levels.
pub(crate) fn write_column<W: Write + Send, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<(&[i16], &[i16])>,
) -> Result<(), ParquetError> {
    let column = group.next_column()?;
    let mut column =
        column.ok_or_else(|| ParquetError::General("more columns than the schema has".to_owned()))?;
    column.typed::<T>().write_batch(values, levels.map(|l| l.0), levels.map(|l| l.1))?;
    column.close()
}

/// Reads the rows of a row group.
pub(super) fn read_rows(group: &dyn RowGroupReader) -> Result<Vec<IndexRow>, ParquetError> {
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
        // Columns are independent in Parquet, so another tool may have written lists of different lengths.
        let same = [&offsets[i], &sizes[i], &sums[i]].iter().all(|list| list.len() == names.len());
        if !same {
            return Err(ParquetError::General(format!(
                "row {i}: the lists of members have different lengths"
            )));
        }
        let entry = |(m, name)| MemberEntry {
            name,
            offset: offsets[i][m],
            size: sizes[i][m],
            crc32: sums[i][m] as u32,
        };
        rows.push(IndexRow {
            key: only(&mut key),
            shard: only(&mut shard),
            offset: offset[i].first().copied().unwrap_or(0),
            size: size[i].first().copied().unwrap_or(0),
            split: only(&mut split),
            source: only(&mut source),
            labels: std::mem::take(&mut labels[i]),
            captions: std::mem::take(&mut captions[i]),
            members: names.into_iter().enumerate().map(entry).collect(),
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

/// A column as one list per row; a scalar is a list of one value.
pub(crate) fn read_column<T: DataType, V>(
    group: &dyn RowGroupReader,
    name: &str,
    count: usize,
    value: impl Fn(&T::T) -> V,
) -> Result<Vec<Vec<V>>, ParquetError> {
    let error = |message: String| ParquetError::General(format!("column {name:?}: {message}"));
    let schema = group.metadata().schema_descr();
    // By the first component of the path: list columns are named `labels.list.element`.
    let wanted = |column: &ColumnDescPtr| column.path().parts().first().is_some_and(|part| part == name);
    let index = schema.columns().iter().position(wanted);
    let index = index.ok_or_else(|| ParquetError::General(format!("no column {name:?}")))?;
    let descriptor = schema.column(index);
    let column: ColumnReader = group.get_column_reader(index)?;
    let (expected, found) = (T::get_physical_type(), descriptor.physical_type());
    if found != expected {
        return Err(error(format!("expected {expected}, found {found}")));
    }
    let mut reader = get_typed_column_reader::<T>(column);
    let (mut values, mut levels) = (Vec::new(), Levels::default());
    let (records, _, _) = reader.read_records(
        count,
        Some(&mut levels.definition),
        Some(&mut levels.repetition),
        &mut values,
    )?;
    if records != count {
        return Err(error(format!("expected {count} rows, found {records}")));
    }
    Ok(levels.lists(&descriptor, count, values.iter().map(value)))
}

/// The levels of a column's values, as in
/// [Dremel](https://research.google/pubs/dremel-interactive-analysis-of-web-scale-datasets-2/).
#[derive(Default)]
struct Levels {
    /// The maximum for a value, less for an empty list.
    definition: Vec<i16>,
    /// 0 at the start of a row.
    repetition: Vec<i16>,
}

impl Levels {
    /// Distributes the values of a column over its rows.
    fn lists<V>(
        &self,
        column: &ColumnDescriptor,
        rows: usize,
        mut values: impl ExactSizeIterator<Item = V>,
    ) -> Vec<Vec<V>> {
        let present = column.max_def_level();
        let levels = if present == 0 { values.len() } else { self.definition.len() };
        let mut lists: Vec<Vec<V>> = Vec::with_capacity(rows);
        for level in 0..levels {
            // A repetition level of 0 starts the next row.
            if column.max_rep_level() == 0 || self.repetition[level] == 0 {
                lists.push(Vec::new());
            }
            if present == 0 || self.definition[level] == present {
                let value = values.next();
                if let Some(list) = lists.last_mut() {
                    list.extend(value);
                }
            }
        }
        lists.resize_with(rows, Vec::new);
        lists
    }
}
