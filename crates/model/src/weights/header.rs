//! The header of a safetensors file: names, types, shapes and offsets, validated against the file's size.

use std::collections::BTreeMap;

use lexiform_formats::RandomAccess;
use safetensors::tensor::Dtype;
use serde::Deserialize;

/// Longest header, as the format has it.
const MAX_HEADER_BYTES: u64 = 100_000_000;
/// Bytes of the header's length, which precedes it.
const LENGTH_BYTES: u64 = 8;
const METADATA: &str = "__metadata__";

/// Where a tensor is.
#[derive(Clone, Debug)]
pub(super) struct TensorInfo {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// First byte in the file.
    pub start: u64,
}

/// A tensor as the header describes it; offsets count from the end of the header.
#[derive(Deserialize)]
struct HeaderTensor {
    dtype: Dtype,
    shape: Vec<usize>,
    data_offsets: [u64; 2],
}

#[derive(Deserialize)]
#[serde(untagged)]
enum HeaderValue {
    Tensor(HeaderTensor),
    Metadata(BTreeMap<String, String>),
}

/// What a header holds.
pub(super) type Header = (BTreeMap<String, TensorInfo>, BTreeMap<String, String>);

/// Reads and validates a header.
///
/// # Errors
/// Describes what is wrong with the header.
pub(super) fn read(source: &dyn RandomAccess) -> Result<Header, String> {
    let length = source.bytes(0, LENGTH_BYTES).map_err(|e| e.to_string())?;
    let length = u64::from_le_bytes(length.try_into().map_err(|_| "the file is truncated")?);
    let room = source.length() - LENGTH_BYTES;
    // Checked before the header is read: the length is untrusted.
    if length > room.min(MAX_HEADER_BYTES) {
        return Err(format!("a header of {length} bytes announced, the file has {room}"));
    }
    let json = source.bytes(LENGTH_BYTES, length).map_err(|e| e.to_string())?;
    let values: BTreeMap<String, HeaderValue> =
        serde_json::from_slice(&json).map_err(|e| format!("invalid header: {e}"))?;
    let data = LENGTH_BYTES + length;
    let mut metadata = BTreeMap::new();
    let mut tensors = BTreeMap::new();
    for (name, value) in values {
        match value {
            // The only entry that is a map of strings instead of a tensor.
            HeaderValue::Metadata(entries) if name == METADATA => metadata = entries,
            HeaderValue::Metadata(_) => {
                return Err(format!("tensor {name:?} has no type, shape and offsets"));
            }
            HeaderValue::Tensor(described) => {
                let plain = described.resolve(data).map_err(|what| format!("tensor {name:?}: {what}"))?;
                tensors.insert(name, plain);
            }
        }
    }
    check_order(&tensors, data, source.length())?;
    Ok((tensors, metadata))
}

impl HeaderTensor {
    fn resolve(self, data: u64) -> Result<TensorInfo, String> {
        let Self { dtype, shape, data_offsets: [start, end] } = self;
        let bytes = byte_length(dtype, &shape);
        let found = end.checked_sub(start);
        if bytes.is_none() || bytes != found {
            return Err(format!("{dtype:?} of shape {shape:?} needs {bytes:?} bytes, it has {found:?}"));
        }
        let start = data.checked_add(start).ok_or("it begins beyond the file")?;
        Ok(TensorInfo { dtype, shape, start })
    }
}

/// Tensors follow each other without gaps and overlaps, and end where the file ends.
fn check_order(tensors: &BTreeMap<String, TensorInfo>, data: u64, length: u64) -> Result<(), String> {
    let mut order: Vec<(&String, &TensorInfo)> = tensors.iter().collect();
    // Empty tensors share their start with the next one, so length breaks the tie.
    order.sort_by_key(|(_, tensor)| (tensor.start, byte_length(tensor.dtype, &tensor.shape)));
    let mut at = data;
    for (name, tensor) in order {
        // The format allows neither gaps nor overlaps: nothing can hide in between.
        if tensor.start != at {
            return Err(format!("tensor {name:?} begins at byte {}, expected {at}", tensor.start));
        }
        let bytes = byte_length(tensor.dtype, &tensor.shape).unwrap_or(u64::MAX);
        at = at.checked_add(bytes).ok_or_else(|| format!("tensor {name:?} ends beyond the file"))?;
    }
    if at == length { Ok(()) } else { Err(format!("{at} bytes described, the file has {length}")) }
}

/// Bytes of a tensor; `None` on overflow, or if bits do not fill bytes.
pub(super) fn byte_length(dtype: Dtype, shape: &[usize]) -> Option<u64> {
    let bits = shape.iter().try_fold(dtype.bitsize() as u64, |bits, size| bits.checked_mul(*size as u64))?;
    (bits % 8 == 0).then_some(bits / 8)
}
