//! Pickles of NumPy arrays and plain Python values, as a tree.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use super::node::Source;
use super::numpy::{self, ArrayContent, Evaluated};
use super::{Node, Pickle, Ref};
use crate::array::Array;
use crate::npy::{self, Npy, read_npy};

/// Most values of a pickle.
const MAX_NODES: usize = 1 << 26;
/// Bytes that calls may create for each byte of the file, and for any file. Calls can repeat content that is in the file once, but
/// valid files do not do so often.
const MAX_EXPANSION: usize = 8;
const ALWAYS_ALLOWED_BYTES: usize = 1 << 20;

/// A pickle whose NumPy calls are evaluated when their values are asked for.
///
/// ```
/// use lexiform_formats::array::Array;
/// use lexiform_formats::pickle::{DictWriter, NumpyPickle};
///
/// let mut dict = DictWriter::new();
/// dict.text("id", "chair");
/// dict.array("xyz", &Array::from_f32(&[1, 3], &[1.0, 2.0, 3.0]));
/// let pickle = NumpyPickle::read_npy(&dict.to_npy())?;
/// let xyz = pickle.root().get("xyz").and_then(|value| value.array());
/// assert_eq!(xyz.map(|array| array.to_f32_vec()), Some(vec![1.0, 2.0, 3.0]));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug)]
pub struct NumpyPickle {
    pickle: Pickle,
    /// The only value, if the file is an array of numbers.
    numbers: Option<Array>,
}

impl NumpyPickle {
    /// Reads a pickle of any protocol up to 5.
    ///
    /// # Errors
    /// If it is malformed or too large, or an array does not have as many bytes as its shape requires.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        Self::checked(Pickle::read(bytes, MAX_NODES)?)
    }

    /// Opens a pickle, or a `.npy` file. The file is mapped into memory: its arrays are read when they are asked for, and it may
    /// be larger than memory. It must not be changed meanwhile.
    ///
    /// # Errors
    /// As [`read_npy`](Self::read_npy), or if the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file: File = fs_err::File::open(path).map_err(|error| error.to_string())?.into_file();
        // SAFETY: the file is only read. If another process truncates it, reading fails with a signal, as documented above.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|error| error.to_string())?;
        let start = match npy::Header::parse(&map) {
            Ok(header) if header.is_pickled() => header.data_start,
            Ok(_) => return Self::read_npy(&map),
            Err(npy::HeaderError::Magic) => 0,
            Err(error) => return Err(error.to_string()),
        };
        Self::checked(Pickle::read_from(Source(Arc::new(map)), start, MAX_NODES)?)
    }

    /// Evaluates every call once, so that errors show at once and values need no error later.
    fn checked(pickle: Pickle) -> Result<Self, String> {
        let limit = pickle.length.saturating_mul(MAX_EXPANSION).saturating_add(ALWAYS_ALLOWED_BYTES);
        let mut total = 0;
        for (at, node) in (0..).zip(pickle.nodes()) {
            let Node::Call(call) = node else { continue };
            let value = numpy::evaluate(&pickle, at, call).map_err(|what| format!("pickle: {what}"))?;
            total += value.as_ref().map_or(0, Evaluated::created);
            if total > limit {
                return Err(format!("pickle: its calls would create more than {limit} bytes"));
            }
        }
        Ok(Self { pickle, numbers: None })
    }

    /// Reads a `.npy` file of Python objects, or of numbers.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`read_npy`].
    pub fn read_npy(bytes: &[u8]) -> Result<Self, String> {
        match read_npy(bytes)? {
            Npy::Pickled(_, pickle) => {
                Self::checked(Pickle::read_from(Source(Arc::new(pickle)), 0, MAX_NODES)?)
            }
            // The pickle is only a placeholder.
            Npy::Array(array) => Ok(Self { pickle: Pickle::read(b"N.", 1)?, numbers: Some(array) }),
        }
    }

    /// The outermost value. An array of one object is that object.
    pub fn root(&self) -> PickleValue<'_> {
        let item = PickleValue { pickle: self, at: self.pickle.root };
        match item.evaluated() {
            Some(Evaluated::Objects(list)) => match self.pickle.list(list) {
                Some([only]) => item.other(*only),
                _ => item,
            },
            _ => item,
        }
    }

    /// The value at a node.
    pub fn value(&self, at: Ref) -> PickleValue<'_> {
        PickleValue { pickle: self, at }
    }

    /// Nodes of the outermost dictionary's values by key, for [`value`](Self::value). To find an entry in a large dictionary
    /// otherwise takes a scan of it.
    pub fn index(&self) -> HashMap<String, Ref> {
        self.root().entries().map(|(key, value)| (key, value.at)).collect()
    }
}

/// A value inside a pickle.
#[derive(Clone, Copy, Debug)]
pub struct PickleValue<'p> {
    pickle: &'p NumpyPickle,
    at: Ref,
}

impl<'p> PickleValue<'p> {
    fn node(self) -> &'p Node {
        self.pickle.pickle.node(self.at)
    }

    fn other(self, at: Ref) -> Self {
        Self { at, ..self }
    }

    fn pairs(self) -> &'p [(Ref, Ref)] {
        self.pickle.pickle.items(self.at).unwrap_or_default()
    }

    /// The value of a call of NumPy's.
    fn evaluated(self) -> Option<Evaluated<'p>> {
        if let Some(Array { dtype, shape, data }) = &self.pickle.numbers {
            let (shape, data) = (shape.clone(), data.as_slice().into());
            return Some(Evaluated::Array(ArrayContent { dtype: *dtype, shape, data }));
        }
        let Node::Call(call) = self.node() else { return None };
        // Checked when the pickle was read.
        numpy::evaluate(&self.pickle.pickle, self.at, call).ok().flatten()
    }

    fn list(self) -> &'p [Ref] {
        let at = match self.evaluated() {
            Some(Evaluated::Objects(list)) => list,
            _ => self.at,
        };
        self.pickle.pickle.list(at).unwrap_or_default()
    }

    /// The value at a key of a dictionary.
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Keys and values of a dictionary; keys that are not strings are formatted.
    pub fn entries(self) -> impl Iterator<Item = (String, Self)> {
        let entries = self.pairs().iter();
        entries.map(move |(key, value)| (self.other(*key).text().unwrap_or_default(), self.other(*value)))
    }

    /// Items of a list, a tuple or an array of objects.
    pub fn items(self) -> impl Iterator<Item = Self> {
        self.list().iter().map(move |at| self.other(*at))
    }

    /// Number of items or entries.
    pub fn len(self) -> usize {
        self.list().len().max(self.pairs().len())
    }

    /// Whether it has no items and no entries.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The string, or a number formatted; `None` for other values.
    pub fn text(self) -> Option<String> {
        match self.evaluated() {
            Some(Evaluated::Bytes(bytes)) => return Some(String::from_utf8_lossy(&bytes).into_owned()),
            Some(Evaluated::Array(array)) if array.shape.is_empty() => {
                return array.into_array().to_strings().pop();
            }
            _ => {}
        }
        match self.node() {
            Node::Text(text) => Some(text.to_string()),
            Node::Bytes(_) | Node::Str(_) => {
                Some(String::from_utf8_lossy(self.pickle.pickle.bytes(self.at)?).into_owned())
            }
            Node::Int(n) => Some(n.to_string()),
            Node::Float(n) => Some(n.to_string()),
            _ => None,
        }
    }

    /// Strings of a list or of an array of strings; a single string is one.
    pub fn texts(self) -> Vec<String> {
        match (self.evaluated(), self.node()) {
            (Some(Evaluated::Array(array)), _) => array.into_array().to_strings(),
            (Some(Evaluated::Objects(_)), _) | (None, Node::List(_)) => {
                self.items().filter_map(Self::text).collect()
            }
            _ => self.text().into_iter().collect(),
        }
    }

    /// The number.
    pub fn number(self) -> Option<f64> {
        match self.node() {
            Node::Int(n) => Some(*n as f64),
            Node::Float(n) => Some(*n),
            Node::Bool(b) => Some(f64::from(u8::from(*b))),
            _ => self.array()?.to_f32_vec().first().map(|n| f64::from(*n)),
        }
    }

    /// The array, copied from the file.
    pub fn array(self) -> Option<Array> {
        match self.evaluated() {
            Some(Evaluated::Array(array)) => Some(array.into_array()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::DictWriter;
    use super::*;

    #[test]
    fn a_dictionary_is_read_as_it_was_written() {
        let array = Array::from_f32(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut dict = DictWriter::new();
        dict.text("id", "ü1");
        dict.array("xyz", &array);
        dict.texts("text", &["a", "b"]);
        let pickle = NumpyPickle::read_npy(&dict.to_npy()).unwrap();
        let root = pickle.root();
        assert_eq!(root.get("id").unwrap().text().as_deref(), Some("ü1"));
        assert_eq!(root.get("xyz").unwrap().array().as_ref(), Some(&array));
        assert_eq!(root.get("text").unwrap().texts(), ["a", "b"]);
        assert!(root.get("rgb").is_none());
        let pickle = NumpyPickle::read_npy(&array.to_npy()).unwrap();
        assert_eq!((pickle.root().array(), pickle.root().number()), (Some(array), Some(1.0)));
    }

    #[test]
    fn a_mapped_file_equals_its_bytes() {
        let mut shapes = DictWriter::new();
        let arrays: Vec<Array> = (0..3).map(|i| Array::from_f32(&[1, 2], &[i as f32, 0.5])).collect();
        arrays.iter().enumerate().for_each(|(i, array)| shapes.array(&format!("shape{i}"), array));
        let path = std::env::temp_dir().join(format!("lexiform-pickle-{}.npy", std::process::id()));
        // With the header of NumPy and without, and numbers without a pickle.
        let npy = shapes.to_npy();
        let start = npy::Header::parse(&npy).unwrap().data_start;
        for bytes in [&npy[..], &npy[start..]] {
            std::fs::write(&path, bytes).unwrap();
            let pickle = NumpyPickle::open(&path).unwrap();
            let index = pickle.index();
            assert_eq!(index.len(), 3);
            for (i, array) in arrays.iter().enumerate() {
                assert_eq!(pickle.value(index[&format!("shape{i}")]).array().as_ref(), Some(array));
            }
        }
        std::fs::write(&path, arrays[2].to_npy()).unwrap();
        assert_eq!(NumpyPickle::open(&path).unwrap().root().array().as_ref(), Some(&arrays[2]));
        std::fs::write(&path, &npy[..npy.len() - 40]).unwrap();
        assert!(NumpyPickle::open(&path).is_err());
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn nothing_is_called_and_nothing_explodes() {
        let called = NumpyPickle::read(b"cos\nsystem\n(S'echo'\ntR.").unwrap();
        let root = called.root();
        assert!(root.is_empty() && root.array().is_none() && root.text().is_none());
        // A text that is encoded many times.
        let mut bomb = b"X\x00\x00\x10\x00".to_vec();
        bomb.extend(vec![b'a'; 1 << 20]);
        bomb.extend(b"q\x000c_codecs\nencode\nq\x010");
        (0..10_000).for_each(|_| bomb.extend(b"h\x01h\x00\x85R0"));
        bomb.extend(b"N.");
        assert!(NumpyPickle::read(&bomb).unwrap_err().contains("calls would create"));
    }
}
