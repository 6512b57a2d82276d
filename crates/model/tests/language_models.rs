//! Language models against `transformers`: logits, texts token for token, candidates of sampling, and tokenizers against
//! `tokenizers`. The fixture is from `xtask/peers/language_models.py`.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;
use std::path::Path;

use burn::tensor::{Device, Tensor};
use lexiform_model::WeightPrecision;
use lexiform_model::lm::{Architecture, DecodingStrategy, Sampling, TextGenerator, TextOptions};
use lexiform_model::registry::open_weights;
use lexiform_model::weights::{Precision, TensorList, WeightFile};
use serde_json::Value;
use support::{Golden, check, values};

/// f32 sums in another order than the reference's.
const TOLERANCE: f64 = 1e-5;
/// New tokens of the fixture's texts.
const LENGTH: usize = 32;
/// Folders of the fixture, one for each layout.
const LAYOUTS: [(&str, Architecture); 6] = [
    ("gpt2", Architecture::Gpt2),
    ("opt", Architecture::Opt),
    ("llama", Architecture::Llama),
    ("qwen2", Architecture::Qwen2),
    ("qwen3", Architecture::Qwen3),
    ("phi", Architecture::Phi),
];

fn golden(layout: &str) -> Golden {
    Golden::new(&format!("language_models/{layout}"))
}

fn open(folder: &Path) -> TextGenerator {
    TextGenerator::open(folder.to_str().unwrap(), &Device::flex()).unwrap()
}

fn tiny(layout: &str) -> (TextGenerator, Golden, Value) {
    let golden = golden(layout);
    let expected = support::expected_json(&golden);
    (open(golden.path("config.json").parent().unwrap()), golden, expected)
}

fn numbers(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn options(decoding: DecodingStrategy) -> TextOptions {
    TextOptions { decoding, max_tokens: LENGTH, ..TextOptions::default() }
}

#[test]
fn logits_match_transformers() {
    for (layout, architecture) in LAYOUTS {
        let (generator, golden, expected) = tiny(layout);
        assert_eq!(generator.architecture(), architecture);
        let ids = numbers(&expected["ids"]);
        assert_eq!(generator.prompt_ids(expected["prompt"].as_str().unwrap()), ids, "{layout}");
        let language = generator.language_model();
        let reference = golden.values("expected.safetensors", "logits");
        let mut state = language.init_state(None);
        let x = language.append(&mut state, language.embed(&ids, 1));
        let [rows, tokens, width] = x.dims();
        let all = language.logits(x.reshape([rows * tokens, width]));
        check(&format!("{layout} logits"), &values(&all), &reference, TOLERANCE);
        // Token by token, through the cache.
        let mut state = language.init_state(None);
        let steps = ids.iter().map(|id| language.step(&mut state, &[*id])).collect();
        check(&format!("{layout} steps"), &values(&Tensor::cat(steps, 0)), &reference, TOLERANCE);
    }
}

/// The cosine of two lists of numbers.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    sum(a, b) / (sum(a, a) * sum(b, b)).sqrt()
}

/// Rounded weights, and half the numbers of cached keys and values: how much of the reference's logits is left.
#[test]
fn rounded_weights_keep_logits() {
    for (layout, _) in LAYOUTS {
        let (_, golden, expected) = tiny(layout);
        let ids = numbers(&expected["ids"]);
        let reference = golden.values("expected.safetensors", "logits");
        let folder = golden.path("config.json");
        let folder = folder.parent().unwrap().to_str().unwrap();
        // A number of 8 bits is off by 2⁻⁹, one of a byte by 2⁻⁸ of the largest of 48: the square of that, over all layers.
        for (precision, least) in [
            (WeightPrecision::Auto, 0.999_999),
            (WeightPrecision::Bf16, 0.999_9),
            (WeightPrecision::Int8, 0.999),
        ] {
            let generator =
                TextGenerator::from_file(&open_weights(folder).unwrap(), &Device::flex(), precision).unwrap();
            let language = generator.language_model();
            let mut state = language.init_state(None);
            let x = language.append(&mut state, language.embed(&ids, 1));
            let [rows, tokens, width] = x.dims();
            let all = values(&language.logits(x.reshape([rows * tokens, width])));
            let whole = cosine(&all, &reference);
            assert!(whole > least, "{layout} {precision}: {whole}");
            let (mut state, mut logits, mut steps) = (language.init_state(None), Vec::new(), Vec::new());
            for id in &ids {
                language.step_into(&mut state, &[*id], &mut logits);
                steps.extend_from_slice(&logits);
            }
            let steps = cosine(&steps, &reference);
            assert!(steps > least, "{layout} {precision}: {steps}");
        }
    }
}

/// Long prompts are computed by other products than tokens one by one.
#[test]
fn long_prompts_match_tokens_one_by_one() {
    for (layout, _) in LAYOUTS {
        let (_, golden, expected) = tiny(layout);
        let ids: Vec<u32> = numbers(&expected["ids"]).into_iter().cycle().take(40).collect();
        let folder = golden.path("config.json");
        let folder = folder.parent().unwrap().to_str().unwrap();
        for (precision, least) in [
            (WeightPrecision::F32, 0.999_999_999),
            (WeightPrecision::Bf16, 0.999_9),
            (WeightPrecision::Int8, 0.999_9),
        ] {
            let generator =
                TextGenerator::from_file(&open_weights(folder).unwrap(), &Device::flex(), precision).unwrap();
            let language = generator.language_model();
            let (mut state, mut logits) = (language.init_state(None), Vec::new());
            ids.iter().for_each(|id| language.step_into(&mut state, &[*id], &mut logits));
            // Two texts at once, in two parts.
            let mut state = language.init_state(None);
            language.append(&mut state, language.embed(&[&ids[..20], &ids[..20]].concat(), 2));
            let found = language.prompt(&mut state, language.embed(&[&ids[20..], &ids[20..]].concat(), 2));
            for found in values(&found).chunks(logits.len()) {
                let found = cosine(found, &logits);
                assert!(found > least, "{layout} {precision}: {found}");
            }
        }
    }
}

#[test]
fn greedy_and_beam_search_choose_the_tokens_of_transformers() {
    for (layout, _) in LAYOUTS {
        let (generator, _, expected) = tiny(layout);
        let ids = numbers(&expected["ids"]);
        let mut on_step = |_: &[u32]| ControlFlow::Continue(());
        let mut run = |decoding| generator.generate_ids(&ids, &options(decoding), &mut on_step).unwrap();
        assert_eq!(run(DecodingStrategy::Greedy), [numbers(&expected["greedy"])], "{layout}");
        assert_eq!(run(DecodingStrategy::BeamSearch(4)), [numbers(&expected["beams"])], "{layout}");
    }
}

#[test]
fn texts_are_streamed_as_they_are_returned() {
    for (layout, _) in LAYOUTS {
        let (generator, _, expected) = tiny(layout);
        let (prompt, text) = (expected["prompt"].as_str().unwrap(), expected["text"].as_str().unwrap());
        for decoding in [DecodingStrategy::Greedy, DecodingStrategy::BeamSearch(2)] {
            let mut parts = Vec::new();
            let texts = generator
                .generate(prompt, &options(decoding), &mut |part| parts.push(part.to_owned()))
                .unwrap();
            assert_eq!(parts.concat(), texts[0], "{layout}");
            if decoding == DecodingStrategy::Greedy {
                assert_eq!(texts, [text], "{layout}");
                assert!(parts.len() > 1, "{layout}");
            }
        }
    }
}

#[test]
fn sampled_tokens_have_the_probabilities_of_transformers() {
    /// Draws.
    const DRAWS: usize = 2000;
    for (layout, _) in LAYOUTS {
        let (generator, _, expected) = tiny(layout);
        let sampling = Sampling { temperature: 1.5, top_k: Some(40), top_p: 0.8 };
        let decoding = DecodingStrategy::Sample { sampling, sentences: DRAWS };
        let once = TextOptions { max_tokens: 1, seed: 7, ..options(decoding) };
        let ids = numbers(&expected["ids"]);
        let drawn = generator.generate_ids(&ids, &once, &mut |_| ControlFlow::Continue(())).unwrap();
        let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
        // An end token is left out of the text.
        drawn.iter().for_each(|ids| *counts.entry(ids.first().copied().unwrap_or(1)).or_default() += 1);
        let reference = expected["candidates"].as_array().unwrap();
        let reference: BTreeMap<u32, f64> = reference
            .iter()
            .map(|pair| (pair[0].as_u64().unwrap() as u32, pair[1].as_f64().unwrap()))
            .collect();
        for (id, count) in &counts {
            let probability = reference.get(id).unwrap_or_else(|| panic!("{layout}: {id} is no candidate"));
            // Five standard deviations of a binomial distribution.
            let most = 5.0 * (probability * (1.0 - probability) * DRAWS as f64).sqrt();
            assert!(
                (*count as f64 - probability * DRAWS as f64).abs() < most + 1.0,
                "{layout}: {id} {count}"
            );
        }
    }
}

#[test]
fn tokenizers_match_the_reference() {
    for (layout, _) in LAYOUTS {
        let (generator, _, expected) = tiny(layout);
        for pair in expected["encoded"].as_array().unwrap() {
            let text = pair[0].as_str().unwrap();
            assert_eq!(generator.tokenizer().encode(text), numbers(&pair[1]), "{layout}: {text:?}");
        }
        for pair in expected["decoded"].as_array().unwrap() {
            assert_eq!(
                generator.tokenizer().decode(&numbers(&pair[0])),
                pair[1].as_str().unwrap(),
                "{layout}"
            );
        }
    }
}

#[test]
fn generation_ends_where_the_callback_or_the_context_does() {
    let (generator, _, expected) = tiny("llama");
    let ids = numbers(&expected["ids"]);
    let mut on_step =
        |ids: &[u32]| if ids.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
    let texts = generator.generate_ids(&ids, &options(DecodingStrategy::Greedy), &mut on_step).unwrap();
    assert_eq!(texts, [numbers(&expected["greedy"])[..3].to_vec()]);
    let long = TextOptions { max_tokens: 1000, min_tokens: 1000, ..TextOptions::default() };
    let texts = generator.generate_ids(&ids, &long, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(texts[0].len() + ids.len(), generator.config().context);
    let full = vec![5; generator.config().context];
    let error = generator.generate_ids(&full, &long, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().contains("64"), "{error}");
}

/// The fixture of Phi as another file; a tensor is left out, or one is added.
fn rewritten(folder: &Path, without: &str, with: Option<&str>) -> Result<TextGenerator, String> {
    let golden = golden("phi");
    let file = WeightFile::open(&golden.path("model.safetensors")).unwrap();
    let mut list = TensorList::default();
    for name in file.names().filter(|name| *name != without) {
        list.push_values(name.to_owned(), file.shape(name).unwrap().to_vec(), file.read(name).unwrap());
    }
    if let Some(name) = with {
        list.push_values(name.to_owned(), vec![2], vec![0.5; 2]);
    }
    for companion in ["config.json", "tokenizer.json"] {
        std::fs::copy(golden.path(companion), folder.join(companion)).unwrap();
    }
    list.write(&folder.join("model.safetensors"), Precision::Full, HashMap::new()).unwrap();
    let path = folder.to_str().unwrap();
    TextGenerator::open(path, &Device::flex()).map_err(|error| error.to_string())
}

#[test]
fn what_does_not_fit_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    assert!(rewritten(folder.path(), "", None).is_ok());
    let missing = "model.layers.1.self_attn.dense.bias";
    assert!(
        rewritten(folder.path(), missing, None).unwrap_err().contains(&format!("{missing:?} is missing"))
    );
    let extra = "model.layers.1.self_attn.q_norm.weight";
    assert!(
        rewritten(folder.path(), "", Some(extra)).unwrap_err().contains(&format!("the first is {extra:?}"))
    );
    let path = folder.path().join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(r#""qk_layernorm": false"#, r#""qk_layernorm": true"#)).unwrap();
    let error =
        TextGenerator::open(folder.path().to_str().unwrap(), &Device::flex()).unwrap_err().to_string();
    assert!(error.contains("qk_layernorm") && error.contains("config.json"), "{error}");
    std::fs::remove_file(&path).unwrap();
    let error =
        TextGenerator::open(folder.path().to_str().unwrap(), &Device::flex()).unwrap_err().to_string();
    assert!(error.contains("config.json"), "{error}");
}
