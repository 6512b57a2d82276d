//! PointLLM v1.2 against the authors' point backbone and transformers' Llama: tokens, logits, greedy answers, and the tokenizer of
//! Llama. The fixture is from `xtask/peers/pointllm.py`.

mod support;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::Device;
use glam::Vec3;
use lexiform_geometry::PointCloud;
use lexiform_model::lm::{DecodingStrategy, TextOptions};
use lexiform_model::point::PreparedCloud;
use lexiform_model::pointllm::PointLlm;
use lexiform_model::weights::{Precision, TensorList};
use serde_json::Value;
use support::{Golden, check, values};

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;
/// New tokens of the fixture's answer.
const LENGTH: usize = 32;
/// Edge of the weight that the fixture does not store.
const RULED_EDGE: usize = 512;

fn golden() -> Golden {
    Golden::new("pointllm_tiny")
}

/// The weight that follows a rule, as `ruled` in the script.
fn ruled() -> Vec<f32> {
    let number = |i: u64| ((i * 2_654_435_761 + 12_345) >> 16) % 2048;
    (0..(RULED_EDGE * RULED_EDGE) as u64).map(|i| (number(i) as f32 - 1024.0) / 32_768.0).collect()
}

/// Copies the fixture and writes the file that it lacks.
fn complete(folder: &Path) {
    for entry in std::fs::read_dir(golden().path("config.json").parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    let mut list = TensorList::default();
    let name = "model.point_backbone.encoder.second_conv.0.weight";
    list.push_values(name.to_owned(), vec![RULED_EDGE, RULED_EDGE, 1], ruled());
    list.write(&folder.join("model-00003-of-00003.safetensors"), Precision::Half, HashMap::new()).unwrap();
}

fn open(folder: &Path) -> Result<PointLlm, String> {
    PointLlm::open(folder.to_str().unwrap(), &Device::flex()).map_err(|error| error.to_string())
}

fn tiny() -> (tempfile::TempDir, PointLlm, Value) {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let model = open(folder.path()).unwrap();
    (folder, model, support::expected_json(&golden()))
}

fn numbers(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn cloud() -> PreparedCloud {
    let all = golden().values("expected.safetensors", "cloud");
    let part = |from: usize| all.chunks_exact(6).map(|point| Vec3::from_slice(&point[from..])).collect();
    PreparedCloud { positions: part(0), colors: part(3) }
}

#[test]
fn tokens_and_logits_match_the_reference() {
    let (_folder, model, expected) = tiny();
    let golden = golden();
    let reference = |name: &str| golden.values("expected.safetensors", name);
    let tokens = model.point_tokens(&cloud()).unwrap();
    check("pointllm backbone", &values(&tokens), &reference("tokens"), TOLERANCE);
    check("pointllm projector", &values(&model.project(tokens)), &reference("projected"), TOLERANCE);
    let question = expected["question"].as_str().unwrap();
    assert_eq!(model.prompt_ids(question), numbers(&expected["ids"]));
    let prompt = model.embed_prompt(&cloud(), question).unwrap();
    let language = model.generator().language_model();
    let x = language.append(&mut language.init_state(None), prompt);
    let [rows, tokens, width] = x.dims();
    let logits = language.logits(x.reshape([rows * tokens, width]));
    check("pointllm logits", &values(&logits), &reference("logits"), TOLERANCE);
}

#[test]
fn greedy_answers_are_those_of_the_reference() {
    let (_folder, model, expected) = tiny();
    let prompt = model.embed_prompt(&cloud(), expected["question"].as_str().unwrap()).unwrap();
    let options =
        TextOptions { decoding: DecodingStrategy::Greedy, max_tokens: LENGTH, ..PointLlm::default_options() };
    let mut on_step = |_: &[u32]| ControlFlow::Continue(());
    let ids = model.generator().generate_ids_after(prompt.clone(), &options, &mut on_step).unwrap();
    assert_eq!(ids, [numbers(&expected["greedy"])]);
    let texts = model.generator().generate_after(prompt, &options, &mut |_| {}).unwrap();
    assert_eq!(texts[0].trim(), expected["text"].as_str().unwrap());
}

#[test]
fn characters_with_bytes_as_a_fallback_are_encoded_as_the_reference_does() {
    let (_folder, model, expected) = tiny();
    let tokenizer = model.generator().tokenizer();
    for pair in expected["encoded"].as_array().unwrap() {
        let text = pair[0].as_str().unwrap();
        assert_eq!(tokenizer.encode(text), numbers(&pair[1]), "{text:?}");
    }
    for pair in expected["decoded"].as_array().unwrap() {
        assert_eq!(tokenizer.decode(&numbers(&pair[0])), pair[1].as_str().unwrap());
    }
}

#[test]
fn clouds_of_any_scale_and_size_have_one_answer() {
    let (_folder, model, _) = tiny();
    let options = TextOptions { max_tokens: 8, ..PointLlm::default_options() };
    let ask = |cloud: &PointCloud| model.answer(cloud, "What is this?", &options, &mut |_| {});
    let points = |scale: f32, count: usize| {
        // A power of two, so that scaling rounds nothing.
        let point = |i: usize| Vec3::new((i % 7) as f32, (i % 11) as f32, (i % 13) as f32) * scale;
        PointCloud::new((0..count).map(point).collect()).unwrap()
    };
    assert_eq!(ask(&points(1.0, 300)).unwrap(), ask(&points(64.0, 300)).unwrap());
    assert_eq!(ask(&points(1.0, 1)).unwrap().len(), 1);
    assert!(ask(&PointCloud::default()).unwrap_err().to_string().contains("no points"));
    let long = "why ".repeat(200);
    let error = model.answer(&points(1.0, 9), &long, &options, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("256"), "{error}");
    // A question that names the token of points adds none.
    assert_eq!(model.prompt_ids("<point_patch>Why?"), model.prompt_ids("Why?"));
}

#[test]
fn other_versions_and_incomplete_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    complete(folder.path());
    let config = folder.path().join("config.json");
    let text = std::fs::read_to_string(&config).unwrap();
    let check = |from: &str, to: &str, expected: &str| {
        assert!(text.contains(from), "{from}");
        std::fs::write(&config, text.replace(from, to)).unwrap();
        let error = open(folder.path()).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    check("PointTransformer_8192point_2layer", "PointTransformer_base_8192point", "v1.1");
    check("\"PointBERT\"", "\"PointNet\"", "found \"PointNet\"");
    check("\"num_heads\": 3", "\"num_heads\": 5", "5 heads");
    check("\"<point_patch>\"", "\"<points>\"", "no token \"<points>\"");
    std::fs::write(&config, &text).unwrap();
    std::fs::remove_file(folder.path().join("model-00003-of-00003.safetensors")).unwrap();
    assert!(open(folder.path()).unwrap_err().contains("model-00003-of-00003.safetensors"));
    std::fs::remove_file(&config).unwrap();
    complete(folder.path());
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert!(open(folder.path()).unwrap_err().contains("tokenizer.json"));
}
