//! Reading values of tensors as f32: contiguous ones in place, views of a storage in their order.

use half::{bf16, f16};
use lexiform_formats::RandomAccess;
use rayon::prelude::*;
use safetensors::tensor::Dtype;

use super::torch::{Storage, StridedTensor};

/// Most bytes of tensors per byte of the file: tensors may share storages, and zip compresses. Bounds memory for untrusted
/// files.
const MAX_SHARING_RATIO: u64 = 4;
/// Bytes of tensors that a file of any size may have.
const MIN_TENSOR_BUDGET: u64 = 16 << 20;
/// Bytes converted at a time.
const CHUNK: usize = 1 << 20;

/// Most bytes that the tensors of a file may have.
pub(super) fn storage_limit(source: &dyn RandomAccess) -> u64 {
    MIN_TENSOR_BUDGET.max(source.length()).saturating_mul(MAX_SHARING_RATIO)
}

/// Values of a tensor of PyTorch; its storage has at most `limit` bytes.
pub(super) fn strided(
    tensor: &StridedTensor,
    source: &dyn RandomAccess,
    limit: u64,
) -> Result<Vec<f32>, String> {
    let count = tensor.shape.iter().product::<usize>();
    let width = tensor.dtype.bitsize() / 8;
    let offset = (tensor.storage_offset * width) as u64;
    match &tensor.storage {
        Storage::Raw { start, .. } if tensor.is_contiguous() => {
            contiguous(source, (tensor.dtype, start + offset), count, None)
        }
        // torch.save does not compress, so values are read in place.
        Storage::Zip(stored) if tensor.is_contiguous() && stored.is_stored() => {
            // The archive's checksum covers the whole entry, so a part cannot be verified.
            let is_whole = stored.size == (count * width) as u64;
            let checksum = stored.checksum().filter(|_| is_whole);
            let start = stored.start(source)? + offset;
            contiguous(source, (tensor.dtype, start), count, checksum)
        }
        Storage::Raw { start, size } => {
            Ok(gather(tensor, &source.bytes(*start, *size).map_err(|error| error.to_string())?))
        }
        Storage::Zip(entry) => Ok(gather(tensor, &entry.read(source, limit)?)),
    }
}

impl StridedTensor {
    /// Whether its elements are contiguous in row-major order.
    fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        self.shape.iter().zip(&self.strides).rev().all(|(size, stride)| {
            // The stride of an axis with one element is arbitrary.
            let fits = *size == 1 || *stride == expected;
            expected *= size;
            fits
        })
    }
}

/// Reads `count` contiguous values from byte `start`; f32 values without a copy in between.
pub(super) fn contiguous(
    source: &dyn RandomAccess,
    (dtype, start): (Dtype, u64),
    count: usize,
    checksum: Option<u32>,
) -> Result<Vec<f32>, String> {
    let width = dtype.bitsize() / 8;
    let bytes = count as u64 * width as u64;
    if start.checked_add(bytes).is_none_or(|end| end > source.length()) {
        return Err(format!("{bytes} bytes from byte {start} expected, the file has {}", source.length()));
    }
    let mut values = vec![0_f32; count];
    let Some(expected) = checksum else {
        // Billions of numbers: reading, converting and touching new memory are shared out.
        let chunks = values.par_chunks_mut(CHUNK / width).enumerate();
        chunks.try_for_each_init(Vec::new, |buffer, (at, chunk)| {
            read_chunk(source, (dtype, start + (at * (CHUNK / width) * width) as u64), chunk, buffer, |_| {})
        })?;
        return Ok(values);
    };
    let (mut sum, mut at, mut buffer) = (crc32fast::Hasher::new(), start, Vec::new());
    for chunk in values.chunks_mut(CHUNK / width) {
        // While the bytes are still in the cache.
        read_chunk(source, (dtype, at), chunk, &mut buffer, |raw| sum.update(raw))?;
        at += (chunk.len() * width) as u64;
    }
    if expected == sum.finalize() {
        Ok(values)
    } else {
        Err("checksum mismatch: the file is damaged".to_owned())
    }
}

/// Reads values from byte `start`, and shows their bytes to `inspect`; f32 values without a copy in between.
fn read_chunk(
    source: &dyn RandomAccess,
    (dtype, start): (Dtype, u64),
    values: &mut [f32],
    buffer: &mut Vec<u8>,
    inspect: impl FnOnce(&[u8]),
) -> Result<(), String> {
    if dtype == Dtype::F32 {
        let raw: &mut [u8] = bytemuck::cast_slice_mut(values);
        source.read_exact_at(start, raw).map_err(|e| e.to_string())?;
        inspect(raw);
        values.iter_mut().for_each(|value| *value = f32::from_bits(u32::from_le(value.to_bits())));
        return Ok(());
    }
    // Converted chunk by chunk: narrow types would need a second copy of the tensor.
    buffer.resize(values.len() * dtype.bitsize() / 8, 0);
    source.read_exact_at(start, buffer).map_err(|e| e.to_string())?;
    inspect(buffer);
    convert(dtype, buffer, values);
    Ok(())
}

/// The elements of a view in row-major order.
fn gather(tensor: &StridedTensor, bytes: &[u8]) -> Vec<f32> {
    let width = tensor.dtype.bitsize() / 8;
    let count: usize = tensor.shape.iter().product();
    let mut values = vec![0.0; count];
    let mut index = vec![0; tensor.shape.len()];
    for value in &mut values {
        let at = tensor.storage_offset
            + index.iter().zip(&tensor.strides).map(|(i, stride)| i * stride).sum::<usize>();
        // Opening made sure that the storage reaches this far.
        if let Some(raw) = bytes.get(at * width..(at + 1) * width) {
            convert(tensor.dtype, raw, std::slice::from_mut(value));
        }
        // Advances the index like an odometer, last axis first.
        for (i, size) in index.iter_mut().zip(&tensor.shape).rev() {
            *i += 1;
            if *i < *size {
                break;
            }
            *i = 0;
        }
    }
    values
}

/// Converts little-endian values to f32.
fn convert(dtype: Dtype, raw: &[u8], into: &mut [f32]) {
    fn each<const N: usize>(raw: &[u8], into: &mut [f32], value: impl Fn([u8; N]) -> f32) {
        into.iter_mut().zip(raw.as_chunks::<N>().0).for_each(|(to, from)| *to = value(*from));
    }
    match dtype {
        Dtype::F16 => each(raw, into, |b| f16::from_le_bytes(b).to_f32()),
        Dtype::BF16 => each(raw, into, |b| bf16::from_le_bytes(b).to_f32()),
        #[expect(clippy::cast_possible_truncation, reason = "networks compute in f32")]
        Dtype::F64 => each(raw, into, |b| f64::from_le_bytes(b) as f32),
        _ => each(raw, into, f32::from_le_bytes),
    }
}
