//! Tensors as slices of numbers, and back.

use burn::backend::TensorData;
use burn::backend::flex::FlexTensor;

/// A tensor's numbers, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Numbers(FlexTensor);

impl Numbers {
    pub fn of(tensor: FlexTensor) -> Self {
        Self(tensor.to_contiguous())
    }

    pub fn as_slice(&self) -> &[f32] {
        self.0.as_slice().expect("contiguous, and callers give 32-bit numbers")
    }

    /// The numbers, where there are any.
    pub fn given(&self) -> Option<&[f32]> {
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

/// The shape of rows of another width.
pub(super) fn with_width(shape: &[usize], width: usize) -> Vec<usize> {
    let mut shape = shape.to_vec();
    if let Some(last) = shape.last_mut() {
        *last = width;
    }
    shape
}

/// A tensor's numbers to change, copied only where others hold them too.
pub(super) fn own(tensor: FlexTensor) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_into_vec().expect("callers give 32-bit numbers")
}
