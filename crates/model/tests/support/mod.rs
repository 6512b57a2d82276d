//! Golden tensors and how to compare with them.

use std::path::PathBuf;

use burn::tensor::Tensor;
use safetensors::SafeTensors;

/// A folder of `fixtures/`.
pub struct Golden {
    folder: PathBuf,
}

impl Golden {
    pub fn new(name: &str) -> Self {
        Self { folder: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name) }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// Shape and bytes of a tensor.
    pub fn bytes(&self, file: &str, name: &str) -> (Vec<usize>, Vec<u8>) {
        let bytes = std::fs::read(self.path(file)).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let view = tensors.tensor(name).unwrap();
        (view.shape().to_vec(), view.data().to_vec())
    }

    /// An f32 tensor.
    pub fn values(&self, file: &str, name: &str) -> Vec<f32> {
        let (_, bytes) = self.bytes(file, name);
        bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }
}

/// Values of a tensor.
pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().unwrap()
}

/// Largest difference over the largest expected value.
pub fn relative_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let difference = found.iter().zip(expected).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
    difference / largest
}

/// Fails with the name and the difference when it is above the tolerance; prints it for docs/parity.md.
pub fn check(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    let difference = relative_difference(found, expected);
    println!("{name}: {difference:.1e}");
    assert!(difference <= tolerance, "{name}: relative difference {difference:e} > {tolerance:e}");
}
