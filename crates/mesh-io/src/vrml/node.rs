//! Nodes with fields, the same for both syntaxes.

use std::collections::HashMap;

use crate::text;

/// Deepest tree of nodes, also while a file is parsed.
pub(super) const MAX_DEPTH: usize = 128;

/// A node's place in its tree.
pub(super) type NodeId = usize;

/// The value of a field.
pub(super) enum Field {
    Numbers(Vec<f64>),
    Strings(Vec<String>),
    Nodes(Vec<NodeId>),
    /// An XML attribute, whose type its reader knows.
    Written(String),
}

/// A node of a kind with fields, and its name if it has one.
#[derive(Default)]
pub(super) struct Node {
    pub kind: String,
    pub name: Option<String>,
    pub fields: HashMap<String, Field>,
}

/// All nodes of a file. A node may be in several places.
#[derive(Default)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    pub roots: Vec<NodeId>,
    /// Where the file is broken.
    pub notes: Vec<String>,
    by_name: HashMap<String, NodeId>,
}

impl Tree {
    /// Adds a node without fields.
    pub fn push(&mut self, kind: &str, name: Option<String>) -> NodeId {
        let id = self.nodes.len();
        // A later node with the same name replaces an earlier one.
        if let Some(name) = &name {
            self.by_name.insert(name.clone(), id);
        }
        self.nodes.push(Node { kind: kind.to_owned(), name, fields: HashMap::new() });
        id
    }

    /// Sets a field; nodes are added to those that it has.
    pub fn set(&mut self, node: NodeId, field: String, value: Field) {
        let fields = &mut self.nodes[node].fields;
        match (fields.get_mut(&field), value) {
            (Some(Field::Nodes(nodes)), Field::Nodes(more)) => nodes.extend(more),
            (_, value) => drop(fields.insert(field, value)),
        }
    }

    /// The node of a name.
    pub fn named(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// All nodes.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> {
        0..self.nodes.len()
    }

    /// Kind of a node, such as `Transform`.
    pub fn kind(&self, node: NodeId) -> &str {
        &self.nodes[node].kind
    }

    /// Name of a node.
    pub fn name(&self, node: NodeId) -> Option<&str> {
        self.nodes[node].name.as_deref()
    }

    /// Numbers of a field; Booleans are 1 and 0.
    pub fn numbers(&self, node: NodeId, field: &str) -> Vec<f64> {
        match self.nodes[node].fields.get(field) {
            Some(Field::Numbers(numbers)) => numbers.clone(),
            Some(Field::Written(written)) => written
                .split(|c: char| c.is_ascii_whitespace() || c == ',')
                .filter(|word| !word.is_empty())
                .map_while(number)
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The first number of a field.
    pub fn number(&self, node: NodeId, field: &str, missing: f64) -> f64 {
        match self.nodes[node].fields.get(field) {
            Some(Field::Numbers(numbers)) => numbers.first().copied().unwrap_or(missing),
            _ => self.numbers(node, field).first().copied().unwrap_or(missing),
        }
    }

    /// Whether a Boolean field is true.
    pub fn is_true(&self, node: NodeId, field: &str, missing: bool) -> bool {
        self.number(node, field, f64::from(u8::from(missing))) != 0.0
    }

    /// Strings of a field. In XML, several are in quotes.
    pub fn strings(&self, node: NodeId, field: &str) -> Vec<String> {
        match self.nodes[node].fields.get(field) {
            Some(Field::Strings(strings)) => strings.clone(),
            Some(Field::Written(written)) if written.contains('"') => {
                written.split('"').skip(1).step_by(2).map(str::to_owned).collect()
            }
            Some(Field::Written(written)) => vec![written.clone()],
            _ => Vec::new(),
        }
    }

    /// Nodes of a field.
    pub fn nodes(&self, node: NodeId, field: &str) -> Vec<NodeId> {
        match self.nodes[node].fields.get(field) {
            Some(Field::Nodes(nodes)) => nodes.clone(),
            _ => Vec::new(),
        }
    }
}

/// A number, or a Boolean as 1 or 0.
pub(super) fn number(word: &str) -> Option<f64> {
    match word {
        "TRUE" | "true" => Some(1.0),
        "FALSE" | "false" => Some(0.0),
        _ => text::number(word.as_bytes()).or_else(|| hexadecimal(word)),
    }
}

fn hexadecimal(word: &str) -> Option<f64> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"))?;
    u32::from_str_radix(digits, 16).ok().map(f64::from)
}
