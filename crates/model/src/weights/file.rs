//! Files of named tensors: safetensors, or a PyTorch pickle, which is parsed as data and never executed.
//!
//! Opening reads names, shapes and metadata, and validates them against the file's size. Values are read on request, one
//! tensor at a time, so that loading needs little more memory than the network.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lexiform_formats::pickle::Ref;
use lexiform_formats::{PositionedFile, RandomAccess};
use safetensors::tensor::Dtype;

use super::error::WeightsError;
use super::header::{self, TensorInfo, byte_length};
use super::int8;
use super::sharded;
use super::tensor_values::{contiguous, storage_limit, strided};
use super::torch::{StridedTensor, TorchCheckpoint};
use super::value::{self, Value};

/// Keys under which authors store the weights; the first that holds tensors is opened.
const STATE_DICT_KEYS: [&str; 5] = ["state_dict", "model_state_dict", "model", "base_model", "module"];
/// An open file of tensors.
///
/// ```
/// use std::collections::HashMap;
///
/// use lexiform_model::weights::{Precision, TensorList, WeightFile};
///
/// let path = std::env::temp_dir().join("lexiform-weight-file.safetensors");
/// let mut list = TensorList::default();
/// list.push_values("proj".to_owned(), vec![1, 2], vec![0.5, -1.0]);
/// list.write(&path, Precision::Full, HashMap::new())?;
///
/// let file = WeightFile::open(&path)?;
/// assert_eq!(file.shape("proj")?, [1, 2]);
/// assert_eq!(file.read("proj")?, [0.5, -1.0]);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), lexiform_model::WeightsError>(())
/// ```
#[derive(Clone)]
pub struct WeightFile {
    path: PathBuf,
    source: Arc<dyn RandomAccess>,
    entries: BTreeMap<String, TensorEntry>,
    metadata: BTreeMap<String, String>,
    torch: Option<Arc<TorchCheckpoint>>,
    container: Option<String>,
    /// Size of all files.
    bytes: u64,
}

#[derive(Clone)]
enum TensorEntry {
    /// A tensor, and the file that it is in.
    Safetensors(TensorInfo, Arc<dyn RandomAccess>),
    /// A tensor in bytes, the factors of its rows, and the file that they are in.
    Int8 { bytes: TensorInfo, scale: TensorInfo, source: Arc<dyn RandomAccess> },
    /// A tensor, and the file that it is in.
    Torch(StridedTensor, Arc<dyn RandomAccess>),
}

impl WeightFile {
    /// Opens a `.safetensors`, `.pt`, `.pth`, `.ckpt` or `.bin` file; the format is detected from its content. In a checkpoint
    /// with several containers, the common one is chosen, see [`container`](Self::container). An index
    /// (`model.safetensors.index.json`, `pytorch_model.bin.index.json`) opens all the files that it lists.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, or has no tensors.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        if sharded::is_index(path) { Self::sharded(path) } else { Self::single(path) }
    }

    fn single(path: &Path) -> Result<Self, WeightsError> {
        let source = PositionedFile::open(path)?;
        // A safetensors file starts with the header's length (8 bytes) and its JSON.
        let head = source.bytes(0, source.length().min(9))?;
        let is_safetensors = head.len() == 9 && head[8] == b'{';
        if is_safetensors {
            Self::safetensors(path.to_owned(), Arc::new(source))
        } else {
            Self::torch(path.to_owned(), Arc::new(source))
        }
    }

    /// Opens a safetensors file in memory.
    ///
    /// # Errors
    /// If the bytes are not a safetensors file.
    pub fn from_static(name: &str, bytes: &'static [u8]) -> Result<Self, WeightsError> {
        Self::safetensors(PathBuf::from(name), Arc::new(bytes))
    }

    fn safetensors(path: PathBuf, source: Arc<dyn RandomAccess>) -> Result<Self, WeightsError> {
        let (tensors, metadata) = header::read(&*source).map_err(|message| WeightsError::Format {
            path: path.clone(),
            format: "safetensors",
            message,
        })?;
        let entries = entries_of(tensors, &source);
        let bytes = source.length();
        Ok(Self { path, source, entries, metadata, torch: None, container: None, bytes })
    }

    /// Opens the files of an index as one.
    fn sharded(path: &Path) -> Result<Self, WeightsError> {
        let mut whole: Option<Self> = None;
        for (name, listed) in sharded::read_index(path)? {
            let at = path.with_file_name(name);
            // An index that lists an index, such as itself, would never end.
            let shard = if sharded::lists_safetensors(path) {
                Self::safetensors(at.clone(), Arc::new(PositionedFile::open(&at)?))?
            } else {
                Self::single(&at)?
            };
            // A tensor in another file than the index says would be used or missed by chance.
            let found: BTreeSet<&String> = shard.entries.keys().collect();
            if let Some(odd) = listed.iter().collect::<BTreeSet<_>>().symmetric_difference(&found).next() {
                let has = if listed.contains(*odd) { "does not have" } else { "has" };
                let index = path.file_name().unwrap_or_default().to_string_lossy();
                let message = format!("it {has} tensor {odd:?}, unlike what {index} says");
                let format = shard.format();
                return Err(WeightsError::Format { path: shard.path, format, message });
            }
            match &mut whole {
                Some(whole) => {
                    whole.bytes += shard.bytes;
                    whole.entries.extend(shard.entries);
                }
                None => whole = Some(Self { path: path.to_owned(), ..shard }),
            }
        }
        whole.ok_or_else(|| WeightsError::Missing { path: path.to_owned(), name: "*".to_owned() })
    }

    fn torch(path: PathBuf, source: Arc<dyn RandomAccess>) -> Result<Self, WeightsError> {
        let invalid =
            |message: String| WeightsError::Format { path: path.clone(), format: "PyTorch", message };
        let torch = Arc::new(TorchCheckpoint::open(&*source).map_err(invalid)?);
        let whole = Self {
            entries: BTreeMap::new(),
            metadata: BTreeMap::new(),
            torch: Some(torch.clone()),
            bytes: source.length(),
            source,
            path: path.clone(),
            container: None,
        };
        // Training checkpoints wrap the weights; a bare state dict has none of these keys.
        for name in STATE_DICT_KEYS {
            if let Some(at) = torch.pickle.get(torch.pickle.root, name) {
                let inside = whole.subtree(at, Some(name))?;
                if !inside.entries.is_empty() {
                    return Ok(inside);
                }
            }
        }
        let all = whole.subtree(torch.pickle.root, None)?;
        if all.entries.is_empty() { Err(invalid("it contains no tensors".to_owned())) } else { Ok(all) }
    }

    /// The same file seen from a value of its pickle.
    fn subtree(&self, at: Ref, container: Option<&str>) -> Result<Self, WeightsError> {
        let invalid =
            |message: String| WeightsError::Format { path: self.path.clone(), format: "PyTorch", message };
        let torch = self.torch.clone().ok_or_else(|| invalid("it has no containers".to_owned()))?;
        let tensors = torch.tensors(at).map_err(invalid)?;
        // Overlapping views could describe far more values than the file has bytes.
        let most = storage_limit(&*self.source);
        let mut described = 0_u64;
        for (name, tensor) in &tensors {
            // An overflowing size counts as too large.
            let bytes = byte_length(tensor.dtype, &tensor.shape).unwrap_or(u64::MAX);
            described = described.saturating_add(bytes);
            if described > most {
                let length = self.source.length();
                let message = format!(
                    "tensor {name:?} of shape {:?} is more than a file of {length} bytes can hold",
                    tensor.shape
                );
                return Err(invalid(message));
            }
        }
        let source = &self.source;
        let entry = |(name, tensor)| (name, TensorEntry::Torch(tensor, source.clone()));
        let entries = tensors.into_iter().map(entry).collect();
        Ok(Self { entries, container: container.map(str::to_owned), torch: Some(torch), ..self.clone() })
    }

    /// Top-level entries of a checkpoint that contain tensors, in the file's order, such as `base_model` and
    /// `visual_clip_model`. A file that is one state dict has none.
    pub fn containers(&self) -> Vec<&str> {
        let Some(torch) = &self.torch else { return Vec::new() };
        let items = torch.pickle.items(torch.pickle.root).unwrap_or_default();
        let holds_tensors = |at: Ref| {
            // A tensor at the top level belongs to a bare state dict.
            let is_tensor = torch.tensor(at).ok().flatten().is_some();
            let subtree = || torch.tensors(at).unwrap_or_default();
            !is_tensor && subtree().values().any(|tensor| !tensor.shape.is_empty())
        };
        let holding = items.iter().filter(|(_, value)| holds_tensors(*value));
        holding.filter_map(|(key, _)| torch.pickle.text(*key)).collect()
    }

    /// The tensors of one container, named as they are inside it.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] if there is no such container.
    pub fn container(&self, name: &str) -> Result<Self, WeightsError> {
        let at = self.torch.as_ref().and_then(|torch| torch.pickle.get(torch.pickle.root, name));
        let missing = || WeightsError::Missing { path: self.path.clone(), name: name.to_owned() };
        self.subtree(at.ok_or_else(missing)?, Some(name))
    }

    /// Name of this container, if the file has containers.
    pub fn container_name(&self) -> Option<&str> {
        self.container.as_deref()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's name without its extension, or without `.safetensors.index.json`.
    pub fn stem(&self) -> Option<String> {
        let name = self.path.file_name()?.to_string_lossy();
        let name = name.strip_suffix(sharded::INDEX_SUFFIX).unwrap_or(&name);
        Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned())
    }

    /// Size of the file in bytes; of all files of an index.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// `safetensors` or `PyTorch`.
    pub fn format(&self) -> &'static str {
        if self.torch.is_some() { "PyTorch" } else { "safetensors" }
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether the file has a tensor of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// A metadata entry of a safetensors header.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.metadata.get(key).map(String::as_str)
    }

    /// A value of a Lightning checkpoint's `hyper_parameters`, by path.
    pub fn hyper_parameter(&self, path: &[&str]) -> Option<Value> {
        self.value(&[&["hyper_parameters"], path].concat())
    }

    /// A value of a checkpoint that is not a weight, by path through dictionaries and attributes, such as
    /// `["metrics", "acc"]`. A tensor of one element is returned as a number.
    pub fn value(&self, path: &[&str]) -> Option<Value> {
        let torch = self.torch.as_ref()?;
        let at = path.iter().try_fold(torch.pickle.root, |at, key| torch.pickle.get(at, key))?;
        Some(self.value_at(torch, at))
    }

    fn value_at(&self, torch: &TorchCheckpoint, at: Ref) -> Value {
        match torch.tensor(at).ok().flatten() {
            Some(tensor) if tensor.shape.iter().product::<usize>() == 1 => {
                let number = self
                    .floats(&TensorEntry::Torch(tensor, self.source.clone()))
                    .ok()
                    .flatten()
                    .and_then(|values| values.first().copied());
                number.map_or_else(
                    || Value::Other("tensor".to_owned()),
                    |number| Value::Float(f64::from(number)),
                )
            }
            Some(tensor) => Value::Other(format!("tensor {:?}", tensor.shape)),
            None => value::value(&torch.pickle, at),
        }
    }

    /// Single values at the top level of a checkpoint or one level below, with their paths, in the file's order.
    pub fn values(&self) -> Vec<(String, Value)> {
        let Some(torch) = &self.torch else { return Vec::new() };
        let pickle = &torch.pickle;
        let mut found = Vec::new();
        let mut add = |path: String, at: Ref| match self.value_at(torch, at) {
            Value::Other(_) => {}
            value => found.push((path, value)),
        };
        for (key, value) in pickle.items(pickle.root).unwrap_or_default() {
            // Weights are not values of interest, and there are thousands of them.
            let Some(key) = pickle.text(*key).filter(|key| !STATE_DICT_KEYS.contains(key)) else { continue };
            add(key.to_owned(), *value);
            for (inner, value) in
                pickle.items(*value).or_else(|| pickle.attributes(*value)).unwrap_or_default()
            {
                if let Some(inner) = pickle.text(*inner) {
                    add(format!("{key}.{inner}"), *value);
                }
            }
        }
        found
    }

    /// Shape of a tensor.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] if there is no such tensor.
    pub fn shape(&self, name: &str) -> Result<&[usize], WeightsError> {
        Ok(self.entry(name)?.shape())
    }

    /// Data type of a tensor, such as `f32`.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] if there is no such tensor.
    pub fn dtype(&self, name: &str) -> Result<String, WeightsError> {
        Ok(format!("{:?}", self.entry(name)?.dtype()).to_ascii_lowercase())
    }

    /// Number of elements of all tensors under a prefix.
    pub fn n_elements(&self, prefix: &str) -> usize {
        // Names are sorted: those with a common prefix are adjacent.
        let named = self.entries.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        named.map(|(_, entry)| entry.shape().iter().product::<usize>()).sum()
    }

    /// Values of a tensor as f32, row-major.
    ///
    /// # Errors
    /// [`WeightsError::Missing`] if there is no such tensor, [`WeightsError::Dtype`] if it has no floating-point
    /// numbers, or if the file is damaged.
    pub fn read(&self, name: &str) -> Result<Vec<f32>, WeightsError> {
        let entry = self.entry(name)?;
        let failed = |what: String| WeightsError::Format {
            path: self.path.clone(),
            format: self.format(),
            message: format!("tensor {name:?}: {what}"),
        };
        let wrong_type = || WeightsError::Dtype {
            path: self.path.clone(),
            name: name.to_owned(),
            found: format!("{:?}", entry.dtype()),
        };
        self.floats(entry).map_err(failed)?.ok_or_else(wrong_type)
    }

    /// Values as f32; `None` if they are not floating-point numbers.
    fn floats(&self, entry: &TensorEntry) -> Result<Option<Vec<f32>>, String> {
        let is_int8 = matches!(entry, TensorEntry::Int8 { .. });
        if !is_int8 && !matches!(entry.dtype(), Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16) {
            return Ok(None);
        }
        let count = entry.shape().iter().product::<usize>();
        if count == 0 {
            return Ok(Some(Vec::new()));
        }
        match entry {
            TensorEntry::Safetensors(plain, source) => {
                contiguous(&**source, (plain.dtype, plain.start), count, None)
            }
            TensorEntry::Int8 { bytes, scale, source } => {
                let rows = scale.shape.iter().product();
                let scales = contiguous(&**source, (scale.dtype, scale.start), rows, None)?;
                let packed = source.bytes(bytes.start, count as u64).map_err(|error| error.to_string())?;
                Ok(int8::dequantize(&packed, &scales))
            }
            TensorEntry::Torch(tensor, source) => strided(tensor, &**source, storage_limit(&**source)),
        }
        .map(Some)
    }

    fn entry(&self, name: &str) -> Result<&TensorEntry, WeightsError> {
        (self.entries.get(name))
            .ok_or_else(|| WeightsError::Missing { path: self.path.clone(), name: name.to_owned() })
    }
}

impl TensorEntry {
    fn shape(&self) -> &[usize] {
        match self {
            Self::Safetensors(plain, _) | Self::Int8 { bytes: plain, .. } => &plain.shape,
            Self::Torch(tensor, _) => &tensor.shape,
        }
    }

    fn dtype(&self) -> Dtype {
        match self {
            Self::Safetensors(plain, _) | Self::Int8 { bytes: plain, .. } => plain.dtype,
            Self::Torch(tensor, _) => tensor.dtype,
        }
    }
}

/// The tensors of a safetensors file, those in bytes joined with their factors.
fn entries_of(
    mut tensors: BTreeMap<String, TensorInfo>,
    source: &Arc<dyn RandomAccess>,
) -> BTreeMap<String, TensorEntry> {
    let mut entries = BTreeMap::new();
    for name in int8::names(&tensors) {
        if let (Some(bytes), Some(scale)) = (tensors.remove(&name), tensors.remove(&int8::scale_name(&name)))
        {
            entries.insert(name, TensorEntry::Int8 { bytes, scale, source: source.clone() });
        }
    }
    let plain = |(name, tensor)| (name, TensorEntry::Safetensors(tensor, source.clone()));
    entries.extend(tensors.into_iter().map(plain));
    entries
}
