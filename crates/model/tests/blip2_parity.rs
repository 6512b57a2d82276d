//! BLIP-2 against `Blip2ForConditionalGeneration` of transformers: image tokens, queries, logits, captions token for token, and
//! the tokenizer against `tokenizers`.

mod support;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use image::RgbaImage;
use lexiform_model::blip::{Captioner, DecodingStrategy, GenerationConfig, Sampling};
use lexiform_model::tokenizer::BytePairTokenizer;
use lexiform_model::weights::{Precision, TensorList, WeightFile};
use lexiform_model::{ModelError, WeightsError, inspect};
use serde_json::Value;
use support::{Golden, check, values};

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;
/// Tokens of the fixture's captions.
const LENGTH: usize = 32;

fn golden() -> Golden {
    Golden::new("blip2_tiny")
}

fn open(path: &Path) -> Result<Captioner, ModelError> {
    Captioner::open(path.to_str().unwrap(), &Device::flex())
}

fn tiny() -> Captioner {
    open(&golden().path("model.safetensors.index.json")).unwrap()
}

fn expected() -> Value {
    support::expected_json(&golden())
}

fn numbers(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

/// The fixture's views, which are not square.
fn views() -> Vec<RgbaImage> {
    support::views(&golden())
}

/// The ways in which the fixture's captions were written.
fn ways() -> [(&'static str, GenerationConfig); 4] {
    let beams = GenerationConfig { max_length: LENGTH, ..GenerationConfig::blip_2() };
    let greedy = GenerationConfig { decoding: DecodingStrategy::Greedy, ..beams.clone() };
    let prompted =
        |way: &GenerationConfig| GenerationConfig { prompt: "a photo of".to_owned(), ..way.clone() };
    [
        ("greedy prompted", prompted(&greedy)),
        ("greedy", greedy),
        ("beams prompted", prompted(&beams)),
        ("beams", beams),
    ]
}

fn check_network(captioner: &Captioner) {
    let golden = golden();
    let pixels = captioner.pixels(&views());
    let expect = |part: &str, found: Tensor<3>| {
        check(part, &values(&found), &golden.values("expected.safetensors", part), TOLERANCE);
    };
    check("pixels", &values(&pixels), &golden.values("expected.safetensors", "pixels"), TOLERANCE);
    let tokens = captioner.vision().encode_tokens(pixels);
    expect("features", tokens.clone());
    let queries = captioner.qformer().unwrap().forward(tokens);
    expect("queries", queries.clone());
    // Logits after each token of a text, at once and token by token.
    let ids: Vec<u32> = golden.values("expected.safetensors", "text").iter().map(|id| *id as u32).collect();
    let (language, count) = (captioner.language_model(), views().len());
    let logits = |x: Tensor<3>| {
        let [rows, tokens, width] = x.dims();
        language.logits(x.reshape([rows * tokens, width])).reshape([rows as i64, tokens as i64, -1])
    };
    let mut state = language.init_state(None);
    language.append(&mut state, queries.clone());
    expect("logits", logits(language.append(&mut state, language.embed(&ids.repeat(count), count))));
    let mut state = language.init_state(None);
    language.append(&mut state, queries);
    let steps = ids.iter().map(|id| language.step(&mut state, &vec![*id; count]).unsqueeze_dim(1));
    expect("logits", Tensor::cat(steps.collect(), 1));
    for (way, generation) in ways() {
        let found = captioner.caption_ids(captioner.pixels(&views()), &generation, 0).unwrap();
        let given = 1 + captioner.tokenizer().encode(&generation.prompt).len();
        let found: Vec<_> = found.into_iter().map(|mut texts| texts.remove(0).split_off(given)).collect();
        assert_eq!(serde_json::to_value(found).unwrap(), expected()["ids"][way], "{way}");
    }
}

#[test]
fn tokens_queries_logits_and_captions_agree() {
    check_network(&tiny());
}

#[test]
fn one_file_and_a_folder_are_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = rewritten(folder.path(), &[]);
    check_network(&open(&path).unwrap());
    let whole = open(folder.path()).unwrap();
    check_network(&whole);
    assert_eq!(whole.id(), tiny().id());
    check_network(&open(golden().path("config.json").parent().unwrap()).unwrap());
}

#[test]
fn captions_do_not_depend_on_the_batch() {
    let captioner = tiny();
    let views = views();
    for (way, generation) in ways() {
        let all = captioner.caption(&views, &generation, 0).unwrap();
        for (i, said) in all.iter().enumerate() {
            let ids = numbers(&expected()["ids"][way][i]);
            assert_eq!(said, &[captioner.tokenizer().decode(&ids)], "{way}");
            assert_eq!(captioner.caption(&views[i..=i], &generation, 0).unwrap()[0], *said, "{way}");
        }
    }
    // ULIP-2's ten captions of a view.
    let decoding = DecodingStrategy::Sample { sampling: Sampling::nucleus(0.9), sentences: 10 };
    let generation = GenerationConfig { decoding, ..captioner.default_generation() };
    let all = captioner.caption(&views, &generation, 1).unwrap();
    assert!(all.iter().all(|said| said.len() == 10 && said.iter().any(|text| *text != said[0])));
    assert_eq!(captioner.caption(&views[1..], &generation, 2).unwrap(), all[1..]);
    assert_ne!(captioner.caption(&views[..1], &generation, 9).unwrap(), all[..1]);
}

#[test]
fn sampled_tokens_are_those_that_the_reference_keeps() {
    let captioner = tiny();
    let prompt = "a photo of".to_owned();
    let given = 1 + captioner.tokenizer().encode(&prompt).len();
    let decoding = DecodingStrategy::Sample { sampling: Sampling::nucleus(0.9), sentences: 400 };
    let generation =
        GenerationConfig { prompt, decoding, max_length: 1, min_length: 0, ..GenerationConfig::blip_2() };
    let drawn = captioner.caption_ids(captioner.pixels(&views()), &generation, 3).unwrap();
    for (texts, kept) in drawn.iter().zip(expected()["nucleus"].as_array().unwrap()) {
        let kept = numbers(kept);
        let end = captioner.config().special_tokens.end;
        let next: Vec<u32> = texts.iter().map(|text| text.get(given).copied().unwrap_or(end)).collect();
        assert!(next.iter().all(|id| kept.contains(id)), "{next:?} {kept:?}");
        let distinct: std::collections::BTreeSet<_> = next.iter().collect();
        assert!(distinct.len() > 1 && distinct.len() * 4 > kept.len(), "{distinct:?} {kept:?}");
    }
}

#[test]
fn byte_pairs_match_the_reference() {
    let pairs = BytePairTokenizer::read(&golden().path("tokenizer.json")).unwrap();
    for pair in expected()["encoded"].as_array().unwrap() {
        let text = pair[0].as_str().unwrap();
        assert_eq!(pairs.encode(text), numbers(&pair[1]), "{text:?}");
    }
    for pair in expected()["decoded"].as_array().unwrap() {
        assert_eq!(pairs.decode(&numbers(&pair[0])).trim(), pair[1].as_str().unwrap());
    }
}

/// The fixture as one file, in a folder with its companion files; tensors are replaced, or removed where there are no values.
fn rewritten(folder: &Path, changes: &[(&str, Option<usize>)]) -> PathBuf {
    let file = WeightFile::open(&golden().path("model.safetensors.index.json")).unwrap();
    let mut list = TensorList::default();
    for name in file.names().filter(|name| !changes.iter().any(|(changed, _)| changed == name)) {
        list.push_values(name.to_owned(), file.shape(name).unwrap().to_vec(), file.read(name).unwrap());
    }
    for (name, size) in changes {
        if let Some(size) = size {
            list.push_values((*name).to_owned(), vec![*size], vec![0.5; *size]);
        }
    }
    for companion in ["config.json", "tokenizer.json"] {
        std::fs::copy(golden().path(companion), folder.join(companion)).unwrap();
    }
    let path = folder.join("model.safetensors");
    list.write(&path, Precision::Full, HashMap::new()).unwrap();
    path
}

#[test]
fn what_does_not_fit_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |changes: &[(&str, Option<usize>)]| {
        open(&rewritten(folder.path(), changes)).err().unwrap().to_string()
    };
    let norm = "qformer.encoder.layer.2.crossattention.output.LayerNorm.bias";
    assert!(refused(&[(norm, None)]).contains(&format!("{norm:?} is missing")));
    let extra = "qformer.encoder.layer.1.crossattention.output.LayerNorm.bias";
    assert!(refused(&[(extra, Some(32))]).contains(&format!("the first is {extra:?}")));
    let untied = refused(&[("language_model.lm_head.weight", Some(40))]);
    assert!(untied.contains("to which it should be tied"), "{untied}");
    let path = rewritten(folder.path(), &[]);
    let text = std::fs::read_to_string(golden().path("config.json")).unwrap();
    for (from, to, message) in [
        (r#""model_type": "opt""#, r#""model_type": "t5""#, "its language model is \"t5\""),
        (r#""num_attention_heads": 5"#, r#""num_attention_heads": 7"#, "7 heads for a width of 40"),
        (r#""eos_token_id""#, r#""eos_token_id": 90000, "x""#, "a token of id 90000"),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(folder.path().join("config.json"), text.replace(from, to)).unwrap();
        let error = open(&path).err().unwrap().to_string();
        assert!(error.contains(message), "{error}");
    }
    std::fs::write(folder.path().join("config.json"), text).unwrap();
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    let error = open(&path).err().unwrap();
    assert!(matches!(error, ModelError::Weights(WeightsError::CompanionFile { .. })), "{error}");
    assert!(error.to_string().contains("tokenizer.json must be in the same folder"), "{error}");
}

#[test]
fn shards_must_be_what_their_index_says() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let index = "model.safetensors.index.json";
    for name in names.iter().chain(&[index, "config.json", "tokenizer.json"]) {
        std::fs::copy(golden().path(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join(index);
    assert!(open(&path).is_ok());
    let text = std::fs::read_to_string(&path).unwrap();
    let error = |text: &str| {
        std::fs::write(&path, text).unwrap();
        open(&path).err().unwrap().to_string()
    };
    let moved = error(&text.replacen(names[0], names[1], 1));
    assert!(moved.contains("unlike what model.safetensors.index.json says"), "{moved}");
    let outside = error(&text.replacen(names[0], "../x.safetensors", 1));
    assert!(outside.contains("expected the name of a file"), "{outside}");
    assert!(error("{}").contains("weight_map"));
    assert!(error(r#"{"weight_map": {}}"#).contains("lists no tensors"));
    std::fs::write(&path, &text).unwrap();
    std::fs::remove_file(folder.path().join(names[1])).unwrap();
    assert!(open(&path).err().unwrap().to_string().contains(names[1]));
}

#[test]
fn the_file_and_the_named_models_are_described() {
    let (card, contents) =
        inspect::inspect(golden().path("model.safetensors.index.json").to_str().unwrap()).unwrap();
    let (card, contents) = (card.unwrap(), contents.unwrap());
    assert_eq!((card.description.as_str(), card.view_size), ("BLIP-2 captioner", Some(24)));
    // Counted by transformers.
    assert_eq!(
        (card.parameters, contents.kind.as_str()),
        (Some(141_288), "BLIP-2 captioner with OPT in transformers' layout")
    );
    assert!(contents.missing.is_empty(), "{:?}", contents.missing);
    let named = inspect::describe("blip2-opt-6.7b").unwrap();
    assert_eq!(named.modality, "captioner");
    assert!(named.origin.contains("Salesforce/blip2-opt-6.7b") && named.license.contains("OPT"));
}
