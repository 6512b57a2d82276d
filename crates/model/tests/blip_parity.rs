//! BLIP captioners against `BlipForConditionalGeneration` of transformers: features, logits, captions token for token.

mod support;

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use image::RgbaImage;
use lexiform_model::blip::{Captioner, DecodingStrategy, GenerationConfig, Sampling};
use lexiform_model::tokenizer::BertTokenizer;
use lexiform_model::weights::{Precision, TensorList, WeightFile};
use lexiform_model::{JointModel, ModelError, OpenOptions, WeightsError};
use serde_json::Value;
use support::{Golden, check, values};

/// A tensor by name: its shape and numbers instead, or nothing where it is left out.
type Change<'a> = (&'a str, Option<(Vec<usize>, Vec<f32>)>);

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;
/// The fixture's attention is sharp, which magnifies roundings: the reference's own f32 is 4e-6 from its f64.
const SHARP: f64 = 3e-5;

fn golden() -> Golden {
    Golden::new("blip_tiny")
}

fn open(path: &Path) -> Result<Captioner, ModelError> {
    Captioner::open(path.to_str().unwrap(), &Device::flex())
}

fn tiny() -> Captioner {
    open(&golden().path("model.safetensors")).unwrap()
}

fn expected() -> Value {
    support::expected_json(&golden())
}

/// The fixture's views.
fn views() -> Vec<RgbaImage> {
    support::views(&golden())
}

/// The ways in which the fixture's captions were written.
fn ways() -> [(&'static str, GenerationConfig); 4] {
    let greedy = GenerationConfig { decoding: DecodingStrategy::Greedy, ..GenerationConfig::blip() };
    let bare =
        |generation: &GenerationConfig| GenerationConfig { prompt: String::new(), ..generation.clone() };
    [
        ("greedy", bare(&greedy)),
        ("greedy prompted", greedy),
        ("beams", bare(&GenerationConfig::blip())),
        ("beams prompted", GenerationConfig::blip()),
    ]
}

/// Captions by their ids, with the end mark where they do not stop for their length.
fn ids(captioner: &Captioner, views: &[RgbaImage], generation: &GenerationConfig) -> Vec<Vec<u32>> {
    let captions = captioner.caption_ids(captioner.pixels(views), generation, 0).unwrap();
    let ended = |mut sentences: Vec<Vec<u32>>| {
        let mut sentence = sentences.remove(0);
        if sentence.len() < generation.max_length {
            sentence.push(captioner.config().special_tokens.end);
        }
        sentence
    };
    captions.into_iter().map(ended).collect()
}

fn check_network(captioner: &Captioner) {
    let golden = golden();
    let tokens = captioner.vision().encode_tokens(captioner.pixels(&views()));
    check("features", &values(&tokens), &golden.values("expected.safetensors", "features"), TOLERANCE);
    let caption: Vec<u32> =
        golden.values("expected.safetensors", "caption").iter().map(|id| *id as u32).collect();
    let count = views().len();
    let language = captioner.language_model();
    let mut state = language.init_state(Some(tokens));
    let logits: Vec<Tensor<3>> = (0..caption.len() / count)
        .map(|i| language.step(&mut state, &vec![caption[i]; count]).unsqueeze_dim(1))
        .collect();
    let logits = values(&Tensor::cat(logits, 1));
    check("logits", &logits, &golden.values("expected.safetensors", "logits"), SHARP);
    for (way, generation) in ways() {
        let found = serde_json::to_value(ids(captioner, &views(), &generation)).unwrap();
        assert_eq!(found, expected()["ids"][way], "{way}");
    }
}

#[test]
fn features_logits_and_captions_agree() {
    check_network(&tiny());
}

#[test]
fn captions_do_not_depend_on_the_batch() {
    let captioner = tiny();
    let views = views();
    for (way, generation) in ways() {
        let all = captioner.caption(&views, &generation, 0).unwrap();
        let given = captioner.tokenizer().decode(&captioner.tokenizer().encode(&generation.prompt));
        for (i, said) in all.iter().enumerate() {
            let whole = expected()["text"][way][i].as_str().unwrap().to_owned();
            // The first piece behind a prompt may continue its last word; alone it is shown unchanged.
            let rest = whole.strip_prefix(&given).unwrap().trim_start();
            assert_eq!(said[0].trim_start_matches("##"), rest.trim_start_matches("##"), "{way}");
            let alone = captioner.caption(&views[i..=i], &generation, 0).unwrap();
            assert_eq!(alone[0], *said, "{way}");
        }
    }
    // More pictures than are looked at together.
    let many: Vec<RgbaImage> = views.iter().cycle().take(14).cloned().collect();
    let captions = captioner.caption(&many, &GenerationConfig::blip(), 0).unwrap();
    assert_eq!((captions.len(), &captions[13]), (14, &captions[1]));
    assert!(captioner.caption(&[], &GenerationConfig::blip(), 0).unwrap().is_empty());
}

#[test]
fn randomness_depends_only_on_seeds() {
    let captioner = tiny();
    let views = views();
    let decoding = DecodingStrategy::Sample { sampling: Sampling::nucleus(0.9), sentences: 5 };
    let generation = GenerationConfig { decoding, ..GenerationConfig::blip() };
    let all = captioner.caption(&views, &generation, 1).unwrap();
    assert!(all.iter().all(|said| said.len() == 5));
    assert_eq!(captioner.caption(&views[2..], &generation, 3).unwrap(), all[2..]);
    assert_ne!(captioner.caption(&views[..1], &generation, 9).unwrap(), all[..1]);
}

#[test]
fn bert_tokens_match_the_reference() {
    let words = BertTokenizer::read(&golden().path("vocab.txt")).unwrap();
    let list = |ids: &Value| -> Vec<u32> {
        ids.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
    };
    for pair in expected()["encoded"].as_array().unwrap() {
        let (text, ids) = (pair[0].as_str().unwrap(), list(&pair[1]));
        assert_eq!(words.encode(text), ids[1..ids.len() - 1], "{text:?}");
    }
    for pair in expected()["decoded"].as_array().unwrap() {
        assert_eq!(words.decode(&list(&pair[0])), pair[1].as_str().unwrap());
    }
}

/// Names of the original project for those of transformers.
const SALESFORCE: [(&str, &str); 9] = [
    ("vision_model.embeddings.class_embedding", "visual_encoder.cls_token"),
    ("vision_model.embeddings.position_embedding", "visual_encoder.pos_embed"),
    ("vision_model.embeddings.patch_embedding.", "visual_encoder.patch_embed.proj."),
    ("vision_model.encoder.layers.", "visual_encoder.blocks."),
    (".layer_norm1.", ".norm1."),
    (".layer_norm2.", ".norm2."),
    (".self_attn.qkv.", ".attn.qkv."),
    (".self_attn.projection.", ".attn.proj."),
    ("vision_model.post_layernorm.", "visual_encoder.norm."),
];

/// The fixture under other names, with tensors to add (`None` takes one away), in a folder with its companion files.
fn rewritten(folder: &Path, rename: impl Fn(&str) -> String, changes: &[Change]) -> std::path::PathBuf {
    let file = WeightFile::open(&golden().path("model.safetensors")).unwrap();
    let mut list = TensorList::default();
    for name in file.names().filter(|name| !changes.iter().any(|(changed, _)| changed == name)) {
        list.push_values(rename(name), file.shape(name).unwrap().to_vec(), file.read(name).unwrap());
    }
    for (name, values) in changes {
        if let Some((shape, values)) = values {
            list.push_values((*name).to_owned(), shape.clone(), values.clone());
        }
    }
    for companion in ["config.json", "vocab.txt"] {
        std::fs::copy(golden().path(companion), folder.join(companion)).unwrap();
    }
    let path = folder.join("weights.safetensors");
    list.write(&path, Precision::Full, HashMap::new()).unwrap();
    path
}

#[test]
fn the_original_layout_is_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let rename =
        |name: &str| SALESFORCE.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    let file = WeightFile::open(&golden().path("model.safetensors")).unwrap();
    let bias = "text_decoder.cls.predictions.bias";
    let embedding = "text_decoder.bert.embeddings.word_embeddings.weight";
    let copy = |name: &str| Some((file.shape(name).unwrap().to_vec(), file.read(name).unwrap()));
    let tied = [
        ("text_decoder.cls.predictions.decoder.bias", copy(bias)),
        ("text_decoder.cls.predictions.decoder.weight", copy(embedding)),
        ("text_decoder.bert.embeddings.position_ids", Some((vec![1, 2], vec![0.0, 1.0]))),
    ];
    let path = rewritten(folder.path(), rename, &tied);
    check_network(&open(&path).unwrap());
    // Without a stated size, heads are those of the published models, 64 wide.
    std::fs::remove_file(folder.path().join("config.json")).unwrap();
    let failed = open(&path).err().unwrap();
    assert!(failed.to_string().contains("0 heads for a width of 48"), "{failed}");
}

#[test]
fn mismatched_towers_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let same = |name: &str| name.to_owned();
    let message = |changes: &[Change]| {
        let path = rewritten(folder.path(), same, changes);
        open(&path).err().unwrap().to_string()
    };
    let norm = "text_decoder.bert.encoder.layer.1.crossattention.output.LayerNorm.bias";
    assert!(message(&[(norm, None)]).contains(&format!("{norm:?} is missing")));
    let extra = ("text_encoder.embeddings.LayerNorm.bias", Some((vec![2], vec![0.0; 2])));
    assert!(message(&[extra]).contains("the first is \"text_encoder.embeddings.LayerNorm.bias\""));
    let untied = ("text_decoder.cls.predictions.decoder.bias", Some((vec![2], vec![0.0; 2])));
    assert!(message(&[untied]).contains("to which it should be tied"));
    let path = rewritten(folder.path(), same, &[]);
    let long = GenerationConfig { prompt: "a ".repeat(40), ..GenerationConfig::blip() };
    let failed = open(&path).unwrap().caption(&views(), &long, 0).unwrap_err();
    assert!(failed.to_string().contains("at most 20 tokens, the prompt has 41"), "{failed}");
    for (file, content) in [
        ("vocab.txt", "chair\n"),
        ("config.json", "{"),
        ("config.json", r#"{"text_config": {"bos_token_id": 500}}"#),
    ] {
        std::fs::write(folder.path().join(file), content).unwrap();
        assert!(open(&path).is_err(), "{file}: {content}");
        std::fs::copy(golden().path(file), folder.path().join(file)).unwrap();
    }
    for file in ["vocab.txt", "config.json"] {
        std::fs::remove_file(folder.path().join(file)).unwrap();
        let failed = open(&path).err().unwrap();
        assert!(matches!(failed, ModelError::Weights(WeightsError::CompanionFile { .. })), "{failed}");
        assert!(failed.to_string().contains(&format!("{file} must be in the same folder")), "{failed}");
        assert!(failed.hint().unwrap().contains("model pull"));
        std::fs::copy(golden().path(file), folder.path().join(file)).unwrap();
    }
    let joint = JointModel::open(path.to_str().unwrap(), &OpenOptions::default()).err().unwrap();
    assert!(joint.to_string().contains("it is a captioner"), "{joint}");
}
