//! Captioners of embeddings: ClipCap against its authors' network in PyTorch (`xtask/peers/language_models.py`), and the built-in one.

mod support;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::caption::PrefixCaptioner;
use lexiform_model::lm::{DecodingStrategy, Sampling, TextOptions};
use lexiform_model::{Embedding, JointModel, OpenOptions};
use serde_json::Value;
use support::{Golden, check, values};

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;
/// Tokens of the fixture's captions.
const LENGTH: usize = 32;
/// Numbers of the fixture's embeddings.
const DIM: usize = 20;

fn golden() -> Golden {
    Golden::new("language_models/clipcap")
}

fn clipcap() -> PrefixCaptioner {
    PrefixCaptioner::open(golden().path("clipcap.pt").to_str().unwrap(), &Device::flex()).unwrap()
}

#[test]
fn clipcap_continues_embeddings_as_its_authors_network() {
    let (golden, captioner) = (golden(), clipcap());
    let embeddings = golden.values("expected.safetensors", "embeddings");
    let rows = embeddings.len() / DIM;
    let features = Tensor::from_data(TensorData::new(embeddings.clone(), [rows, DIM]), &Device::flex());
    // The logits of the first token: one token to predict in each row.
    let logits = captioner.network().forward(features, &vec![0; rows]);
    check("clipcap logits", &values(&logits), &golden.values("expected.safetensors", "logits"), TOLERANCE);
    let expected: Value = support::expected_json(&golden);
    let options = TextOptions { max_tokens: LENGTH, ..TextOptions::default() };
    for (embedding, text) in embeddings.chunks(DIM).zip(expected["texts"].as_array().unwrap()) {
        let found = captioner.caption(&Embedding::new(embedding.to_vec()).unwrap(), &options).unwrap();
        assert_eq!(found, [text.as_str().unwrap().trim()]);
    }
}

#[test]
fn embeddings_of_other_lengths_are_refused() {
    let error =
        clipcap().caption(&Embedding::new(vec![1.0; 19]).unwrap(), &TextOptions::default()).unwrap_err();
    assert!(error.to_string().contains("expected") || error.to_string().contains("20 numbers"), "{error}");
}

#[test]
fn the_built_in_captioner_says_what_a_text_says() {
    let captioner = PrefixCaptioner::built_in(&Device::flex()).unwrap();
    let model = JointModel::open("nano", &OpenOptions::default()).unwrap();
    assert_eq!(captioner.config().model, model.id());
    let options = PrefixCaptioner::default_options();
    for (text, word) in [
        ("a red wooden chair with four legs", "chair"),
        ("a yellow banana", "banana"),
        ("a green tree", "tree"),
    ] {
        let embedding = model.embed_texts(&[text]).unwrap().remove(0);
        let caption = captioner.caption(&embedding, &options).unwrap().remove(0);
        assert!(caption.contains(word), "{text}: {caption}");
    }
}

#[test]
fn sampled_captions_follow_their_seed() {
    let captioner = PrefixCaptioner::built_in(&Device::flex()).unwrap();
    let model = JointModel::open("nano", &OpenOptions::default()).unwrap();
    let embedding = model.embed_texts(&["a red car"]).unwrap().remove(0);
    let sampled = |seed| {
        let decoding = DecodingStrategy::Sample { sampling: Sampling::nucleus(0.95), sentences: 8 };
        let options = TextOptions { decoding, seed, ..PrefixCaptioner::default_options() };
        captioner.caption(&embedding, &options).unwrap()
    };
    assert_eq!(sampled(1), sampled(1));
    assert_ne!(sampled(1), sampled(2));
    assert_eq!(sampled(1).len(), 8);
}
