//! Optimizers against PyTorch's, and what parameter groups select.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use lexiform_golden::check;
use lexiform_model::clip::{ClipConfig, ClipVision, TextConfig, VisionConfig, VisionStyle};
use lexiform_model::nn::Activation;
use lexiform_model::weights::WeightSource;
use lexiform_train::optim::ParameterGroups;
use lexiform_train::optim::parameters::{values, with_stable_ids};
use lexiform_train::{GroupConfig, Recipe, RunPosition, Schedule};
use serde::Deserialize;

/// Both compute in `f32`; the order of two products differs.
const WEIGHT: f64 = 1e-6;

type Tensors = BTreeMap<String, Vec<f64>>;

#[derive(Deserialize)]
struct Golden {
    start: Tensors,
    gradients: Vec<Tensors>,
    runs: Vec<SgdRun>,
}

#[derive(Deserialize)]
struct SgdRun {
    nesterov: bool,
    weights: Vec<Tensors>,
}

#[derive(Module, Debug)]
struct Weights {
    matrix: Param<Tensor<2>>,
    vector: Param<Tensor<1>>,
}

fn tensor<const D: usize>(values: &[f64], dims: [usize; D], device: &Device) -> Tensor<D> {
    let values: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    Tensor::from_data(TensorData::new(values, dims), device)
}

fn sgd(momentum: f32, nesterov: bool) -> BTreeMap<String, GroupConfig> {
    let text = format!(
        "optimizer = {{ kind = \"sgd\", momentum = {momentum:?}, nesterov = {nesterov} }}\nlearning_rate = 0.1\nweight_decay = 0.02"
    );
    BTreeMap::from([("all".to_owned(), toml::from_str(&text).unwrap())])
}

/// `xtask/peers/sgd.py`.
#[test]
fn sgd_equals_torch() {
    let text = std::fs::read(lexiform_golden::fixture("training/sgd.json")).unwrap();
    let golden: Golden = serde_json::from_slice(&text).unwrap();
    let device = Device::flex().autodiff();
    assert_eq!(golden.runs.iter().map(|run| run.nesterov).collect::<Vec<_>>(), [false, true]);
    for run in &golden.runs {
        let mut weights = with_stable_ids(Weights {
            matrix: Param::from_tensor(tensor(&golden.start["matrix"], [3, 4], &device)),
            vector: Param::from_tensor(tensor(&golden.start["vector"], [4], &device)),
        });
        let constant = Schedule::Constant {};
        let mut groups = ParameterGroups::new(&sgd(0.9, run.nesterov), constant, None, &weights).unwrap();
        for (step, expected) in run.weights.iter().enumerate() {
            let inner = device.clone().inner();
            let mut gradients = GradientsParams::new();
            gradients.register(weights.matrix.id, tensor(&golden.gradients[step]["matrix"], [3, 4], &inner));
            gradients.register(weights.vector.id, tensor(&golden.gradients[step]["vector"], [4], &inner));
            let position = RunPosition { step, steps: 3, steps_per_epoch: 1 };
            weights = groups.step(weights, gradients, position).0;
            let found = values(&weights.valid());
            for (name, expected) in expected {
                let found: Vec<f64> = found[name].iter::<f64>().collect();
                check(&format!("{name}, step {step}, nesterov {}", run.nesterov), &found, expected, WEIGHT);
            }
        }
    }
}

#[derive(Module, Debug)]
struct Student {
    vision: ClipVision,
    logit_scale: Param<Tensor<1>>,
}

/// The attention of a ViT-B/32; its MLPs, which are frozen, are small.
fn vit_b32_attention(device: &Device) -> Student {
    let vision = VisionConfig {
        image_size: 32,
        patch: 32,
        width: 768,
        layers: 12,
        head_width: 64,
        mlp_ratio: 1.0 / 96.0,
        style: VisionStyle::Clip,
        prompts: 0,
        activation: None,
        epsilon: None,
    };
    let text = TextConfig { context: 4, vocabulary: 8, width: 8, heads: 1, layers: 1, mlp_ratio: 1.0 };
    let config = ClipConfig { dim: 8, vision, text, activation: Activation::Gelu };
    let vision = ClipVision::load(&WeightSource::random(0, device), &config).unwrap();
    with_stable_ids(Student { vision, logit_scale: Param::from_tensor(Tensor::from_floats([1.0], device)) })
}

fn duoduo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/duoduo.toml")
}

/// Counts of the reference with `layers_threshold` 0, 6 and 12; a block's attention has 4 · 768² + 4 · 768 parameters.
#[test]
fn one_key_sets_joint_attention_and_what_is_trained() {
    let device = Device::flex().autodiff();
    let student = vit_b32_attention(&device);
    for (layers_threshold, count, tensors) in [(0, 28_348_417, 49), (6, 14_174_209, 25), (12, 1, 1)] {
        let recipe = Recipe::read(&duoduo(), &[format!("network.joint_from={layers_threshold}")]).unwrap();
        let groups = &recipe.param_groups;
        let groups = ParameterGroups::new(groups, recipe.schedule, Some(layers_threshold), &student).unwrap();
        let group = groups.iter().next().unwrap();
        assert_eq!((group.n_parameters, group.n_tensors()), (count, tensors), "from {layers_threshold}");
    }
}

#[test]
fn patterns_that_name_nothing_are_errors() {
    let device = Device::flex().autodiff();
    let weights = with_stable_ids(Weights {
        matrix: Param::from_tensor(Tensor::zeros([2, 2], &device)),
        vector: Param::from_tensor(Tensor::zeros([2], &device)),
    });
    let error = |pattern: &str, joint_from| {
        let set = format!("param_groups.attention.params=[\"{pattern}\"]");
        let recipe = Recipe::read(&duoduo(), &[set]).unwrap();
        let groups = ParameterGroups::new(&recipe.param_groups, recipe.schedule, joint_from, &weights);
        groups.err().unwrap().to_string()
    };
    let without_momentum = ParameterGroups::new(&sgd(0.0, true), Schedule::Constant {}, None, &weights);
    assert!(without_momentum.err().unwrap().to_string().contains("requires momentum above 0"));
    assert!(error("vision.{joint_from}+", Some(1)).contains("matches no parameter"));
    assert!(error("matrix.{joint_from}+", None).contains("attends across views; this network has none"));
    assert!(error("matrices", Some(1)).contains("matches no parameter"));
}
