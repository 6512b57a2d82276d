//! The values of a pickle, in one list, with references by index: shared values, cycles and deep nesting take as much memory as in
//! the file, however large they would be when expanded.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Index of a node in its [`Pickle`].
pub type Ref = u32;

/// A Python value.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// `None`.
    None,
    /// A boolean.
    Bool(bool),
    /// An integer of at most 64 bits.
    Int(i64),
    /// An integer beyond 64 bits.
    BigInt,
    /// A float.
    Float(f64),
    /// A string.
    Text(Box<str>),
    /// A Python 2 string: bytes or text.
    Str(Box<[u8]>),
    /// Bytes: [`Pickle::bytes`] has them. The contents of large arrays stay where the pickle was read from.
    Bytes(Range<usize>),
    /// A list, tuple or set.
    List(Vec<Ref>),
    /// A dictionary in insertion order; a later entry replaces an earlier one with the same key.
    Dict(Vec<(Ref, Ref)>),
    /// A reference to `module.name`, never imported.
    Global(Box<str>),
    /// A call, never executed.
    Call(Box<Call>),
    /// The id of an object outside of the pickle, such as a PyTorch storage.
    Persistent(Ref),
}

/// A call, and what would be done with the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// A [`Node::Global`], if the file is valid.
    pub callable: Ref,
    /// Positional arguments, a [`Node::List`] if the file is valid.
    pub arguments: Ref,
    /// State set afterwards.
    pub state: Option<Ref>,
    /// Items set afterwards: how an ordered dictionary is filled.
    pub items: Vec<(Ref, Ref)>,
}

/// What a pickle is read from, such as a memory-mapped file.
#[derive(Clone)]
pub(super) struct Source(pub Arc<dyn AsRef<[u8]> + Send + Sync>);

impl Source {
    pub fn bytes(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes().len())
    }
}

/// All values of one pickle.
#[derive(Debug)]
pub struct Pickle {
    pub(super) nodes: Vec<Node>,
    pub(super) source: Source,
    /// Where the pickle starts in its source.
    pub(super) start: usize,
    /// The outermost value.
    pub root: Ref,
    /// Length of the pickle in bytes; another may follow.
    pub length: usize,
}

impl Pickle {
    /// The node at an index of this pickle.
    pub fn node(&self, at: Ref) -> &Node {
        &self.nodes[at as usize]
    }

    /// All nodes, unreferenced ones included.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Bytes, or a Python 2 string.
    pub fn bytes(&self, at: Ref) -> Option<&[u8]> {
        match self.node(at) {
            Node::Bytes(range) => self.source.bytes().get(self.start + range.start..self.start + range.end),
            Node::Str(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// A string; also a Python 2 string that is UTF-8.
    pub fn text(&self, at: Ref) -> Option<&str> {
        match self.node(at) {
            Node::Text(text) => Some(text),
            Node::Str(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Items of a list, tuple or set.
    pub fn list(&self, at: Ref) -> Option<&[Ref]> {
        match self.node(at) {
            Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// `module.name` of a global.
    pub fn global(&self, at: Ref) -> Option<&str> {
        match self.node(at) {
            Node::Global(name) => Some(name),
            _ => None,
        }
    }

    /// The items of a dictionary, or of a call such as `OrderedDict()`.
    pub fn items(&self, at: Ref) -> Option<&[(Ref, Ref)]> {
        match self.node(at) {
            Node::Dict(items) => Some(items),
            Node::Call(call) if call.state.is_none() || !call.items.is_empty() => {
                let is_dict = self
                    .global(call.callable)
                    .is_some_and(|name| name.ends_with("Dict") || name.ends_with("dict"));
                (is_dict || !call.items.is_empty()).then_some(&call.items)
            }
            _ => None,
        }
    }

    /// The attributes of an object.
    pub fn attributes(&self, at: Ref) -> Option<&[(Ref, Ref)]> {
        let Node::Call(call) = self.node(at) else { return None };
        let state = call.state?;
        // The state of objects with slots is a pair of attributes and slots.
        let state = self.list(state).and_then(|pair| pair.first().copied()).unwrap_or(state);
        self.items(state)
    }

    /// The value under a key of a dictionary, or the attribute of that name.
    pub fn get(&self, at: Ref, key: &str) -> Option<Ref> {
        let entries = self.items(at).or_else(|| self.attributes(at))?;
        entries.iter().rev().find(|(k, _)| self.text(*k) == Some(key)).map(|(_, value)| *value)
    }
}
