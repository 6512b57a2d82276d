//! Sentence embeddings, compared with those of `transformers` (`xtask/peers/sentence_embeddings.py`).

use lexiform_golden::{Golden, check, fixture};
use lexiform_model::Device;
use lexiform_model::language::SentenceEncoder;

#[test]
fn embeddings_match_transformers() {
    let folder = fixture("sentence_tiny");
    let texts: Vec<String> =
        serde_json::from_str(&fs_err::read_to_string(folder.join("texts.json")).unwrap()).unwrap();
    let encoder = SentenceEncoder::open(&folder, &Device::flex()).unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let expected = Golden::read(&folder.join("expected.safetensors")).values_f32("embeddings");
    check("sentence embeddings", &encoder.embed(&texts).concat(), &expected, 2e-6);
    // A text alone, without others of its length.
    check(
        "one sentence",
        &encoder.embed(&texts[1..2])[0],
        &expected[encoder.width()..2 * encoder.width()],
        2e-6,
    );
}

#[test]
fn other_folders_are_errors() {
    let error = SentenceEncoder::open(&fixture("duoduo_tiny224"), &Device::flex()).unwrap_err().to_string();
    assert!(error.contains("tokenizer.json"), "{error}");
}
