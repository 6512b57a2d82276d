//! Saving tensors to a `.safetensors` file.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Tensor;
use half::f16;
use safetensors::tensor::{Dtype, TensorView};

use super::error::WeightsError;
use super::int8;

/// Precision of the values in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    Full,
    /// 16 bits (IEEE half precision).
    Half,
    /// 8 bits for matrices, with one factor per row; 16 bits for other tensors.
    Int8,
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
        let encoded: Vec<StoredTensor> = self.iter().flat_map(|tensor| encode(tensor, precision)).collect();
        let mut views = Vec::with_capacity(encoded.len());
        for (name, dtype, shape, bytes) in &encoded {
            views.push((name, TensorView::new(*dtype, shape.clone(), bytes).map_err(invalid)?));
        }
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(invalid)?;
        // Through a temporary file: an interrupted save leaves no half-written model.
        Ok(lexiform_formats::write_file(path, &bytes)?)
    }
}

/// Name, type, shape and bytes.
type StoredTensor = (String, Dtype, Vec<usize>, Vec<u8>);

fn encode((name, shape, values): (&str, &[usize], &[f32]), precision: Precision) -> Vec<StoredTensor> {
    let single = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    let stored = |dtype, bytes| vec![(name.to_owned(), dtype, shape.to_vec(), bytes)];
    match precision {
        Precision::Full => stored(Dtype::F32, single(values)),
        Precision::Int8 if int8::is_stored_as_int8(shape) => {
            let (bytes, scales) = int8::quantize(values, shape[0]);
            let factors = (int8::scale_name(name), Dtype::F32, vec![shape[0]], single(&scales));
            [stored(Dtype::I8, bytes), vec![factors]].concat()
        }
        Precision::Half | Precision::Int8 => {
            stored(Dtype::F16, values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect())
        }
    }
}
