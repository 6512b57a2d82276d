//! A USD layer: prims with fields and properties, the same for both file formats.

use std::collections::HashMap;

/// A value, as far as geometry and materials need it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Numbers and Booleans; vectors and matrices one after the other.
    Numbers { values: Vec<f64>, width: usize },
    /// Strings, tokens and asset paths.
    Texts(Vec<String>),
    /// Paths of prims and properties.
    Paths(Vec<String>),
    /// References and payloads.
    References(Vec<Reference>),
    /// Names to values.
    Dictionary(HashMap<String, Value>),
    /// A value that hides weaker ones.
    Blocked,
}

/// A prim of a layer, or of this one if it names no asset.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reference {
    pub asset: String,
    /// Empty for the layer's default prim.
    pub prim: String,
}

impl Value {
    /// A single number.
    pub fn number(value: f64) -> Self {
        Self::Numbers { values: vec![value], width: 1 }
    }

    /// The first number.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Numbers { values, .. } => values.first().copied(),
            _ => None,
        }
    }

    /// The first string.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Texts(texts) => texts.first().map(String::as_str),
            _ => None,
        }
    }

    /// All paths.
    pub fn as_paths(&self) -> &[String] {
        match self {
            Self::Paths(paths) => paths,
            _ => &[],
        }
    }
}

/// What a prim is in its layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Specifier {
    Def,
    #[default]
    Over,
    Class,
}

/// Fields of an attribute or relationship: `default`, `interpolation`, `connectionPaths`, `targetPaths` …
pub(super) type Property = HashMap<String, Value>;

/// A prim, or the content of a variant.
#[derive(Debug, Default)]
pub(super) struct Prim {
    pub name: String,
    pub specifier: Specifier,
    pub type_name: String,
    pub fields: HashMap<String, Value>,
    pub properties: HashMap<String, Property>,
    /// Places of children in [`Layer::prims`].
    pub children: Vec<usize>,
    by_name: HashMap<String, usize>,
    /// Sets, and the variants of each with their places in [`Layer::prims`].
    pub variant_sets: Vec<(String, Vec<(String, usize)>)>,
}

/// All prims of a file. The first is the root, whose fields are the layer's.
#[derive(Debug)]
pub(super) struct Layer {
    pub prims: Vec<Prim>,
    /// Where the file is broken.
    pub notes: Vec<String>,
}

impl Default for Layer {
    fn default() -> Self {
        Self { prims: vec![Prim::default()], notes: Vec::new() }
    }
}

impl Layer {
    /// The child of a prim, which is added if it does not exist.
    pub fn child(&mut self, parent: usize, name: &str) -> usize {
        if let Some(known) = self.find(parent, name) {
            return known;
        }
        self.push_child(parent, name)
    }

    /// Adds a child that does not exist yet.
    pub fn push_child(&mut self, parent: usize, name: &str) -> usize {
        let id = self.prims.len();
        self.prims.push(Prim { name: name.to_owned(), ..Prim::default() });
        let parent = &mut self.prims[parent];
        parent.children.push(id);
        parent.by_name.entry(name.to_owned()).or_insert(id);
        id
    }

    /// The content of a variant of a prim, which is added if it does not exist.
    pub fn variant(&mut self, prim: usize, set: &str, variant: &str) -> usize {
        let id = self.prims.len();
        let sets = &mut self.prims[prim].variant_sets;
        let at = sets.iter().position(|(name, _)| name == set).unwrap_or_else(|| {
            sets.push((set.to_owned(), Vec::new()));
            sets.len() - 1
        });
        let variants = &mut sets[at].1;
        if let Some((_, known)) = variants.iter().find(|(name, _)| name == variant) {
            return *known;
        }
        variants.push((variant.to_owned(), id));
        self.prims.push(Prim::default());
        id
    }

    /// The child of a prim.
    pub fn find(&self, parent: usize, name: &str) -> Option<usize> {
        self.prims[parent].by_name.get(name).copied()
    }

    /// A field of the layer.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.prims[0].fields.get(name)
    }
}
