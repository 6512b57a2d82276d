//! Golden tensors of any type, and how to compare with them.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use glam::Vec3;
use lexiform_model::point::Cloud;
use lexiform_train::optim::parameters::{parameters, values as values_of, with_values};
use safetensors::SafeTensors;
use safetensors::tensor::Dtype;

/// An encoder of clouds with a few thousand numbers.
pub const TINY_ENCODER: &[&str] = &[
    "network.tower.encoder.width=32",
    "network.tower.encoder.layers=2",
    "network.tower.encoder.heads=2",
    "network.tower.encoder.mlp_width=64",
    "network.tower.encoder.group_width=16",
    "network.input.n_points=128",
];
/// What teaches it: the built-in model, whose features are 128 wide.
pub const TAUGHT: &[&str] = &["teacher=nano", "network.tower.projection.dim=128"];
/// A small head over it.
pub const TINY_HEAD: &[&str] = &["network.head={ hidden = 16, dropout = 0.1 }"];
/// A network of clouds, in few groups.
pub const FEW_GROUPS: &[&str] = &["network.tower.encoder.groups=8", "network.tower.encoder.group_size=8"];

/// A file of golden tensors.
pub struct Golden {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Golden {
    /// A file of `fixtures/`.
    pub fn read(name: &str) -> Self {
        Self::at(&fixtures().join(name))
    }

    /// A file that is too large to be kept here; where it is absent, says so.
    pub fn shared(name: &str) -> Option<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures").join(name);
        if path.exists() {
            return Some(Self::at(&path));
        }
        println!("skipped: {} is not here", path.display());
        None
    }

    fn at(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Self { path: path.to_owned(), bytes }
    }

    pub fn names(&self) -> Vec<String> {
        self.tensors().names().into_iter().map(str::to_owned).collect()
    }

    fn tensors(&self) -> SafeTensors<'_> {
        SafeTensors::deserialize(&self.bytes).unwrap_or_else(|e| panic!("{}: {e}", self.path.display()))
    }

    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.view(name).0
    }

    /// Values of a tensor of any numeric type.
    pub fn values(&self, name: &str) -> Vec<f64> {
        let (_, dtype, bytes) = self.view(name);
        match dtype {
            Dtype::F32 => numbers(&bytes, |b| f64::from(f32::from_le_bytes(b))),
            Dtype::F64 => numbers(&bytes, f64::from_le_bytes),
            Dtype::I64 => numbers(&bytes, |b| i64::from_le_bytes(b) as f64),
            Dtype::U8 => numbers(&bytes, |b: [u8; 1]| f64::from(b[0])),
            other => panic!("{name}: {other:?}"),
        }
    }

    pub fn number(&self, name: &str) -> f64 {
        self.values(name)[0]
    }

    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let values: Vec<f32> = self.values(name).into_iter().map(|v| v as f32).collect();
        let shape: [usize; D] = match self.shape(name) {
            shape if shape.is_empty() => [1; D],
            shape => shape.try_into().unwrap(),
        };
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    fn view(&self, name: &str) -> (Vec<usize>, Dtype, Vec<u8>) {
        let tensors = self.tensors();
        let view = tensors.tensor(name).unwrap_or_else(|e| panic!("{}: {name}: {e}", self.path.display()));
        (view.shape().to_vec(), view.dtype(), view.data().to_vec())
    }
}

/// The folder of golden files.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

fn numbers<const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    bytes.as_chunks::<N>().0.iter().map(|chunk| value(*chunk)).collect()
}

pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}

/// Largest difference over the largest expected value.
pub fn relative_difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-30f64, |m, x| m.max(x.abs()));
    found.iter().zip(expected).fold(0.0f64, |m, (a, b)| m.max((a - b).abs())) / largest
}

/// Fails with the name and the difference when it is above the tolerance; prints it for docs/parity.md.
pub fn check(name: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    let difference = relative_difference(found, expected);
    println!("{name}: {difference:.1e}");
    assert!(difference <= tolerance, "{name}: relative difference {difference:e} > {tolerance:e}");
}

/// The network with gradients in place of its values, so that they are saved as a reference has them; and the trained
/// tensors that have none.
pub fn with_gradients<M: Module>(network: &M, gradients: &GradientsParams) -> (M, Vec<String>) {
    let (mut all, mut without) = (values_of(&network.valid()), Vec::new());
    for parameter in parameters(network).into_iter().filter(|p| p.trained) {
        let data = match parameter.dims.len() {
            1 => gradients.get::<1>(parameter.id).map(|g| g.into_data()),
            2 => gradients.get::<2>(parameter.id).map(|g| g.into_data()),
            _ => gradients.get::<3>(parameter.id).map(|g| g.into_data()),
        };
        match data {
            Some(data) => drop(all.insert(parameter.name, data)),
            None => without.push(parameter.name),
        }
    }
    (with_values(network.valid(), &all).unwrap(), without)
}

/// Clouds of `[clouds, points, 3 or 6]` numbers: positions, and colors where there are six.
pub fn clouds(inputs: &Golden, name: &str) -> Vec<Cloud> {
    let shape = inputs.shape(name);
    let numbers: Vec<f32> = inputs.values(name).into_iter().map(|v| v as f32).collect();
    let cloud = |rows: &[f32]| Cloud {
        positions: rows.chunks(shape[2]).map(Vec3::from_slice).collect(),
        colors: rows
            .chunks(shape[2])
            .filter(|row| row.len() == 6)
            .map(|row| Vec3::from_slice(&row[3..]))
            .collect(),
    };
    numbers.chunks(shape[1] * shape[2]).map(cloud).collect()
}
