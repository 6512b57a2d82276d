//! Evaluates the calls in NumPy's pickles.

use std::borrow::Cow;

use super::{Call, Node, Pickle, Ref};
use crate::array::{Array, Dtype, byte_len, c_order};

/// Deepest nesting of calls: at most, the content of an array is text that is encoded.
const MAX_DEPTH: usize = 4;

/// The result of a call; borrowed from the pickle where its bytes are as they are there.
#[derive(Debug)]
pub(super) enum Evaluated<'p> {
    Bytes(Cow<'p, [u8]>),
    Array(ArrayContent<'p>),
    /// An array of Python objects, which are the items of this list.
    Objects(Ref),
}

/// An array whose content has as many bytes as type and shape require.
#[derive(Debug)]
pub(super) struct ArrayContent<'p> {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub data: Cow<'p, [u8]>,
}

impl Evaluated<'_> {
    /// Memory that the call has created, in bytes.
    pub fn created(&self) -> usize {
        match self {
            Self::Bytes(Cow::Owned(data)) | Self::Array(ArrayContent { data: Cow::Owned(data), .. }) => {
                data.len()
            }
            _ => 0,
        }
    }
}

impl<'p> ArrayContent<'p> {
    fn new(dtype: Dtype, shape: Vec<usize>, data: Cow<'p, [u8]>) -> Result<Self, String> {
        let need = byte_len(&shape, dtype.size)
            .ok_or_else(|| format!("an array of shape {shape:?} is too large"))?;
        if need != data.len() as u64 {
            return Err(format!("an array of shape {shape:?} needs {need} bytes, found {}", data.len()));
        }
        Ok(Self { dtype, shape, data })
    }

    pub fn into_array(self) -> Array {
        Array { dtype: self.dtype, shape: self.shape, data: self.data.into_owned() }
    }
}

/// The type of an array's elements.
enum Element {
    Plain(Dtype),
    Object,
}

/// Evaluates the call at a node; `None` if it is not one of NumPy's.
pub(super) fn evaluate<'p>(
    pickle: &'p Pickle,
    at: Ref,
    call: &Call,
) -> Result<Option<Evaluated<'p>>, String> {
    let Some((package, name)) = callee(pickle, call) else { return Ok(None) };
    let arguments = pickle.list(call.arguments).unwrap_or_default();
    match (package, name, arguments) {
        ("numpy", "_reconstruct", _) => {
            let state = call.state.and_then(|state| pickle.list(state)).unwrap_or_default();
            reconstructed(pickle, state)
        }
        // Zero-dimensional: the content is the bytes of one element.
        ("numpy", "scalar", [dtype, content, ..]) => {
            let Some(Element::Plain(dtype)) = element(pickle, *dtype) else { return Ok(None) };
            let Some(bytes) = bytes(pickle, *content, MAX_DEPTH) else { return Ok(None) };
            ArrayContent::new(dtype, Vec::new(), bytes).map(|array| Some(Evaluated::Array(array)))
        }
        // Protocol 5.
        ("numpy", "_frombuffer", [content, dtype, shape, order @ ..]) => {
            let is_fortran = order.first().is_some_and(|order| pickle.text(*order) == Some("F"));
            array(pickle, *dtype, *shape, is_fortran, *content)
        }
        ("_codecs", "encode", _) | ("builtins" | "__builtin__", "bytearray" | "bytes", _) => {
            Ok(bytes(pickle, at, MAX_DEPTH).map(Evaluated::Bytes))
        }
        _ => Ok(None),
    }
}

/// The package and the last name of the callable.
fn callee<'p>(pickle: &'p Pickle, call: &Call) -> Option<(&'p str, &'p str)> {
    let global = pickle.global(call.callable)?;
    Some((global.split('.').next()?, global.rsplit('.').next()?))
}

/// An array from its state: version, shape, type, Fortran order flag, content.
fn reconstructed<'p>(pickle: &'p Pickle, state: &[Ref]) -> Result<Option<Evaluated<'p>>, String> {
    let [_, shape, dtype, order, content, ..] = state else { return Ok(None) };
    let is_fortran = matches!(pickle.node(*order), Node::Bool(true) | Node::Int(1));
    array(pickle, *dtype, *shape, is_fortran, *content)
}

fn array(
    pickle: &Pickle,
    dtype: Ref,
    shape: Ref,
    is_fortran: bool,
    content: Ref,
) -> Result<Option<Evaluated<'_>>, String> {
    let dtype = match element(pickle, dtype) {
        Some(Element::Plain(dtype)) => dtype,
        Some(Element::Object) => return Ok(pickle.list(content).map(|_| Evaluated::Objects(content))),
        None => return Ok(None),
    };
    let Some(bytes) = bytes(pickle, content, MAX_DEPTH) else { return Ok(None) };
    let shape = sizes(pickle, shape)?;
    let mut array = ArrayContent::new(dtype, shape, bytes)?;
    if is_fortran {
        array.data = Cow::Owned(c_order(&array.data, &array.shape, dtype.size));
    }
    Ok(Some(Evaluated::Array(array)))
}

/// `numpy.dtype(name)` with its state: version, byte order, …
fn element(pickle: &Pickle, at: Ref) -> Option<Element> {
    let Node::Call(call) = pickle.node(at) else { return None };
    let (package, name) = callee(pickle, call)?;
    let type_name = raw(pickle, *pickle.list(call.arguments)?.first()?);
    if (package, name) != ("numpy", "dtype") {
        return None;
    }
    if type_name.starts_with(b"O") {
        return Some(Element::Object);
    }
    let mut dtype = Dtype::parse(std::str::from_utf8(type_name).ok()?)?;
    let state = call.state.and_then(|state| pickle.list(state)).unwrap_or_default();
    if let [_, order, ..] = state {
        dtype.big_endian = raw(pickle, *order) == b">";
    }
    Some(Element::Plain(dtype))
}

/// The bytes of a string, which Python 2 wrote in either form.
fn raw(pickle: &Pickle, at: Ref) -> &[u8] {
    match pickle.node(at) {
        Node::Text(text) => text.as_bytes(),
        _ => pickle.bytes(at).unwrap_or_default(),
    }
}

/// Bytes, or the calls that stand for bytes in protocols without them.
fn bytes(pickle: &Pickle, at: Ref, depth: usize) -> Option<Cow<'_, [u8]>> {
    match pickle.node(at) {
        Node::Bytes(_) | Node::Str(_) => pickle.bytes(at).map(Cow::Borrowed),
        // Latin-1: one character per byte.
        Node::Text(text) => Some(Cow::Owned(text.chars().map(|c| c as u32 as u8).collect())),
        Node::Call(call) => {
            let argument = pickle.list(call.arguments)?.first();
            match callee(pickle, call)? {
                ("_codecs", "encode") => match pickle.node(*argument?) {
                    Node::Text(_) => bytes(pickle, *argument?, depth),
                    _ => None,
                },
                ("builtins" | "__builtin__", "bytearray" | "bytes") => match argument {
                    Some(inner) => bytes(pickle, *inner, depth.checked_sub(1)?),
                    None => Some(Cow::Borrowed(&[])),
                },
                _ => None,
            }
        }
        _ => None,
    }
}

fn sizes(pickle: &Pickle, at: Ref) -> Result<Vec<usize>, String> {
    let items = pickle.list(at).ok_or("an array without a shape")?;
    let size = |at: &Ref| match pickle.node(*at) {
        Node::Int(n) => usize::try_from(*n).map_err(|_| format!("an axis of {n}")),
        _ => Err("an array without a shape".to_owned()),
    };
    items.iter().map(size).collect()
}
