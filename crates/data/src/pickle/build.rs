//! What the calls in NumPy's pickles stand for.

use super::Node;
use crate::array::{Array, Dtype, bytes_of, c_order};

/// The value that a call would give; [`Node::Opaque`] for all that is not known.
pub(super) fn call(nodes: &[Node], callee: usize, arguments: usize) -> Result<Node, String> {
    let Node::Global(module, name) = &nodes[callee] else { return Ok(Node::Opaque) };
    let arguments: &[usize] = if let Node::List(items) = &nodes[arguments] { items } else { &[] };
    let argument = |i: usize| arguments.get(i).map(|at| &nodes[*at]);
    let root = module.split('.').next().unwrap_or_default();
    match (root, name.as_str()) {
        ("numpy", "_reconstruct") => Ok(Node::Blank),
        ("numpy", "dtype") => Ok(match argument(0) {
            Some(name) if text(name).starts_with(b"O") => Node::ObjectType,
            Some(name) => {
                let dtype = std::str::from_utf8(text(name)).ok().and_then(Dtype::parse);
                dtype.map_or(Node::Opaque, Node::Dtype)
            }
            None => Node::Opaque,
        }),
        ("numpy", "scalar") => Ok(match (argument(0), argument(1)) {
            (Some(Node::Dtype(dtype)), Some(Node::Bytes(bytes))) => {
                Node::Array(Array::new(*dtype, Vec::new(), bytes.clone())?)
            }
            _ => Node::Opaque,
        }),
        // Protocol 5: content, type, shape, order.
        ("numpy", "_frombuffer") => match (argument(0), argument(1), argument(2), argument(3)) {
            (Some(Node::Bytes(bytes)), Some(Node::Dtype(dtype)), Some(shape), order) => {
                let fortran = matches!(order, Some(Node::Text(order)) if order == "F");
                Ok(Node::Array(array(*dtype, sizes(nodes, shape)?, fortran, bytes)?))
            }
            _ => Ok(Node::Opaque),
        },
        ("_codecs", "encode") => Ok(match argument(0) {
            // Every character is one byte.
            Some(Node::Text(text)) => Node::Bytes(text.chars().map(|c| c as u32 as u8).collect()),
            _ => Node::Opaque,
        }),
        ("collections", "OrderedDict" | "defaultdict") => Ok(Node::Dict(Vec::new())),
        ("builtins" | "__builtin__", "bytearray" | "bytes") => Ok(match argument(0) {
            Some(Node::Bytes(bytes)) => Node::Bytes(bytes.clone()),
            _ => Node::Bytes(Vec::new()),
        }),
        _ => Ok(Node::Opaque),
    }
}

/// The bytes of a text; Python 2 wrote texts and bytes alike.
fn text(node: &Node) -> &[u8] {
    match node {
        Node::Text(text) => text.as_bytes(),
        Node::Bytes(bytes) => bytes,
        _ => &[],
    }
}

/// Memory of a value that a call made.
pub(super) fn weight(node: &Node) -> usize {
    match node {
        Node::Bytes(bytes) => bytes.len(),
        Node::Array(array) => array.data.len(),
        Node::Objects(items) => items.len() * size_of::<usize>(),
        _ => 0,
    }
}

/// What an object becomes by its state; `None` where it stays what it is.
pub(super) fn build(nodes: &[Node], object: usize, state: usize) -> Result<Option<Node>, String> {
    let state: &[usize] = if let Node::List(items) = &nodes[state] { items } else { return Ok(None) };
    let field = |i: usize| state.get(i).map(|at| &nodes[*at]);
    match (&nodes[object], field(1)) {
        // (version, order, …)
        (Node::Dtype(dtype), Some(order)) => {
            Ok(Some(Node::Dtype(Dtype { big: text(order) == b">", ..*dtype })))
        }
        // (version, shape, type, whether Fortran order, content)
        (Node::Blank, Some(shape)) => {
            let fortran = matches!(field(3), Some(Node::Bool(true) | Node::Int(1)));
            match (field(2), field(4)) {
                (Some(Node::Dtype(dtype)), Some(Node::Bytes(bytes))) => {
                    Ok(Some(Node::Array(array(*dtype, sizes(nodes, shape)?, fortran, bytes)?)))
                }
                // Python 2 wrote bytes as text.
                (Some(Node::Dtype(dtype)), Some(Node::Text(text))) => {
                    let bytes: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
                    Ok(Some(Node::Array(array(*dtype, sizes(nodes, shape)?, fortran, &bytes)?)))
                }
                (Some(Node::ObjectType), Some(Node::List(items))) => Ok(Some(Node::Objects(items.clone()))),
                _ => Ok(Some(Node::Opaque)),
            }
        }
        _ => Ok(None),
    }
}

fn array(dtype: Dtype, shape: Vec<usize>, fortran: bool, bytes: &[u8]) -> Result<Array, String> {
    let need =
        bytes_of(&shape, dtype.size).ok_or_else(|| format!("an array of shape {shape:?} is too large"))?;
    if need != bytes.len() as u64 {
        return Err(format!("an array of shape {shape:?} needs {need} bytes, found {}", bytes.len()));
    }
    let data = if fortran { c_order(bytes, &shape, dtype.size) } else { bytes.to_vec() };
    Array::new(dtype, shape, data)
}

fn sizes(nodes: &[Node], shape: &Node) -> Result<Vec<usize>, String> {
    let Node::List(items) = shape else { return Err("an array without a shape".to_owned()) };
    let size = |at: &usize| match &nodes[*at] {
        Node::Int(n) => usize::try_from(*n).map_err(|_| format!("an axis of {n}")),
        _ => Err("an array without a shape".to_owned()),
    };
    items.iter().map(size).collect()
}
