//! The Parquet files of a data set, with one row per shape: the sidecar of each shard, and `index.parquet` over all shards.

use std::io::Seek as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fs_err as fs;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use super::columns::{read_rows, write_rows};
use super::durable::{partial_path, rename_durably};
use super::manifest::ShardEntry;
use super::row::IndexRow;
use crate::DataError;

/// The columns; lists have the three-level structure that all readers support.
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
/// Columns of slowly increasing numbers, for which delta encoding is smallest.
const DELTA_COLUMNS: [&str; 4] = ["offset", "size", "offsets.list.element", "sizes.list.element"];
/// Rows per row group: bounds the memory of writer and reader.
const ROW_GROUP_ROWS: usize = 16_384;
/// Key of the shard's SHA-256 in the file's metadata.
const SHA256_KEY: &str = "lexiform.sha256";
/// Key of the shard's size in the file's metadata.
const BYTES_KEY: &str = "lexiform.bytes";

/// Writes a sidecar or an index, row by row.
pub(crate) struct SidecarWriter {
    path: PathBuf,
    writer: SerializedFileWriter<std::fs::File>,
    buffered: Vec<IndexRow>,
}

impl SidecarWriter {
    /// Creates the file; `shard` is the shard that it describes, if it is a sidecar.
    pub fn create(path: &Path, shard: Option<&ShardEntry>) -> Result<Self, DataError> {
        let file = fs::File::create(partial_path(path))?.into_file();
        let schema = parse_message_type(SCHEMA).map_err(|error| parquet_error(path, &error))?;
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties(shard)))
            .map_err(|error| parquet_error(path, &error))?;
        Ok(Self { path: path.to_owned(), writer, buffered: Vec::new() })
    }

    /// Adds a row.
    pub fn push(&mut self, row: IndexRow) -> Result<(), DataError> {
        self.buffered.push(row);
        if self.buffered.len() >= ROW_GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes the remaining rows, syncs the file and renames it.
    pub fn finish(mut self) -> Result<(), DataError> {
        self.flush()?;
        let path = self.path;
        let file = self.writer.into_inner().map_err(|error| parquet_error(&path, &error))?;
        file.sync_all()?;
        drop(file);
        rename_durably(&partial_path(&path), &path)
    }

    fn flush(&mut self) -> Result<(), DataError> {
        let rows = std::mem::take(&mut self.buffered);
        if rows.is_empty() {
            return Ok(());
        }
        write_rows(&mut self.writer, &rows).map_err(|error| parquet_error(&self.path, &error))
    }
}

/// Compression and encodings, and the metadata about `shard`.
fn properties(shard: Option<&ShardEntry>) -> WriterProperties {
    let builder = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("lexiform {}", env!("CARGO_PKG_VERSION")));
    let builder = DELTA_COLUMNS.iter().fold(builder, |builder, column| {
        let column = || ColumnPath::new(column.split('.').map(str::to_owned).collect());
        builder
            // A dictionary of distinct numbers would be larger than the column.
            .set_column_dictionary_enabled(column(), false)
            .set_column_encoding(column(), Encoding::DELTA_BINARY_PACKED)
    });
    let metadata = shard.map(|shard| {
        let pair = |key: &str, value: String| KeyValue { key: key.to_owned(), value: Some(value) };
        vec![pair(SHA256_KEY, shard.sha256.clone()), pair(BYTES_KEY, shard.bytes.to_string())]
    });
    builder.set_key_value_metadata(metadata).build()
}

fn parquet_error(path: &Path, error: &ParquetError) -> DataError {
    DataError::invalid(path, error)
}

/// A sidecar or an index, read one row group at a time.
pub(crate) struct Sidecar {
    path: PathBuf,
    reader: SerializedFileReader<std::fs::File>,
}

impl Sidecar {
    /// Opens a file. It may have been written by another tool: columns are found by name.
    pub fn open(path: &Path) -> Result<Self, DataError> {
        Self::from_file(fs::File::open(path)?.into_file(), path)
    }

    /// Reads an open file; errors name it `path`.
    pub fn from_file(mut file: std::fs::File, path: &Path) -> Result<Self, DataError> {
        file.rewind()?;
        let reader = catch_panics(|| SerializedFileReader::new(file))
            .map_err(|message| DataError::invalid(path, message))?;
        Ok(Self { path: path.to_owned(), reader })
    }

    /// The entry of its shard, from the metadata.
    pub fn shard(&self, file: &str) -> Result<ShardEntry, DataError> {
        let metadata = self.reader.metadata().file_metadata();
        let find = |key: &str| {
            let pairs = metadata.key_value_metadata()?;
            pairs.iter().find(|pair| pair.key == key)?.value.clone()
        };
        let missing = || {
            DataError::invalid(&self.path, format!("expected {SHA256_KEY} and {BYTES_KEY} in its metadata"))
        };
        Ok(ShardEntry {
            file: file.to_owned(),
            bytes: find(BYTES_KEY).and_then(|text| text.parse().ok()).ok_or_else(missing)?,
            shapes: u64::try_from(metadata.num_rows()).unwrap_or(0),
            sha256: find(SHA256_KEY).ok_or_else(missing)?,
        })
    }

    /// Calls `visit` with every row in order.
    ///
    /// # Errors
    /// The first error of reading or of `visit`.
    pub fn for_each_row(
        &self,
        mut visit: impl FnMut(IndexRow) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        for index in 0..self.reader.num_row_groups() {
            let rows = catch_panics(|| read_rows(&*self.reader.get_row_group(index)?))
                .map_err(|message| DataError::invalid(&self.path, message))?;
            rows.into_iter().try_for_each(&mut visit)?;
        }
        Ok(())
    }
}

/// Runs a reader of untrusted bytes and turns its panics into messages.
pub(crate) fn catch_panics<T>(read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    // The Parquet reader panics on some corrupt files. It is only read from, so a panic leaves no broken state behind.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("is not a readable Parquet file".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::MemberEntry;
    use super::*;

    fn row(i: usize) -> IndexRow {
        let words = |n: usize| (0..n).map(|j| format!("{i} {j}")).collect();
        IndexRow {
            key: format!("key-{i}"),
            shard: format!("{}.tar", i / 10),
            offset: i as u64 * 1_000_003,
            size: 99,
            split: if i.is_multiple_of(3) { "val" } else { "train" }.to_owned(),
            source: String::new(),
            labels: words(i % 3),
            captions: words((i + 1) % 2),
            members: (0..i % 5)
                .map(|m| MemberEntry {
                    name: format!("v{m:02}.png"),
                    offset: (i * 7 + m) as u64,
                    size: 5,
                    crc32: u32::MAX - m as u32,
                })
                .collect(),
        }
    }

    #[test]
    fn rows_round_trip() {
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
            .for_each_row(|found| {
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
            let _ = Sidecar::open(&path).and_then(|sidecar| sidecar.for_each_row(|_| Ok(())));
        }
        std::fs::write(&path, &good[..good.len() / 2]).unwrap();
        assert!(Sidecar::open(&path).is_err());
    }
}
