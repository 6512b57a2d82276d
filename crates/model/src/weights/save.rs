//! Saving tensors to a `.safetensors` file.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Tensor;
use half::f16;
use safetensors::tensor::{Dtype, TensorView};

use super::error::WeightsError;

/// Precision of the values in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    Full,
    /// 16 bits (IEEE half precision).
    Half,
}

/// Named tensors to save, in order.
#[derive(Default)]
pub struct TensorList {
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

impl TensorList {
    /// Adds a tensor.
    pub fn push<const D: usize>(&mut self, name: String, tensor: Tensor<D>) {
        let shape = tensor.dims().to_vec();
        let values = tensor.into_data().convert::<f32>().try_into_vec().expect("just converted to f32");
        self.tensors.push((name, shape, values));
    }

    /// Adds a tensor by its values; their number must be the product of the shape.
    pub fn push_values(&mut self, name: String, shape: Vec<usize>, values: Vec<f32>) {
        self.tensors.push((name, shape, values));
    }

    /// Names, shapes and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.tensors.iter().map(|(name, shape, values)| (name.as_str(), shape.as_slice(), values.as_slice()))
    }

    /// Number of elements of all tensors.
    pub fn n_elements(&self) -> usize {
        self.tensors.iter().map(|(_, _, values)| values.len()).sum()
    }

    /// Writes all tensors with text entries in the header. The file is complete or absent.
    ///
    /// # Errors
    /// If the tensors do not form a valid file, or it cannot be written.
    pub fn write(
        &self,
        path: &Path,
        precision: Precision,
        metadata: HashMap<String, String>,
    ) -> Result<(), WeightsError> {
        let invalid = |e: safetensors::SafeTensorError| WeightsError::Format {
            path: path.to_owned(),
            format: "safetensors",
            message: e.to_string(),
        };
        let encoded: Vec<Vec<u8>> =
            self.tensors.iter().map(|(_, _, values)| encode(values, precision)).collect();
        let dtype = match precision {
            Precision::Full => Dtype::F32,
            Precision::Half => Dtype::F16,
        };
        let mut views = Vec::new();
        for ((name, shape, _), bytes) in self.tensors.iter().zip(&encoded) {
            views.push((name.as_str(), TensorView::new(dtype, shape.clone(), bytes).map_err(invalid)?));
        }
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(invalid)?;
        // Through a temporary file: an interrupted save leaves no half-written model.
        Ok(lexiform_formats::write_file(path, &bytes)?)
    }
}

fn encode(values: &[f32], precision: Precision) -> Vec<u8> {
    match precision {
        Precision::Full => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Precision::Half => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
    }
}
