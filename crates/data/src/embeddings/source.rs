//! Arrays in files, read by rows.

use std::path::Path;

use lexiform_formats::array::FloatType;
use lexiform_formats::hdf5::{self, Datatype, File};
use lexiform_formats::npy::{self, Header, Npy, read_npy};
use lexiform_formats::{PositionedFile, RandomAccess as _, zip};
use safetensors::tensor::{Dtype as TensorType, Metadata};

use super::names::NAME_ARRAYS;
use super::table::Table;
use super::writer::MODEL_KEY;

/// Names of arrays that are taken if a file has several.
const PREFERRED: [&str; 5] = ["shape_feat", "embeddings", "features", "embedding", "feat"];
/// Bytes read to find the data of an array: more than any header of an array with two axes.
const MAX_HEADER: u64 = 1 << 16;
/// Largest header of a `.safetensors` file.
const MAX_SAFETENSORS_HEADER: u64 = 512 << 20;
/// Largest compressed entry of an archive, which is read as a whole.
const MAX_ENTRY: u64 = 16 << 30;

/// An array of floats with two axes, and what the file says about it.
pub(super) struct Source {
    pub(super) rows: usize,
    pub(super) dim: usize,
    /// Names in the order of rows.
    pub(super) names: Option<Vec<String>>,
    /// The model that computed it.
    pub(super) model: Option<String>,
    pub(super) data: Data,
}

/// Where the numbers are.
pub(super) enum Data {
    Hdf5(hdf5::Dataset),
    /// One after another in the file from an offset.
    Flat(PositionedFile, u64, FloatType),
    /// In memory, decompressed.
    Memory(Vec<u8>, FloatType),
    Table(Table),
}

impl Source {
    /// Opens a file by its content; `wanted` names the array if there are several.
    pub fn open(path: &Path, wanted: Option<&str>) -> Result<Self, String> {
        let file = PositionedFile::open(path).map_err(|error| error.to_string())?;
        let start = file.bytes(0, file.length().min(8)).map_err(|error| error.to_string())?;
        if start.starts_with(npy::MAGIC) {
            return open_npy(file, 0);
        }
        if start.starts_with(b"PK\x03\x04") {
            return open_npz(file, wanted);
        }
        if start.starts_with(b"PAR1") {
            let (table, rows, dim, names, model) = Table::open(path, wanted)?;
            return Ok(Self { rows, dim, names, model, data: Data::Table(table) });
        }
        // HDF5 may begin with a block of the user's, so it is recognized by opening it.
        match File::open(path) {
            Ok(_) => open_hdf5(path, wanted),
            Err(_) if start.len() == 8 && looks_like_safetensors(&start, &file) => {
                open_safetensors(file, wanted)
            }
            Err(_) => Err("expected HDF5, .npy, .npz, .safetensors or Parquet".to_owned()),
        }
    }

    /// Rows from `first` on, as `f32`.
    pub fn read(&self, first: usize, count: usize) -> Result<Vec<f32>, String> {
        match &self.data {
            Data::Hdf5(dataset) => {
                let rows = dataset.read_rows(first, count).map_err(|error| error.to_string())?;
                Ok(rows.to_f32_vec())
            }
            Data::Flat(file, start, float) => {
                let row = (self.dim * float.size()) as u64;
                let bytes = file.bytes(start + first as u64 * row, count as u64 * row);
                Ok(float.decode(&bytes.map_err(|error| error.to_string())?))
            }
            Data::Memory(bytes, float) => {
                let row = self.dim * float.size();
                let part = bytes.get(first * row..(first + count) * row).ok_or("too few rows")?;
                Ok(float.decode(part))
            }
            Data::Table(table) => table.read(first, count, self.dim),
        }
    }
}

/// The array to take among those with two axes.
fn choose(found: &[String], wanted: Option<&str>) -> Result<String, String> {
    if let Some(wanted) = wanted {
        let exists = found.iter().any(|name| name == wanted);
        return if exists {
            Ok(wanted.to_owned())
        } else {
            Err(format!("no array {wanted:?} of floats with two axes, found {}", found.join(", ")))
        };
    }
    if let [only] = found {
        return Ok(only.clone());
    }
    let preferred = PREFERRED.iter().find(|name| found.iter().any(|other| other == *name));
    preferred.map(|name| (*name).to_owned()).ok_or_else(|| match found {
        [] => "expected an array of floats with two axes, [rows, dim]".to_owned(),
        _ => format!("expected one array, found {}: choose one with FILE#ARRAY", found.join(", ")),
    })
}

fn two_axes(shape: &[usize]) -> Option<(usize, usize)> {
    match shape {
        [rows, dim] if *dim > 0 => Some((*rows, *dim)),
        _ => None,
    }
}

fn open_hdf5(path: &Path, wanted: Option<&str>) -> Result<Source, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let all = file.names("").map_err(|error| error.to_string())?;
    let datasets: Vec<(String, hdf5::Dataset)> =
        all.into_iter().filter_map(|name| Some((name.clone(), file.dataset(&name).ok()?))).collect();
    let is_float =
        |datatype| matches!(datatype, Datatype::Plain(d) if d.kind == lexiform_formats::array::Kind::Float);
    let arrays: Vec<String> = datasets
        .iter()
        .filter(|(_, d)| two_axes(d.shape()).is_some() && is_float(d.datatype()))
        .map(|(name, _)| name.clone())
        .collect();
    let chosen = choose(&arrays, wanted)?;
    let dataset = file.dataset(&chosen).map_err(|error| error.to_string())?;
    let (rows, dim) = two_axes(dataset.shape()).ok_or("expected two axes")?;
    let named = datasets.iter().find(|(name, d)| {
        NAME_ARRAYS.contains(&name.as_str()) && d.shape() == [rows] && !is_number(d.datatype())
    });
    let names = named.map(|(_, d)| d.read().map(|array| array.to_strings())).transpose();
    let names = names.map_err(|error| error.to_string())?;
    Ok(Source { rows, dim, names, model: None, data: Data::Hdf5(dataset) })
}

fn is_number(datatype: Datatype) -> bool {
    matches!(datatype, Datatype::Plain(dtype) if dtype.is_number())
}

/// An array that starts at an offset of a file.
fn open_npy(file: PositionedFile, at: u64) -> Result<Source, String> {
    let head = file.bytes(at, MAX_HEADER.min(file.length() - at)).map_err(|error| error.to_string())?;
    let (rows, dim, float, start) = array_header(&head)?;
    let needed = (rows as u64).checked_mul(dim as u64).and_then(|n| n.checked_mul(float.size() as u64));
    let start = at + start as u64;
    if needed.and_then(|needed| needed.checked_add(start)).is_none_or(|end| end > file.length()) {
        return Err(format!("shape [{rows}, {dim}] does not fit into {} bytes", file.length()));
    }
    Ok(Source { rows, dim, names: None, model: None, data: Data::Flat(file, start, float) })
}

/// Rows, columns, type and start of an array in the bytes of a `.npy` file.
fn array_header(head: &[u8]) -> Result<(usize, usize, FloatType, usize), String> {
    let header = Header::parse(head).map_err(|error| error.to_string())?;
    let float = header.dtype().and_then(FloatType::of);
    let float = float.ok_or_else(|| format!("expected floats of <f2, <f4 or <f8, found {}", header.descr))?;
    if header.fortran_order {
        return Err("expected rows one after another, found Fortran order".to_owned());
    }
    let (rows, dim) = two_axes(&header.shape)
        .ok_or_else(|| format!("expected an array [rows, dim], found shape {:?}", header.shape))?;
    Ok((rows, dim, float, header.data_start))
}

fn open_npz(file: PositionedFile, wanted: Option<&str>) -> Result<Source, String> {
    let (mut arrays, mut names, mut model) = (Vec::new(), None, None);
    for (name, entry) in zip::entries(&file)? {
        let Some(name) = name.strip_suffix(".npy").map(str::to_owned) else { continue };
        if NAME_ARRAYS.contains(&name.as_str()) {
            names = names.or(strings(&entry.read(&file, MAX_ENTRY)?));
            continue;
        }
        // A compressed array is decompressed to see what it is: files of embeddings have few others.
        let content = if entry.is_stored() { None } else { Some(entry.read(&file, MAX_ENTRY)?) };
        let head = match &content {
            Some(content) => content[..content.len().min(MAX_HEADER as usize)].to_vec(),
            None => {
                let start = entry.start(&file)?;
                file.bytes(start, entry.size.min(MAX_HEADER)).map_err(|error| error.to_string())?
            }
        };
        if let Ok(header) = array_header(&head) {
            arrays.push((name, entry, content, header));
        } else if name == MODEL_KEY {
            model = strings(&entry.read(&file, MAX_ENTRY)?).and_then(|texts| texts.into_iter().next());
        }
    }
    let chosen = choose(&arrays.iter().map(|(name, ..)| name.clone()).collect::<Vec<_>>(), wanted)?;
    let found = arrays.into_iter().find(|(name, ..)| *name == chosen);
    let (_, entry, content, (rows, dim, float, start)) = found.ok_or("no such array")?;
    let mut source = match content {
        Some(content) => {
            let data = Data::Memory(content[start..].to_vec(), float);
            Source { rows, dim, names: None, model: None, data }
        }
        None => {
            let at = entry.start(&file)?;
            open_npy(file, at)?
        }
    };
    source.names = names.filter(|names: &Vec<String>| names.len() == rows);
    source.model = model;
    Ok(source)
}

/// The strings of a `.npy` file; `None` if it is not one of strings.
pub(super) fn strings(bytes: &[u8]) -> Option<Vec<String>> {
    match read_npy(bytes) {
        Ok(Npy::Array(array)) if !array.dtype.is_number() => Some(array.to_strings()),
        _ => None,
    }
}

/// Whether the first 8 bytes are the length of a JSON object that follows.
fn looks_like_safetensors(start: &[u8], file: &PositionedFile) -> bool {
    let length = start.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    (2..file.length()).contains(&length) && file.bytes(8, 1).is_ok_and(|byte| byte == b"{")
}

fn open_safetensors(file: PositionedFile, wanted: Option<&str>) -> Result<Source, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let length = file.bytes(0, 8).map_err(|e| text(&e))?.first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
    let header = file.bytes(0, 8 + length.min(MAX_SAFETENSORS_HEADER)).map_err(|e| text(&e))?;
    // Checks the offsets of all tensors against each other; the length of the file is checked below.
    let metadata: Metadata = serde_json::from_slice(&header[8..]).map_err(|e| text(&e))?;
    let tensors = metadata.tensors();
    let float = |dtype: TensorType| match dtype {
        TensorType::F16 => Some(FloatType::F16),
        TensorType::BF16 => Some(FloatType::Bf16),
        TensorType::F32 => Some(FloatType::F32),
        TensorType::F64 => Some(FloatType::F64),
        _ => None,
    };
    let mut arrays: Vec<String> = tensors
        .iter()
        .filter(|(_, info)| two_axes(&info.shape).is_some() && float(info.dtype).is_some())
        .map(|(name, _)| name.clone())
        .collect();
    // From a hash map: sorted, so that messages are the same in every run.
    arrays.sort();
    let info = tensors[&choose(&arrays, wanted)?];
    let ((rows, dim), float) = two_axes(&info.shape).zip(float(info.dtype)).ok_or("expected two axes")?;
    let (begin, end) = info.data_offsets;
    if end - begin != rows * dim * float.size() || 8 + length + end as u64 > file.length() {
        return Err("the file is truncated".to_owned());
    }
    let value = |key: &str| metadata.metadata().as_ref().and_then(|map| map.get(key)).cloned();
    let names: Option<Vec<String>> = value("rows").and_then(|text| serde_json::from_str(&text).ok());
    // Other tools may use this key for something else.
    let names = names.filter(|names| names.len() == rows);
    let data = Data::Flat(file, 8 + length + begin as u64, float);
    Ok(Source { rows, dim, names, model: value("model"), data })
}
