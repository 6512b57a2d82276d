//! What checkpoints say besides tensors: epochs, scores, configurations, as plain values.

use std::fmt;

use lexiform_formats::pickle::{Node, Pickle, Ref};

/// A value stored next to the tensors of a checkpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Python's `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number; NumPy scalars and tensors with one element count as such.
    Float(f64),
    /// A text.
    Text(String),
    /// Something of many parts, by the name of its type.
    Other(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(value) | Self::Other(value) => f.write_str(value),
        }
    }
}

/// A node as a value; tensors are left to the caller.
pub(super) fn value(pickle: &Pickle, at: Ref) -> Value {
    match pickle.node(at) {
        Node::None => Value::None,
        Node::Bool(value) => Value::Bool(*value),
        Node::Int(value) => Value::Int(*value),
        Node::Float(value) => Value::Float(*value),
        Node::BigInt => Value::Other("integer beyond 64 bits".to_owned()),
        Node::Text(text) => Value::Text(text.to_string()),
        Node::Str(bytes) => match pickle.text(at) {
            Some(text) => Value::Text(text.to_owned()),
            None => Value::Other(format!("{} bytes", bytes.len())),
        },
        Node::Bytes(bytes) => Value::Other(format!("{} bytes", bytes.len())),
        Node::List(items) => Value::Other(format!("list of {}", items.len())),
        Node::Dict(items) => Value::Other(format!("dictionary of {}", items.len())),
        Node::Global(name) => Value::Other(name.to_string()),
        Node::Persistent(_) => Value::Other("storage".to_owned()),
        Node::Call(call) => {
            let name = pickle.global(call.callable).unwrap_or("object");
            let arguments = pickle.list(call.arguments).unwrap_or_default();
            numpy_scalar(pickle, name, arguments).unwrap_or_else(|| Value::Other(name.to_owned()))
        }
    }
}

/// `numpy.core.multiarray.scalar(dtype, bytes)`.
fn numpy_scalar(pickle: &Pickle, name: &str, arguments: &[Ref]) -> Option<Value> {
    let [dtype, data] = arguments else { return None };
    let Node::Call(dtype) = pickle.node(*dtype) else { return None };
    let kind = pickle.text(*pickle.list(dtype.arguments)?.first()?)?;
    if !name.starts_with("numpy.") || !name.ends_with(".scalar") {
        return None;
    }
    let data = bytes(pickle, *data)?;
    Some(match kind.trim_start_matches(['<', '=', '|']) {
        "f8" => Value::Float(f64::from_le_bytes(data.try_into().ok()?)),
        "f4" => Value::Float(f64::from(f32::from_le_bytes(data.try_into().ok()?))),
        "i8" => Value::Int(i64::from_le_bytes(data.try_into().ok()?)),
        "i4" => Value::Int(i64::from(i32::from_le_bytes(data.try_into().ok()?))),
        "b1" => Value::Bool(*data.first()? != 0),
        _ => return None,
    })
}

/// Bytes; old protocols keep them as text of as many characters below 256.
fn bytes(pickle: &Pickle, at: Ref) -> Option<Vec<u8>> {
    match pickle.node(at) {
        Node::Bytes(_) | Node::Str(_) => pickle.bytes(at).map(<[u8]>::to_vec),
        Node::Text(text) => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
        Node::Call(call) if pickle.global(call.callable) == Some("_codecs.encode") => {
            bytes(pickle, *pickle.list(call.arguments)?.first()?)
        }
        _ => None,
    }
}
