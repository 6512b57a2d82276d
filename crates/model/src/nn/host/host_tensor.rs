//! Tensors as `f32` slices, and back.

use burn::backend::TensorData;
use burn::backend::flex::FlexTensor;

/// A contiguous `f32` tensor.
#[derive(Clone, Debug)]
pub(crate) struct HostTensor(FlexTensor);

impl HostTensor {
    pub fn of(tensor: FlexTensor) -> Self {
        Self(tensor.to_contiguous())
    }

    pub fn as_slice(&self) -> &[f32] {
        self.0.as_slice().expect("contiguous, and callers give 32-bit numbers")
    }

    /// The values, or `None` for the empty tensor that replaces an optional one.
    pub fn non_empty(&self) -> Option<&[f32]> {
        Some(self.as_slice()).filter(|values| !values.is_empty())
    }

    pub fn shape(&self) -> &[usize] {
        self.0.layout().shape()
    }

    pub fn width(&self) -> usize {
        self.shape().last().copied().unwrap_or(1)
    }
}

pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Vec<usize>>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.into()))
}

/// A shape with its last axis replaced by `width`.
pub(super) fn with_last_dim(shape: &[usize], width: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(last) = shape.last_mut() {
        *last = width;
    }
    shape
}

/// The values of a tensor, owned: copied only if the tensor is shared.
pub(super) fn into_vec(tensor: FlexTensor) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_into_vec().expect("callers give 32-bit numbers")
}
