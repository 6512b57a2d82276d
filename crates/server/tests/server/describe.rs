//! Captions and embeddings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::Models;

#[test]
fn captions_say_what_something_is() {
    let models = Models::of_nano();
    let server = models.serve(|_| {});
    let caption = |item: Value| server.post("/v1/caption", &json!({ "item": item }));
    let of_text = caption(json!({ "text": "a chair" })).ok();
    let sentence = of_text["caption"].as_str().unwrap();
    assert!(sentence.contains("chair"), "{sentence}");
    let of_file = caption(json!({ "asset": server.id("kinds/green.ply") })).ok();
    assert!(of_file["caption"].as_str().unwrap().contains("green"), "{of_file}");
    assert!(of_file["model"].as_str().unwrap().starts_with("nano@"), "{of_file}");
    caption(json!({ "upload": "0" })).problem(404, "no such upload");
    caption(json!({ "sound": "meow" })).problem(400, "unknown variant `sound`");
}

#[test]
fn other_models_have_no_captions() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let request = json!({ "item": { "text": "red" } });
    server.post("/v1/caption", &request).problem(501, "no captioner for embeddings of colors@1");
}

#[test]
fn embeddings_have_the_form_that_programs_expect() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let embed = |request: Value| server.post("/v1/embeddings", &request);
    let numbers = |value: &Value| -> Vec<f32> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as f32).collect()
    };
    let one = embed(json!({ "input": "red", "model": "colors" })).ok();
    assert_eq!((&one["object"], &one["model"]), (&"list".into(), &"colors@1".into()));
    let row = &one["data"][0];
    assert_eq!((&row["object"], &row["index"]), (&"embedding".into(), &0.into()));
    // The model of these tests adds 0.01 to each channel.
    let length = (1.01_f32.powi(2) + 2.0 * 0.01_f32.powi(2)).sqrt();
    let expected = [1.01 / length, 0.01 / length, 0.01 / length];
    let close = |found: &[f32]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(close(&numbers(&row["embedding"])), "{row}");
    let items = json!(["blue", { "text": "red" }, { "asset": server.id("red.ply") }]);
    let several =
        embed(json!({ "input": items, "encoding_format": "base64", "dimensions": 3, "user": "me" })).ok();
    let decoded: Vec<Vec<f32>> = (several["data"].as_array().unwrap().iter())
        .map(|row| {
            let bytes = STANDARD.decode(row["embedding"].as_str().unwrap()).unwrap();
            bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
        })
        .collect();
    assert_eq!(decoded.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3]);
    assert!(close(&decoded[1]), "{decoded:?}");
    let cosine: f32 = decoded[1].iter().zip(&decoded[2]).map(|(a, b)| a * b).sum();
    assert!(cosine > 0.99, "the text and the file are red: {cosine}");
}

#[test]
fn other_embeddings_are_refused() {
    let models = Models::new();
    let server = models.serve(|_| {});
    let embed = |request: Value| server.post("/v1/embeddings", &request);
    embed(json!({ "input": [] })).problem(400, "expected 1 to 256 texts or items, found 0");
    embed(json!({ "input": vec!["red"; 257] })).problem(400, "found 257");
    embed(json!({ "input": " " })).problem(400, "empty text");
    embed(json!({ "input": [1, 2] })).problem(400, "invalid JSON body");
    embed(json!({ "input": "red", "model": "text-embedding-3-small" })).problem(404, "no such model");
    embed(json!({ "input": "red", "dimensions": 2 })).problem(400, "dimensions: expected 3, found 2");
    embed(json!({ "input": { "asset": "0000000000000000" } })).problem(404, "no such file");
}
