//! The values of a pickle, in one list, with references by index: shared values, cycles and deep nesting take as much memory as in
//! the file, however large they would be when expanded.

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
    /// Bytes.
    Bytes(Box<[u8]>),
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

/// All values of one pickle.
#[derive(Debug)]
pub struct Pickle {
    pub(super) nodes: Vec<Node>,
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
