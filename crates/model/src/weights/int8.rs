//! Matrices in one byte per number: each row is a row of bytes times the row's factor, which is the largest magnitude of the row
//! divided by 127. Factors are in a tensor of their own, `NAME.scale`.

use std::collections::BTreeMap;

use safetensors::tensor::Dtype;

use super::header::TensorInfo;

/// Appended to the name of a tensor for that of its factors.
const SCALE: &str = ".scale";
/// Smaller matrices stay in half precision: they are few, and often read by value.
const MIN_ELEMENTS: usize = 1024;
/// The largest byte, for the largest magnitude.
const LARGEST: f32 = 127.0;

/// The name of a tensor's factors.
pub(super) fn scale_name(name: &str) -> String {
    format!("{name}{SCALE}")
}

/// Whether a tensor of this shape is stored in bytes.
pub(super) fn is_stored_as_int8(shape: &[usize]) -> bool {
    shape.len() >= 2 && shape.iter().product::<usize>() >= MIN_ELEMENTS
}

/// Rows of values as bytes, and the factors of the rows.
pub(super) fn quantize(values: &[f32], rows: usize) -> (Vec<u8>, Vec<f32>) {
    let width = values.len() / rows.max(1);
    let (mut bytes, mut scales) = (Vec::with_capacity(values.len()), Vec::with_capacity(rows));
    for row in values.chunks_exact(width.max(1)) {
        let largest = row.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        let scale = if largest > 0.0 { largest / LARGEST } else { 1.0 };
        scales.push(scale);
        bytes.extend(row.iter().map(|value| (value / scale).round().clamp(-LARGEST, LARGEST) as i8 as u8));
    }
    (bytes, scales)
}

/// Names of the tensors in bytes, whose factors are in the file too.
pub(super) fn names(tensors: &BTreeMap<String, TensorInfo>) -> Vec<String> {
    let is_paired = |(name, bytes): &(&String, &TensorInfo)| {
        let scale = tensors.get(&scale_name(name)).filter(|_| bytes.dtype == Dtype::I8);
        scale.is_some_and(|scale| {
            scale.dtype == Dtype::F32 && scale.shape.len() == 1 && bytes.shape.first() == scale.shape.first()
        })
    };
    tensors.iter().filter(is_paired).map(|(name, _)| name.clone()).collect()
}

/// The values of rows of bytes and the factors of the rows.
pub(super) fn dequantize(bytes: &[u8], scales: &[f32]) -> Vec<f32> {
    let width = (bytes.len() / scales.len().max(1)).max(1);
    let mut values = Vec::with_capacity(bytes.len());
    for (row, scale) in bytes.chunks_exact(width).zip(scales) {
        values.extend(row.iter().map(|byte| f32::from(*byte as i8) * scale));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_rounded_to_their_own_steps() {
        let (bytes, scales) = quantize(&[1.27, -0.5, 0.004, 254.0, 2.0, -3.0, 0.0, 0.0, 0.0], 3);
        assert_eq!(scales, [0.01, 2.0, 1.0]);
        let signed: Vec<i8> = bytes.iter().map(|byte| *byte as i8).collect();
        assert_eq!(signed, [127, -50, 0, 127, 1, -2, 0, 0, 0]);
        let expected = [1.27, -0.5, 0.0, 254.0, 2.0, -4.0, 0.0, 0.0, 0.0];
        assert!(
            dequantize(&bytes, &scales).iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-6)
        );
    }
}
