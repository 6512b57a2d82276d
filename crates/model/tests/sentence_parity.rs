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

/// The width does not say how many heads a network has: heads of another width would give other embeddings.
#[test]
fn other_numbers_of_heads_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.safetensors", "tokenizer.json"] {
        fs_err::copy(fixture("sentence_tiny").join(name), folder.path().join(name)).unwrap();
    }
    let open = |config: &str| {
        fs_err::write(folder.path().join("config.json"), config).unwrap();
        SentenceEncoder::open(folder.path(), &Device::flex()).map(|encoder| encoder.width())
    };
    let width = open(r#"{ "num_attention_heads": 2 }"#).unwrap();
    assert_eq!(width, 64);
    let error = open(r#"{ "num_attention_heads": 1 }"#).unwrap_err().to_string();
    assert!(error.contains("expected heads of 32 numbers, found 1 heads for 64"), "{error}");
    let error = open("{}").unwrap_err().to_string();
    assert!(error.contains("config.json") && error.contains("num_attention_heads"), "{error}");
}

#[test]
fn other_folders_are_errors() {
    let error = SentenceEncoder::open(&fixture("duoduo_tiny224"), &Device::flex()).unwrap_err().to_string();
    assert!(error.contains("tokenizer.json"), "{error}");
}
