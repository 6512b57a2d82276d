//! Files written by `torch.save`: a pickle that describes tensors, and storages that hold their values.
//!
//! Two containers are read: the zip archive of PyTorch 1.6 and later (TorchScript archives too) and the bare
//! sequence of pickles before it. Every claim of the pickle is compared with the storages when the file is opened.

use std::collections::BTreeMap;

use lexiform_formats::RandomAccess;
use lexiform_formats::pickle::{Node, Pickle, Ref};
use lexiform_formats::zip::{self, Entry};
use safetensors::tensor::Dtype;

/// Longest pickle: bigG's with its optimizer states takes 1 MB.
const MAX_PICKLE_BYTES: u64 = 32 << 20;
/// Most values of a pickle: some ten times what the largest checkpoints with optimizer states have.
const MOST_NODES: usize = 4 << 20;
/// Deepest nesting of dictionaries and modules that is followed.
const MAX_DEPTH: usize = 64;
/// Most values that are visited: more than any file has, fewer than an expanded pickle with shared values may have.
const MAX_VISITS: usize = 4 << 20;
const MAX_TENSORS: usize = 200_000;
/// Longest name of a tensor in bytes.
const MAX_NAME_LENGTH: usize = 1024;
const MAX_RANK: usize = 16;
/// 0x1950a86a20f9469cfc6c, which opens files of PyTorch before 1.6.
const LEGACY_MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const LEGACY_VERSION: i64 = 1001;
/// Attributes of a pickled module that hold its parameters and submodules.
const MODULE_TABLES: [&str; 3] = ["_parameters", "_buffers", "_modules"];

/// The description part of a file.
#[derive(Debug)]
pub(super) struct TorchCheckpoint {
    pub pickle: Pickle,
    storages: BTreeMap<String, Storage>,
    /// Bytes of all storages' elements are these wide where the tensors do not say.
    declared: BTreeMap<String, Dtype>,
}

/// Location of the values of a storage.
#[derive(Clone, Copy, Debug)]
pub(super) enum Storage {
    Zip(Entry),
    Raw { start: u64, size: u64 },
}

/// A view of a storage.
#[derive(Clone, Debug)]
pub(super) struct StridedTensor {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Elements from one index to the next, for each axis.
    pub strides: Vec<usize>,
    /// Index of the first element in the storage.
    pub storage_offset: usize,
    pub storage: Storage,
}

impl Storage {
    fn size(&self) -> u64 {
        match self {
            Self::Zip(entry) => entry.size,
            Self::Raw { size, .. } => *size,
        }
    }
}

impl TorchCheckpoint {
    /// Reads the description.
    ///
    /// # Errors
    /// Describes what is wrong with the file.
    pub fn open(source: &dyn RandomAccess) -> Result<Self, String> {
        let head = source.bytes(0, source.length().min(4)).map_err(|e| e.to_string())?;
        if head.starts_with(b"PK") { Self::open_zip(source) } else { Self::open_legacy(source) }
    }

    fn open_zip(source: &dyn RandomAccess) -> Result<Self, String> {
        // Of entries with the same name, the last counts.
        let entries: BTreeMap<String, Entry> = zip::entries(source)?.into_iter().collect();
        // The folder is named after the saved file; nested archives have longer names.
        let roots = entries.keys().filter_map(|name| name.strip_suffix("data.pkl"));
        let root = roots.filter(|root| root.is_empty() || root.ends_with('/')).min_by_key(|root| root.len());
        let root =
            root.ok_or("no data.pkl in the archive: expected a file that torch.save wrote")?.to_owned();
        let read = |name: &str, most: u64| {
            let entry = entries.get(&format!("{root}{name}"))?;
            Some(entry.read(source, most).map_err(|what| format!("{root}{name}: {what}")))
        };
        if let Some(order) = read("byteorder", 64).transpose()?
            && order.trim_ascii() != b"little"
        {
            return Err("it was written on a big-endian machine".to_owned());
        }
        let pickle = read("data.pkl", MAX_PICKLE_BYTES).ok_or("no data.pkl in the archive")??;
        let pickle = Pickle::read(&pickle, MOST_NODES)?;
        let prefix = format!("{root}data/");
        let storages = entries
            .iter()
            .filter_map(|(name, entry)| Some((name.strip_prefix(&prefix)?.to_owned(), Storage::Zip(*entry))));
        Ok(Self { storages: storages.collect(), declared: BTreeMap::new(), pickle })
    }

    fn open_legacy(source: &dyn RandomAccess) -> Result<Self, String> {
        let unknown = "expected a zip archive or the pickles of torch.save, found neither";
        let head = source.bytes(0, source.length().min(64)).map_err(|e| e.to_string())?;
        if !head.windows(LEGACY_MAGIC.len()).any(|window| window == LEGACY_MAGIC) {
            return Err(unknown.to_owned());
        }
        let head = source.bytes(0, source.length().min(MAX_PICKLE_BYTES)).map_err(|e| e.to_string())?;
        let mut at = 0;
        // Several pickles follow each other; each tells where it ends.
        let mut next = || {
            let pickle = Pickle::read(&head[at..], MOST_NODES)?;
            at += pickle.length;
            Ok::<_, String>(pickle)
        };
        let (_magic, version, system) = (next()?, next()?, next()?);
        if *version.node(version.root) != Node::Int(LEGACY_VERSION) {
            return Err(format!("expected version {LEGACY_VERSION} of the old format"));
        }
        let little = system.get(system.root, "little_endian").map(|at| system.node(at).clone());
        if little != Some(Node::Bool(true)) {
            return Err("expected a file written on a little-endian machine".to_owned());
        }
        // The objects, then the keys of the storages, then their data in that order.
        let (pickle, keys) = (next()?, next()?);
        let mut torch = Self { declared: declared(&pickle), pickle, storages: BTreeMap::new() };
        torch.place_storages(source, &keys, at as u64)?;
        Ok(torch)
    }

    /// Storages follow each other, each behind its number of elements.
    fn place_storages(
        &mut self,
        source: &dyn RandomAccess,
        keys: &Pickle,
        mut at: u64,
    ) -> Result<(), String> {
        for key in keys.list(keys.root).ok_or("the list of storages is missing")? {
            let key = keys.text(*key).ok_or("a storage without a name")?;
            let Some(dtype) = self.declared.get(key) else {
                return Err(format!("storage {key} has no type"));
            };
            let count = source.bytes(at, 8).map_err(|e| format!("storage {key}: {e}"))?;
            let count = u64::from_le_bytes(count.try_into().map_err(|_| "a storage without a length")?);
            let size = count.checked_mul(dtype.bitsize() as u64 / 8);
            let end = size.and_then(|size| (at + 8).checked_add(size)).filter(|end| *end <= source.length());
            let (size, end) = size.zip(end).ok_or_else(|| {
                format!(
                    "storage {key} announces {count} elements, the file has {} bytes left",
                    source.length() - at
                )
            })?;
            self.storages.insert(key.to_owned(), Storage::Raw { start: at + 8, size });
            at = end;
        }
        Ok(())
    }

    /// All tensors below a value, by their path through dictionaries and modules.
    ///
    /// # Errors
    /// Describes the tensor that is invalid, or the limit that is exceeded.
    pub fn tensors(&self, below: Ref) -> Result<BTreeMap<String, StridedTensor>, String> {
        let mut walk = TensorCollector { torch: self, found: BTreeMap::new(), visits: 0 };
        walk.visit(below, &mut String::new(), 0)?;
        Ok(walk.found)
    }

    /// The tensor a value describes, if it is one.
    ///
    /// # Errors
    /// Describes what is wrong with the tensor.
    pub fn tensor(&self, at: Ref) -> Result<Option<StridedTensor>, String> {
        let mut at = at;
        // Parameters and subclasses wrap tensors, a few levels at most.
        for _ in 0..4 {
            let Node::Call(call) = self.pickle.node(at) else { return Ok(None) };
            let name = self.pickle.global(call.callable).unwrap_or_default();
            let arguments = self.pickle.list(call.arguments).unwrap_or_default();
            match (name.rsplit('.').next().unwrap_or_default(), arguments) {
                ("_rebuild_parameter" | "_rebuild_parameter_with_state", [inner, ..]) => at = *inner,
                ("_rebuild_from_type_v2", [_, _, inner, ..]) => {
                    let inner = self.pickle.list(*inner).unwrap_or_default();
                    return self.view(inner, None).map(Some);
                }
                ("_rebuild_tensor" | "_rebuild_tensor_v2", parts) => return self.view(parts, None).map(Some),
                ("_rebuild_tensor_v3", parts @ [_, _, _, _, _, _, dtype, ..]) => {
                    let name = self.pickle.global(*dtype).unwrap_or_default();
                    let dtype = scalar_type(name).ok_or_else(|| format!("unsupported data type {name}"))?;
                    return self.view(parts, Some(dtype)).map(Some);
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// `(storage, first, shape, strides, …)`.
    fn view(&self, parts: &[Ref], dtype: Option<Dtype>) -> Result<StridedTensor, String> {
        let [storage, first, shape, strides, ..] = parts else {
            return Err(
                "its description is incomplete: expected storage, offset, shape and strides".to_owned()
            );
        };
        let Node::Persistent(id) = self.pickle.node(*storage) else {
            return Err("it has no storage".to_owned());
        };
        let (key, declared) = storage_id(&self.pickle, *id)?;
        let storage =
            *self.storages.get(key).ok_or_else(|| format!("its storage {key} is not in the file"))?;
        let dtype = dtype.or(declared).ok_or_else(|| format!("unsupported data type of storage {key}"))?;
        let (shape, strides) = (self.sizes(*shape)?, self.sizes(*strides)?);
        let first = self.size(*first)?;
        if shape.len() != strides.len() || shape.len() > MAX_RANK {
            return Err(format!("shape {shape:?} and strides {strides:?} do not fit each other"));
        }
        // Index of the last element; overflow means the file is malicious.
        let last = shape.iter().zip(&strides).try_fold(first, |last, (size, stride)| {
            last.checked_add(size.saturating_sub(1).checked_mul(*stride)?)
        });
        let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        let width = dtype.bitsize() as u64 / 8;
        let fits = match (last, count) {
            // An empty tensor refers to no element, wherever it starts.
            (Some(_), Some(0)) => true,
            (Some(last), Some(_)) => {
                (last as u64 + 1).checked_mul(width).is_some_and(|end| end <= storage.size())
            }
            _ => false,
        };
        if !fits {
            let held = storage.size() / width;
            return Err(format!(
                "shape {shape:?} with strides {strides:?} from element {first} does not fit into {held} elements"
            ));
        }
        Ok(StridedTensor { dtype, shape, strides, storage_offset: first, storage })
    }

    fn sizes(&self, at: Ref) -> Result<Vec<usize>, String> {
        let items = self.pickle.list(at).ok_or("invalid shape: expected a tuple")?;
        if items.len() > MAX_RANK {
            return Err(format!("{} axes, expected at most {MAX_RANK}", items.len()));
        }
        items.iter().map(|item| self.size(*item)).collect()
    }

    fn size(&self, at: Ref) -> Result<usize, String> {
        match self.pickle.node(at) {
            Node::Int(size) => usize::try_from(*size).map_err(|_| format!("invalid size {size}")),
            other => Err(format!("invalid size: expected an integer, found {other:?}")),
        }
    }
}

/// Collects tensors.
struct TensorCollector<'a> {
    torch: &'a TorchCheckpoint,
    found: BTreeMap<String, StridedTensor>,
    visits: usize,
}

impl TensorCollector<'_> {
    fn visit(&mut self, at: Ref, path: &mut String, depth: usize) -> Result<(), String> {
        self.visits += 1;
        // A pickle may share or nest values so that walking it takes forever.
        if self.visits > MAX_VISITS || depth > MAX_DEPTH {
            return Err(format!("more than {MAX_VISITS} values or {MAX_DEPTH} levels, at {path:?}"));
        }
        let pickle = &self.torch.pickle;
        if let Some(tensor) = self.torch.tensor(at).map_err(|what| format!("tensor {path:?}: {what}"))? {
            if path.len() <= MAX_NAME_LENGTH {
                self.found.insert(path.clone(), tensor);
            }
            let is_enough = self.found.len() > MAX_TENSORS;
            return if is_enough { Err(format!("more than {MAX_TENSORS} tensors")) } else { Ok(()) };
        }
        if let Some(items) = pickle.items(at) {
            return items.iter().try_for_each(|(key, value)| self.child(*key, *value, path, depth));
        }
        if let Some(attributes) = pickle.attributes(at) {
            let is_table = |key: Ref| pickle.text(key).is_some_and(|key| MODULE_TABLES.contains(&key));
            // A pickled `nn.Module` keeps its tensors in three tables; other attributes are settings.
            let is_module = attributes.iter().any(|(key, _)| is_table(*key));
            return attributes.iter().try_for_each(|(key, value)| {
                if !is_module {
                    self.child(*key, *value, path, depth)
                } else if is_table(*key) {
                    // The table's own name is not part of a tensor's name.
                    self.visit(*value, path, depth + 1)
                } else {
                    Ok(())
                }
            });
        }
        let list = pickle.list(at).unwrap_or_default();
        list.iter().enumerate().try_for_each(|(i, item)| self.named(&i.to_string(), *item, path, depth))
    }

    fn child(&mut self, key: Ref, value: Ref, path: &mut String, depth: usize) -> Result<(), String> {
        match (self.torch.pickle.text(key), self.torch.pickle.node(key)) {
            (Some(key), _) => self.named(key, value, path, depth),
            (None, Node::Int(key)) => self.named(&key.to_string(), value, path, depth),
            _ => Ok(()),
        }
    }

    fn named(&mut self, key: &str, value: Ref, path: &mut String, depth: usize) -> Result<(), String> {
        let length = path.len();
        // Beyond the longest name nothing is kept anyway.
        if length <= MAX_NAME_LENGTH && key.len() <= MAX_NAME_LENGTH {
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(key);
            self.visit(value, path, depth + 1)?;
            path.truncate(length);
        }
        Ok(())
    }
}

/// Element types of all storages that a pickle mentions.
fn declared(pickle: &Pickle) -> BTreeMap<String, Dtype> {
    let ids =
        pickle.nodes().filter_map(|node| if let Node::Persistent(id) = node { Some(*id) } else { None });
    let known = ids.filter_map(|id| {
        let (key, dtype) = storage_id(pickle, id).ok()?;
        Some((key.to_owned(), dtype?))
    });
    known.collect()
}

/// `("storage", type, key, device, elements, …)` → key and element type; bytes without a type have none. The device
/// is of no interest: everything is read into memory.
fn storage_id(pickle: &Pickle, id: Ref) -> Result<(&str, Option<Dtype>), String> {
    let [_, kind, key, ..] = pickle.list(id).unwrap_or_default() else {
        return Err("invalid storage: expected a tuple of type, key and device".to_owned());
    };
    let key = pickle.text(*key).ok_or("a storage without a name")?;
    let kind = pickle.global(*kind).unwrap_or_default();
    Ok((key, storage_type(kind.rsplit('.').next().unwrap_or_default())))
}

fn storage_type(name: &str) -> Option<Dtype> {
    Some(match name {
        "DoubleStorage" => Dtype::F64,
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        "LongStorage" => Dtype::I64,
        "IntStorage" => Dtype::I32,
        "ShortStorage" => Dtype::I16,
        "CharStorage" => Dtype::I8,
        "ByteStorage" => Dtype::U8,
        "BoolStorage" => Dtype::BOOL,
        _ => return None,
    })
}

fn scalar_type(name: &str) -> Option<Dtype> {
    Some(match name.strip_prefix("torch.")? {
        "float64" => Dtype::F64,
        "float32" => Dtype::F32,
        "float16" => Dtype::F16,
        "bfloat16" => Dtype::BF16,
        "int64" => Dtype::I64,
        "int32" => Dtype::I32,
        "int16" => Dtype::I16,
        "int8" => Dtype::I8,
        "uint64" => Dtype::U64,
        "uint32" => Dtype::U32,
        "uint16" => Dtype::U16,
        "uint8" => Dtype::U8,
        "bool" => Dtype::BOOL,
        _ => return None,
    })
}
