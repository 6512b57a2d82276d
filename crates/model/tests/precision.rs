//! Inference in `bf16` against the same network in `f32`. Machines without a unit for `bf16` compute both in `f32`.

use burn::tensor::{Device, Distribution, Tensor};
use lexiform_model::ComputePrecision;
use lexiform_model::clip::{ClipConfig, ClipText, ClipVision};
use lexiform_model::tokenizer::Tokenizer;
use lexiform_model::weights::WeightSource;

fn source(precision: ComputePrecision) -> WeightSource<'static> {
    WeightSource::random(7, &Device::flex()).with_precision(precision)
}

fn rows(features: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, dim] = features.dims();
    let values: Vec<f32> = features.into_data().try_into_vec().unwrap();
    values.chunks_exact(dim).map(<[f32]>::to_vec).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn assert_same_space(found: &[Vec<f32>], expected: &[Vec<f32>], what: &str) {
    assert_eq!(found.len(), expected.len());
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let cosine = cosine(found, expected);
        assert!(cosine >= 0.9999, "{what}, row {at}: cosine {cosine}");
    }
}

/// A tower of four blocks as wide as ViT-B/32's.
fn config() -> ClipConfig {
    let mut config = ClipConfig::vit_b_32();
    (config.vision.layers, config.text.layers) = (4, 4);
    config
}

#[test]
fn image_features_of_both_precisions_are_in_one_space() {
    let config = config();
    let towers = [ComputePrecision::F32, ComputePrecision::Bf16]
        .map(|precision| ClipVision::load(&source(precision), &config).unwrap());
    let normal = Distribution::Normal(0.0, 1.0);
    // Views of two shapes; attention over 50 tokens, 150 tokens, and from one block on.
    let pixels = Tensor::<4>::random([6, 3, 224, 224], normal, &Device::flex());
    for joint_from in [0, 2, 4] {
        let [expected, found] =
            [0, 1].map(|at: usize| rows(towers[at].encode(pixels.clone(), 3, joint_from)));
        assert_same_space(&found, &expected, &format!("joint from {joint_from}"));
    }
    // All tokens of the last block, where the above computes one of each view.
    let [expected, found] = [0, 1].map(|at: usize| {
        let tokens = towers[at].encode_tokens(pixels.clone());
        let [images, tokens_of, width] = tokens.dims();
        rows(tokens.reshape([images * tokens_of, width]))
    });
    assert_same_space(&found, &expected, "tokens");
}

#[test]
fn text_features_of_both_precisions_are_in_one_space() {
    let config = config();
    let towers = [ComputePrecision::F32, ComputePrecision::Bf16]
        .map(|precision| ClipText::load(&source(precision), &config).unwrap());
    let texts = ["a chair", "a red armchair with four wooden legs and a high back", ""];
    let tokens = Tokenizer::Clip.encode(&texts, config.text.context);
    for tokens in [tokens.clone(), tokens.trimmed()] {
        let [expected, found] = [0, 1].map(|at: usize| rows(towers[at].encode(&tokens)));
        assert_same_space(&found, &expected, "text");
    }
}

/// Blocks of other sizes than whole tiles: an odd number of rows, widths and heads that 32 does not divide.
#[test]
fn odd_sizes_are_in_one_space() {
    let mut config = config();
    config.vision.width = 208;
    config.vision.head_width = 52;
    config.vision.layers = 2;
    config.vision.image_size = 96;
    let towers = [ComputePrecision::F32, ComputePrecision::Bf16]
        .map(|precision| ClipVision::load(&source(precision), &config).unwrap());
    for images in [1, 5] {
        let normal = Distribution::Normal(0.0, 1.0);
        let pixels = Tensor::<4>::random([images, 3, 96, 96], normal, &Device::flex());
        let [expected, found] = [0, 1].map(|at: usize| rows(towers[at].encode(pixels.clone(), images, 1)));
        assert_same_space(&found, &expected, &format!("{images} images"));
    }
}
