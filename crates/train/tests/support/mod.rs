//! Settings for tiny networks, and golden tensors.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use glam::Vec3;
use lexiform_model::point::PreparedCloud;
use lexiform_train::optim::parameters::{load_values, parameters, values as values_of};
use lexiform_train::{Checkpoint, FitOptions, Recipe, TrainEvent, fit};

/// A point encoder with a few thousand parameters.
pub const TINY_ENCODER: &[&str] = &[
    "network.tower.encoder.width=32",
    "network.tower.encoder.layers=2",
    "network.tower.encoder.heads=2",
    "network.tower.encoder.mlp_width=64",
    "network.tower.encoder.group_width=16",
    "network.input.n_points=128",
];
/// The built-in model as teacher, whose features are 128 wide.
pub const WITH_TEACHER: &[&str] = &["teacher=nano", "network.tower.projection.dim=128"];
/// A small classification head.
pub const TINY_HEAD: &[&str] = &["network.head={ hidden_width = 16, dropout = 0.1 }"];
/// Few points in few groups.
pub const FEW_GROUPS: &[&str] = &["network.tower.encoder.groups=8", "network.tower.encoder.group_size=8"];

/// A CLIP of a few thousand parameters.
pub const TINY_CLIP: &[&str] = &[
    "network.dim=16",
    "network.image_size=32",
    "network.width=32",
    "network.layers=2",
    "network.head_width=16",
    "network.joint_from=1",
    "network.text_width=16",
    "network.text_layers=1",
    "network.n_views=2",
];

/// A recipe of the repository with settings.
pub fn recipe(name: &str, settings: &[&str]) -> Recipe {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(name);
    let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
    Recipe::read(&path, &settings).unwrap()
}

/// Trains, and returns the losses of every step.
pub fn train(recipe: &Recipe, out: &Path, options: &FitOptions) -> Vec<f64> {
    let mut losses = Vec::new();
    fit(recipe, out, options, &mut |event| {
        if let TrainEvent::Step(step) = event {
            losses.push(step.loss);
        }
    })
    .unwrap();
    losses
}

/// The checkpoint of an output folder.
pub fn checkpoint(out: &Path) -> Checkpoint {
    Checkpoint::read(&out.join("checkpoint.safetensors")).unwrap()
}

/// A file of golden tensors.
pub struct Golden(lexiform_golden::Golden);

impl Golden {
    /// A file of `fixtures/`.
    pub fn read(name: &str) -> Self {
        Self(lexiform_golden::Golden::read(&lexiform_golden::fixture(name)))
    }

    /// A file outside of the repository, because of its size.
    pub fn shared(name: &str) -> Self {
        Self(lexiform_golden::Golden::read(&lexiform_golden::shared("fixtures").join(name)))
    }

    pub fn names(&self) -> Vec<String> {
        self.0.names()
    }

    pub fn shape(&self, name: &str) -> Vec<usize> {
        self.0.shape(name)
    }

    /// Values of a tensor of any numeric type.
    pub fn values(&self, name: &str) -> Vec<f64> {
        self.0.values(name)
    }

    pub fn number(&self, name: &str) -> f64 {
        self.0.number(name)
    }

    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let values: Vec<f32> = self.values(name).into_iter().map(|v| v as f32).collect();
        let shape: [usize; D] = match self.shape(name) {
            shape if shape.is_empty() => [1; D],
            shape => shape.try_into().unwrap(),
        };
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}

/// The folder of golden files.
pub fn fixtures() -> PathBuf {
    lexiform_golden::fixture("")
}

pub fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f64> {
    tensor.to_data().iter::<f64>().collect()
}

/// Replaces parameters by their gradients, so that they can be saved under a reference's names; also returns the names of
/// trainable tensors without a gradient.
pub fn with_gradients<M: Module>(network: &M, gradients: &GradientsParams) -> (M, Vec<String>) {
    let (mut all, mut without) = (values_of(&network.valid()), Vec::new());
    for parameter in parameters(network).into_iter().filter(|p| p.requires_grad) {
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
    (load_values(network.valid(), &all).unwrap(), without)
}

/// Clouds of `[clouds, points, 3 or 6]` numbers: positions, and colors where there are six.
pub fn clouds(inputs: &Golden, name: &str) -> Vec<PreparedCloud> {
    let shape = inputs.shape(name);
    let numbers: Vec<f32> = inputs.values(name).into_iter().map(|v| v as f32).collect();
    let cloud = |rows: &[f32]| PreparedCloud {
        positions: rows.chunks(shape[2]).map(Vec3::from_slice).collect(),
        colors: rows
            .chunks(shape[2])
            .filter(|row| row.len() == 6)
            .map(|row| Vec3::from_slice(&row[3..]))
            .collect(),
    };
    numbers.chunks(shape[1] * shape[2]).map(cloud).collect()
}
