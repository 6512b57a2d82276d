//! One file of named tensors: safetensors, or a PyTorch pickle read as data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fs_err as fs;
use half::{bf16, f16};
use memmap2::Mmap;
use pytorch_reader::{PickleValue, PytorchReader};
use safetensors::tensor::{Dtype, SafeTensors};

use crate::error::WeightsError;

/// An open file of tensors. Opening reads names and shapes; values are read when asked for.
pub struct WeightFile {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
    bytes: Option<Bytes>,
    metadata: BTreeMap<String, String>,
    hyper_parameters: Option<PickleValue>,
}

/// Where a safetensors file's bytes are.
enum Bytes {
    Mapped(Mmap),
    Static(&'static [u8]),
}

enum Entry {
    Torch(pytorch_reader::Tensor),
    Safetensors { dtype: Dtype, shape: Vec<usize>, range: std::ops::Range<usize> },
}

impl WeightFile {
    /// Opens a `.safetensors`, `.pt`, `.pth`, `.ckpt` or `.bin` file; the content decides, not the name.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        use std::io::Read as _;
        let mut head = Vec::new();
        fs::File::open(path)?.take(9).read_to_end(&mut head)?;
        if head.len() == 9 && head[8] == b'{' { Self::open_safetensors(path) } else { Self::open_torch(path) }
    }

    /// A safetensors file that is part of the program.
    pub fn from_static(name: &str, bytes: &'static [u8]) -> Result<Self, WeightsError> {
        Self::safetensors(PathBuf::from(name), Bytes::Static(bytes))
    }

    fn open_safetensors(path: &Path) -> Result<Self, WeightsError> {
        let file = fs::File::open(path)?;
        // SAFETY: the map is only read; a file that another process shortens meanwhile is outside our promise,
        // as for every memory-mapped reader.
        let map = unsafe { Mmap::map(file.file()) }?;
        Self::safetensors(path.to_owned(), Bytes::Mapped(map))
    }

    fn safetensors(path: PathBuf, bytes: Bytes) -> Result<Self, WeightsError> {
        let invalid =
            |message: String| WeightsError::Format { path: path.clone(), format: "safetensors", message };
        let (header_length, header) =
            SafeTensors::read_metadata(bytes.as_slice()).map_err(|e| invalid(e.to_string()))?;
        let data_start = header_length + 8;
        let entries = (header.tensors().into_iter())
            .map(|(name, info)| {
                let range = data_start + info.data_offsets.0..data_start + info.data_offsets.1;
                (name, Entry::Safetensors { dtype: info.dtype, shape: info.shape.clone(), range })
            })
            .collect();
        let metadata = header.metadata().clone().unwrap_or_default().into_iter().collect();
        Ok(Self { path, entries, bytes: Some(bytes), metadata, hyper_parameters: None })
    }

    fn open_torch(path: &Path) -> Result<Self, WeightsError> {
        let invalid = |e: &dyn std::fmt::Display| WeightsError::Format {
            path: path.to_owned(),
            format: "PyTorch",
            message: e.to_string(),
        };
        // Containers that authors wrap their state dict in; the first that holds tensors wins.
        let reader = ["state_dict", "model_state_dict", "model", "base_model"]
            .iter()
            .find_map(|key| PytorchReader::with_top_level_key(path, key).ok().filter(|r| !r.is_empty()));
        let reader = match reader {
            Some(reader) => reader,
            None => PytorchReader::new(path).map_err(|e| invalid(&e))?,
        };
        let hyper_parameters = PytorchReader::read_pickle_data(path, Some("hyper_parameters")).ok();
        let entries: BTreeMap<_, _> =
            reader.into_tensors().into_iter().map(|(name, tensor)| (name, Entry::Torch(tensor))).collect();
        if entries.is_empty() {
            return Err(invalid(&"no tensors in it"));
        }
        Ok(Self { path: path.to_owned(), entries, bytes: None, metadata: BTreeMap::new(), hyper_parameters })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether a tensor is there.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Text entries of a safetensors header.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// A value of a Lightning checkpoint's `hyper_parameters`, by path.
    pub fn hyper_parameter(&self, path: &[&str]) -> Option<&PickleValue> {
        path.iter().try_fold(self.hyper_parameters.as_ref()?, |value, key| match value {
            PickleValue::Dict(entries) => entries.get(*key),
            _ => None,
        })
    }

    /// Shape of a tensor.
    pub fn shape(&self, name: &str) -> Result<&[usize], WeightsError> {
        Ok(match self.entry(name)? {
            Entry::Torch(tensor) => tensor.shape(),
            Entry::Safetensors { shape, .. } => shape,
        })
    }

    /// Number of elements of all tensors under a prefix.
    pub fn n_elements(&self, prefix: &str) -> usize {
        (self.entries.iter().filter(|(name, _)| name.starts_with(prefix)))
            .map(|(_, entry)| match entry {
                Entry::Torch(tensor) => tensor.num_elements(),
                Entry::Safetensors { shape, .. } => shape.iter().product(),
            })
            .sum()
    }

    /// Values of a tensor as f32, row-major.
    pub fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        match self.entry(name)? {
            Entry::Torch(tensor) => {
                use pytorch_reader::DType;
                let bytes = tensor.read()?;
                match tensor.dtype() {
                    DType::F32 => Ok(convert(&bytes, |b: [u8; 4]| f32::from_ne_bytes(b))),
                    DType::F16 => Ok(convert(&bytes, |b: [u8; 2]| f16::from_ne_bytes(b).to_f32())),
                    DType::BF16 => Ok(convert(&bytes, |b: [u8; 2]| bf16::from_ne_bytes(b).to_f32())),
                    DType::F64 => Ok(convert(&bytes, |b: [u8; 8]| f64::from_ne_bytes(b) as f32)),
                    other => Err(self.wrong_type(name, format!("{other:?}"))),
                }
            }
            Entry::Safetensors { dtype, range, .. } => {
                let bytes = &self.bytes.as_ref().map_or(&[][..], Bytes::as_slice)[range.clone()];
                match dtype {
                    Dtype::F32 => Ok(convert(bytes, |b: [u8; 4]| f32::from_le_bytes(b))),
                    Dtype::F16 => Ok(convert(bytes, |b: [u8; 2]| f16::from_le_bytes(b).to_f32())),
                    Dtype::BF16 => Ok(convert(bytes, |b: [u8; 2]| bf16::from_le_bytes(b).to_f32())),
                    Dtype::F64 => Ok(convert(bytes, |b: [u8; 8]| f64::from_le_bytes(b) as f32)),
                    other => Err(self.wrong_type(name, format!("{other:?}"))),
                }
            }
        }
    }

    fn entry(&self, name: &str) -> Result<&Entry, WeightsError> {
        (self.entries.get(name))
            .ok_or_else(|| WeightsError::Missing { path: self.path.clone(), name: name.to_owned() })
    }

    fn wrong_type(&self, name: &str, found: String) -> WeightsError {
        WeightsError::Dtype { path: self.path.clone(), name: name.to_owned(), found }
    }
}

impl Bytes {
    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Static(bytes) => bytes,
        }
    }
}

fn convert<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect()
}
