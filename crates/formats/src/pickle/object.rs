//! Pickles of NumPy arrays and plain Python values, as a tree.

use std::collections::HashMap;

use super::numpy::{self, Evaluated};
use super::{Node, Pickle, Ref};
use crate::array::Array;
use crate::npy::{Npy, read_npy};

/// Most values of a pickle.
const MAX_NODES: usize = 1 << 26;
/// Bytes that calls may create for each byte of the file, and for any file. Calls can repeat content that is in the file once, but
/// valid files do not do so often.
const MAX_EXPANSION: usize = 8;
const ALWAYS_ALLOWED_BYTES: usize = 1 << 20;

/// A pickle whose NumPy calls have been evaluated.
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
    evaluated: HashMap<Ref, Evaluated>,
}

impl NumpyPickle {
    /// Reads a pickle of any protocol up to 5.
    ///
    /// # Errors
    /// If it is malformed or too large, or an array does not have as many bytes as its shape requires.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let pickle = Pickle::read(bytes, MAX_NODES)?;
        let limit = bytes.len().saturating_mul(MAX_EXPANSION).saturating_add(ALWAYS_ALLOWED_BYTES);
        let (mut evaluated, mut total) = (HashMap::new(), 0);
        for (at, node) in (0..).zip(pickle.nodes()) {
            let Node::Call(call) = node else { continue };
            let value = numpy::evaluate(&pickle, at, call).map_err(|what| format!("pickle: {what}"))?;
            total += value.as_ref().map_or(0, Evaluated::heap_size);
            if total > limit {
                return Err(format!("pickle: its calls would create more than {limit} bytes"));
            }
            evaluated.extend(value.map(|value| (at, value)));
        }
        Ok(Self { pickle, evaluated })
    }

    /// Reads a `.npy` file of Python objects, or of numbers.
    ///
    /// # Errors
    /// As [`read`](Self::read) and [`read_npy`].
    pub fn read_npy(bytes: &[u8]) -> Result<Self, String> {
        match read_npy(bytes)? {
            Npy::Pickled(_, pickle) => Self::read(&pickle),
            Npy::Array(array) => Ok(Self {
                pickle: Pickle { nodes: vec![Node::None], root: 0, length: bytes.len() },
                evaluated: HashMap::from([(0, Evaluated::Array(array))]),
            }),
        }
    }

    /// The outermost value. An array of one object is that object.
    pub fn root(&self) -> PickleValue<'_> {
        let item = PickleValue { pickle: self, at: self.pickle.root };
        match (self.evaluated.get(&item.at), item.list()) {
            (Some(Evaluated::Objects(_)), [only]) => item.other(*only),
            _ => item,
        }
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

    fn list(self) -> &'p [Ref] {
        let at = match self.pickle.evaluated.get(&self.at) {
            Some(Evaluated::Objects(list)) => *list,
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
        match self.pickle.evaluated.get(&self.at) {
            Some(Evaluated::Bytes(bytes)) => return Some(String::from_utf8_lossy(bytes).into_owned()),
            Some(Evaluated::Array(array)) if array.shape.is_empty() => return array.to_strings().pop(),
            _ => {}
        }
        match self.node() {
            Node::Text(text) => Some(text.to_string()),
            Node::Bytes(bytes) | Node::Str(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Node::Int(n) => Some(n.to_string()),
            Node::Float(n) => Some(n.to_string()),
            _ => None,
        }
    }

    /// Strings of a list or of an array of strings; a single string is one.
    pub fn texts(self) -> Vec<String> {
        match (self.pickle.evaluated.get(&self.at), self.node()) {
            (Some(Evaluated::Array(array)), _) => array.to_strings(),
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

    /// The array.
    pub fn array(self) -> Option<&'p Array> {
        match self.pickle.evaluated.get(&self.at) {
            Some(Evaluated::Array(array)) => Some(array),
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
        assert_eq!(root.get("xyz").unwrap().array(), Some(&array));
        assert_eq!(root.get("text").unwrap().texts(), ["a", "b"]);
        assert!(root.get("rgb").is_none());
        let pickle = NumpyPickle::read_npy(&array.to_npy()).unwrap();
        assert_eq!((pickle.root().array(), pickle.root().number()), (Some(&array), Some(1.0)));
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
