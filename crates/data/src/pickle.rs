//! Python's pickles read as data. Instructions that would call something are noted and never followed, except the few that
//! stand for NumPy's arrays, numbers and strings.

mod build;
mod machine;
mod text;
mod write;

pub use self::write::Dict;

use crate::array::{Array, Npy, read_npy};

/// Most values of a pickle.
const MOST_NODES: usize = 1 << 26;

/// A value inside a pickle: containers name their items by number, so that shared items stay shared.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<usize>),
    Dict(Vec<(usize, usize)>),
    Array(Array),
    /// An array of Python objects.
    Objects(Vec<usize>),
    Dtype(crate::array::Dtype),
    /// The type of arrays of Python objects.
    ObjectType,
    /// An array before its state is known.
    Blank,
    /// A name of something in a module.
    Global(String, String),
    /// Whatever else a call would give.
    Opaque,
}

/// A pickle, read.
#[derive(Debug)]
pub struct Pickle {
    nodes: Vec<Node>,
    root: usize,
}

impl Pickle {
    /// Reads a pickle of any protocol up to 5.
    ///
    /// # Errors
    /// Says at which byte, what was expected, what was found.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let (nodes, root) = machine::run(bytes)?;
        Ok(Self { nodes, root })
    }

    /// Reads a `.npy` file of Python objects, or of numbers.
    pub fn read_npy(bytes: &[u8]) -> Result<Self, String> {
        match read_npy(bytes)? {
            Npy::Pickled(_, pickle) => Self::read(&pickle),
            Npy::Array(array) => Ok(Self { nodes: vec![Node::Array(array)], root: 0 }),
        }
    }

    /// The outermost value. An array of one object is that object.
    pub fn root(&self) -> Item<'_> {
        let item = Item { pickle: self, at: self.root };
        match item.node() {
            Node::Objects(items) if items.len() == 1 => Item { pickle: self, at: items[0] },
            _ => item,
        }
    }
}

/// A value inside a pickle.
#[derive(Clone, Copy, Debug)]
pub struct Item<'p> {
    pickle: &'p Pickle,
    at: usize,
}

impl<'p> Item<'p> {
    fn node(self) -> &'p Node {
        &self.pickle.nodes[self.at]
    }

    fn other(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// The value at a key of a dictionary.
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Keys and values of a dictionary; keys that are not strings are written out.
    pub fn entries(self) -> impl Iterator<Item = (String, Self)> {
        let entries: &'p [(usize, usize)] = if let Node::Dict(entries) = self.node() { entries } else { &[] };
        entries
            .iter()
            .map(move |(key, value)| (self.other(*key).text().unwrap_or_default(), self.other(*value)))
    }

    /// Items of a list, a tuple or an array of objects.
    pub fn items(self) -> impl Iterator<Item = Self> {
        let items: &'p [usize] = match self.node() {
            Node::List(items) | Node::Objects(items) => items,
            _ => &[],
        };
        items.iter().map(move |at| self.other(*at))
    }

    /// How many items or entries it has.
    pub fn len(self) -> usize {
        match self.node() {
            Node::List(items) | Node::Objects(items) => items.len(),
            Node::Dict(entries) => entries.len(),
            _ => 0,
        }
    }

    /// Whether it holds nothing.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text, or a number written out; `None` for other values.
    pub fn text(self) -> Option<String> {
        match self.node() {
            Node::Text(text) => Some(text.clone()),
            Node::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Node::Int(n) => Some(n.to_string()),
            Node::Float(n) => Some(n.to_string()),
            Node::Array(array) if array.shape.is_empty() => array.texts().pop(),
            _ => None,
        }
    }

    /// Texts of a list, or of an array of strings; a single text is one.
    pub fn texts(self) -> Vec<String> {
        match self.node() {
            Node::Array(array) => array.texts(),
            Node::List(_) | Node::Objects(_) => self.items().filter_map(Self::text).collect(),
            _ => self.text().into_iter().collect(),
        }
    }

    /// The number.
    pub fn number(self) -> Option<f64> {
        match self.node() {
            Node::Int(n) => Some(*n as f64),
            Node::Float(n) => Some(*n),
            Node::Bool(b) => Some(f64::from(u8::from(*b))),
            Node::Array(array) => array.numbers().first().map(|n| f64::from(*n)),
            _ => None,
        }
    }

    /// The array.
    pub fn array(self) -> Option<&'p Array> {
        match self.node() {
            Node::Array(array) => Some(array),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_is_read_as_it_was_written() {
        let array = Array::singles(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let mut dict = Dict::new();
        dict.text("id", "ü1");
        dict.array("xyz", &array);
        dict.texts("text", &["a", "b"]);
        let pickle = Pickle::read_npy(&dict.to_npy()).unwrap();
        let root = pickle.root();
        assert_eq!(root.get("id").unwrap().text().as_deref(), Some("ü1"));
        assert_eq!(root.get("xyz").unwrap().array(), Some(&array));
        assert_eq!(root.get("text").unwrap().texts(), ["a", "b"]);
        assert!(root.get("rgb").is_none());
    }

    #[test]
    fn nothing_is_called_and_nothing_explodes() {
        let called = b"cos\nsystem\n(S'echo'\ntR.";
        assert_eq!(Pickle::read(called).unwrap().nodes.last(), Some(&Node::Opaque));
        for broken in
            [&b""[..], b"(", b"R.", b"0", b"X\xff\xff\xff\xffa", b"h\x05.", b"]\x86.", b"\x80\x04\x95"]
        {
            assert!(Pickle::read(broken).is_err(), "{broken:?}");
        }
        // A text that is encoded again and again.
        let mut bomb = b"X\x00\x00\x10\x00".to_vec();
        bomb.extend(vec![b'a'; 1 << 20]);
        bomb.extend(b"q\x000c_codecs\nencode\nq\x010");
        (0..10_000).for_each(|_| bomb.extend(b"h\x01h\x00\x85R0"));
        assert!(Pickle::read(&bomb).unwrap_err().contains("calls would make"));
    }
}
