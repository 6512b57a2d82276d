//! Writes embeddings with names, row by row, in bounded memory.

use std::io::{BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_formats::array::{Array, Dtype, Kind};
use lexiform_formats::{FileWriter, SOFTWARE, ZipWriter, hdf5, write_file};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::partial::PartialRows;
use crate::DataError;
use crate::shard::write_column;

/// Extensions of the formats that can be written.
pub const EMBEDDING_EXTENSIONS: [&str; 6] = ["npy", "npz", "safetensors", "h5", "hdf5", "parquet"];
/// Key of the model in a table's metadata, and name of its array in an archive.
pub(super) const MODEL_KEY: &str = "model";
/// The key under which the software is named in `.safetensors` metadata, and name of its array in other files.
pub(super) const SOFTWARE_KEY: &str = "software";
/// How the software is named in a table, before its version.
pub(super) const CREATED_BY: &str = "lexiform ";
/// Rows per row group of a table: bounds the memory of writer and reader.
const ROW_GROUP_ROWS: usize = 16_384;
const F32: Dtype = Dtype { kind: Kind::Float, size: 4, big_endian: false };

/// Writes a file of embeddings in the format of its extension. Rows are kept in a temporary file until it is complete; with
/// [`resume`](Self::resume) an interrupted run continues with those that it left.
///
/// ```
/// use lexiform_data::embeddings::{EmbeddingFile, EmbeddingWriter};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("a.npz");
/// let mut writer = EmbeddingWriter::create(&path, "nano", 2)?;
/// writer.push("chair", &[1.0, 0.0])?;
/// writer.push("cup", &[0.0, 1.0])?;
/// writer.finish()?;
///
/// let file = EmbeddingFile::open(&path, None)?;
/// assert_eq!(file.named().unwrap()[1], ("cup".to_owned(), 1));
/// assert_eq!(file.read(1, 1)?, [0.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EmbeddingWriter {
    path: PathBuf,
    model: String,
    dim: usize,
    names: Vec<String>,
    rows: RowStore,
}

/// Rows as little-endian `f32`.
enum RowStore {
    /// A file that ends with the process.
    Temporary(BufWriter<std::fs::File>),
    /// Files that stay until the embeddings are complete.
    Partial(PartialRows),
}

impl EmbeddingWriter {
    /// Starts a file with rows of `dim` numbers, computed by `model`.
    ///
    /// # Errors
    /// If the extension is unknown, or the folder cannot be written to.
    pub fn create(path: &Path, model: &str, dim: usize) -> Result<Self, DataError> {
        check_extension(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Without a name: the system removes it when the process ends, however it ends.
        let file = tempfile::tempfile_in(folder)?;
        let (path, model) = (path.to_owned(), model.to_owned());
        let rows = RowStore::Temporary(BufWriter::with_capacity(1 << 20, file));
        Ok(Self { path, model, dim, names: Vec::new(), rows })
    }

    /// As [`create`](Self::create), keeping the rows next to the file if the process ends early. Rows that an earlier run with
    /// the same `settings`, which are all that rows depend on besides their inputs, left there can be [reused](Self::reuse).
    ///
    /// # Errors
    /// As [`create`](Self::create), or if another process writes the same file.
    pub fn resume(path: &Path, model: &str, dim: usize, settings: &str) -> Result<Self, DataError> {
        check_extension(path)?;
        let rows = RowStore::Partial(PartialRows::open(path, settings, dim)?);
        let (path, model) = (path.to_owned(), model.to_owned());
        Ok(Self { path, model, dim, names: Vec::new(), rows })
    }

    /// Number of rows that an earlier run left and that can still be reused.
    pub fn kept(&self) -> usize {
        match &self.rows {
            RowStore::Temporary(_) => 0,
            RowStore::Partial(partial) => partial.kept(),
        }
    }

    /// Whether the next rows that an earlier run left are those of these inputs, which have no stamps.
    pub fn keeps(&self, names: &[String]) -> bool {
        match &self.rows {
            RowStore::Temporary(_) => false,
            RowStore::Partial(partial) => partial.keeps(names),
        }
    }

    /// Adds the row that an earlier run computed for this input, if it is the next one; `stamp` identifies the input's content.
    pub fn reuse(&mut self, name: &str, stamp: &str) -> bool {
        let reused = match &mut self.rows {
            RowStore::Temporary(_) => false,
            RowStore::Partial(partial) => partial.reuse(name, stamp),
        };
        if reused {
            self.names.push(name.to_owned());
        }
        reused
    }

    /// Adds a row without a stamp.
    ///
    /// # Errors
    /// As [`push_stamped`](Self::push_stamped).
    pub fn push(&mut self, name: &str, vector: &[f32]) -> Result<(), DataError> {
        self.push_stamped(name, "", vector)
    }

    /// Adds a row of an input whose content `stamp` identifies.
    ///
    /// # Errors
    /// If it has another length, or the disk is full.
    pub fn push_stamped(&mut self, name: &str, stamp: &str, vector: &[f32]) -> Result<(), DataError> {
        if vector.len() != self.dim {
            let message = format!("{name}: expected {} numbers, found {}", self.dim, vector.len());
            return Err(DataError::invalid(&self.path, message));
        }
        self.names.push(name.to_owned());
        let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
        match &mut self.rows {
            RowStore::Temporary(file) => file.write_all(&bytes)?,
            RowStore::Partial(partial) => partial.push(name, stamp, &bytes)?,
        }
        Ok(())
    }

    /// Number of rows so far.
    pub fn rows(&self) -> usize {
        self.names.len()
    }

    /// Names of the rows so far.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Writes the file; it replaces an existing one when it is complete.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(self) -> Result<(), DataError> {
        let Self { path, model, dim, names, rows } = self;
        let (file, partial) = match rows {
            RowStore::Temporary(rows) => {
                let mut file = rows.into_inner().map_err(std::io::IntoInnerError::into_error)?;
                file.seek(SeekFrom::Start(0))?;
                (file, None)
            }
            RowStore::Partial(mut partial) => (partial.rows()?, Some(partial)),
        };
        let mut rows = BufReader::with_capacity(1 << 20, file);
        let table = NamedTable { path: &path, model: &model, dim, names: &names };
        match extension(&path).as_str() {
            "npy" => table.write_npy(&mut rows),
            "npz" => table.write_npz(&mut rows),
            "safetensors" => table.write_safetensors(&mut rows),
            "parquet" => table.write_parquet(&mut rows),
            _ => table.write_hdf5(&mut rows),
        }?;
        if let Some(partial) = partial {
            partial.remove()?;
        }
        Ok(())
    }
}

fn check_extension(path: &Path) -> Result<(), DataError> {
    if EMBEDDING_EXTENSIONS.contains(&extension(path).as_str()) {
        return Ok(());
    }
    let message = format!("expected a file name with one of .{}", EMBEDDING_EXTENSIONS.join(", ."));
    Err(DataError::invalid(path, message))
}

/// The file with `{name: row}` that is written next to an HDF5 file, as Duoduo CLIP publishes it; `None` for other formats.
pub fn index_path(path: &Path) -> Option<PathBuf> {
    let stem = path.file_stem()?.to_string_lossy().into_owned();
    let is_hdf5 = ["h5", "hdf5"].contains(&extension(path).as_str());
    is_hdf5.then(|| path.with_file_name(format!("{stem}_model_to_idx.json")))
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

type Rows = BufReader<std::fs::File>;

/// What a file says, without its numbers.
struct NamedTable<'a> {
    path: &'a Path,
    model: &'a str,
    dim: usize,
    names: &'a [String],
}

impl NamedTable<'_> {
    fn shape(&self) -> [usize; 2] {
        [self.names.len(), self.dim]
    }

    /// The beginning of a `.npy` file with `[rows, dim]` of `f32`.
    fn npy_header(&self) -> Vec<u8> {
        lexiform_formats::npy::header(&F32.to_string(), &self.shape())
    }

    fn write_npy(&self, rows: &mut Rows) -> Result<(), DataError> {
        let mut file = FileWriter::create(self.path)?;
        file.write_all(&self.npy_header())?;
        std::io::copy(rows, &mut file)?;
        file.commit()?;
        Ok(())
    }

    fn write_npz(&self, rows: &mut Rows) -> Result<(), DataError> {
        let mut archive = ZipWriter::new(BufWriter::new(FileWriter::create(self.path)?));
        archive.begin("embeddings.npy")?;
        archive.write_all(&self.npy_header())?;
        std::io::copy(rows, &mut archive)?;
        archive.begin("names.npy")?;
        archive.write_all(&unicode_array(self.names).to_npy())?;
        for (key, text) in [(MODEL_KEY, self.model), (SOFTWARE_KEY, SOFTWARE)] {
            let scalar = Array { shape: Vec::new(), ..unicode_array(&[text.to_owned()]) };
            archive.begin(&format!("{key}.npy"))?;
            archive.write_all(&scalar.to_npy())?;
        }
        archive.finish()?.into_inner().map_err(std::io::IntoInnerError::into_error)?.commit()?;
        Ok(())
    }

    fn write_safetensors(&self, rows: &mut Rows) -> Result<(), DataError> {
        let names = serde_json::to_string(self.names).map_err(std::io::Error::other)?;
        let bytes = self.names.len() * self.dim * 4;
        let header = serde_json::json!({
            "__metadata__": { SOFTWARE_KEY: SOFTWARE, "model": self.model, "rows": names },
            "embeddings": { "dtype": "F32", "shape": self.shape(), "data_offsets": [0, bytes] },
        });
        let mut header = header.to_string().into_bytes();
        // Tensors are aligned to 8 bytes.
        header.resize(header.len().next_multiple_of(8), b' ');
        let mut file = FileWriter::create(self.path)?;
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        std::io::copy(rows, &mut file)?;
        file.commit()?;
        Ok(())
    }

    /// As Duoduo CLIP publishes embeddings: `shape_feat`, and `{name: row}` in `STEM_model_to_idx.json`.
    fn write_hdf5(&self, rows: &mut Rows) -> Result<(), DataError> {
        let mut writer = hdf5::Writer::create(self.path)?;
        writer.begin_array("shape_feat", F32, &self.shape())?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let n = rows.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            writer.write(&buffer[..n])?;
        }
        write_strings(&mut writer, "names", self.names)?;
        write_strings(&mut writer, SOFTWARE_KEY, &[SOFTWARE.to_owned()])?;
        writer.finish()?;
        let rows: serde_json::Map<String, serde_json::Value> =
            self.names.iter().cloned().zip((0..self.names.len()).map(Into::into)).collect();
        if let Some(index) = index_path(self.path) {
            write_file(&index, serde_json::Value::from(rows).to_string().as_bytes())?;
        }
        Ok(())
    }

    fn write_parquet(&self, rows: &mut Rows) -> Result<(), DataError> {
        let failed = |error: ParquetError| DataError::invalid(self.path, error);
        let schema = parse_message_type(SCHEMA).map_err(failed)?;
        let model = KeyValue { key: MODEL_KEY.to_owned(), value: Some(self.model.to_owned()) };
        let properties = WriterProperties::builder()
            .set_created_by(format!("{CREATED_BY}{}", env!("CARGO_PKG_VERSION")))
            // Embeddings have no repeated values: a dictionary would only cost time.
            .set_dictionary_enabled(false)
            .set_key_value_metadata(Some(vec![model]))
            .build();
        let file = FileWriter::create(self.path)?;
        let mut writer =
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(failed)?;
        let mut bytes = Vec::new();
        for names in self.names.chunks(ROW_GROUP_ROWS) {
            bytes.resize(names.len() * self.dim * 4, 0);
            rows.read_exact(&mut bytes)?;
            let values: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            write_group(&mut writer, names, &values, self.dim).map_err(failed)?;
        }
        writer.into_inner().map_err(failed)?.commit()?;
        Ok(())
    }
}

/// Adds an array of strings, padded to the length of the longest.
fn write_strings(writer: &mut hdf5::Writer, name: &str, texts: &[String]) -> Result<(), DataError> {
    let size = texts.iter().map(String::len).max().unwrap_or(0).max(1);
    writer.begin_array(name, Dtype { kind: Kind::Bytes, size, big_endian: false }, &[texts.len()])?;
    for text in texts {
        let mut padded = text.clone().into_bytes();
        padded.resize(size, 0);
        writer.write(&padded)?;
    }
    Ok(())
}

const SCHEMA: &str = "message embeddings {
    REQUIRED BINARY name (UTF8);
    REQUIRED GROUP embedding (LIST) { REPEATED GROUP list { REQUIRED FLOAT element; } }
}";

fn write_group(
    writer: &mut SerializedFileWriter<FileWriter>,
    names: &[String],
    values: &[f32],
    dim: usize,
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    let texts: Vec<ByteArray> = names.iter().map(|name| ByteArray::from(name.as_str())).collect();
    write_column::<_, ByteArrayType>(&mut group, &texts, None)?;
    // Level 1 is a value; a repetition level of 0 starts the next list.
    let defined = vec![1; values.len()];
    let repeated: Vec<i16> = (0..values.len()).map(|i| i16::from(i % dim != 0)).collect();
    write_column::<_, FloatType>(&mut group, values, Some((&defined, &repeated)))?;
    group.close()?;
    Ok(())
}

/// Strings as NumPy's arrays of a fixed number of characters.
fn unicode_array(texts: &[String]) -> Array {
    let longest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0).max(1);
    let mut data = Vec::with_capacity(texts.len() * longest * 4);
    for text in texts {
        let codes = text.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest);
        data.extend(codes.flat_map(u32::to_le_bytes));
    }
    let dtype = Dtype { kind: Kind::Unicode, size: 4 * longest, big_endian: false };
    Array { dtype, shape: vec![texts.len()], data }
}
