//! Captions given pixels with given weights of BLIP or BLIP-2, for `xtask/baselines/blip.py` and `xtask/peers/blip2.py` to compare
//! with transformers.
//!
//! `parity_blip WEIGHTS FOLDER PROMPT` reads `FOLDER/inputs.safetensors` (`pixels` `[pictures, 3, size, size]`, `caption`
//! `[pictures, length]` as f32) and writes `FOLDER/found.safetensors` (`features`, `logits`) and `FOLDER/found.json`
//! (captions by their ids).

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_model::blip::{Captioner, DecodingStrategy, GenerationConfig};
use lexiform_model::weights::{Precision, TensorList, WeightFile};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [weights, folder, prompt] = arguments.as_slice() else {
        return Err("usage: parity_blip WEIGHTS FOLDER PROMPT".into());
    };
    let captioner = Captioner::open(weights, &Device::flex())?;
    let folder = Path::new(folder);
    let inputs = WeightFile::open(&folder.join("inputs.safetensors"))?;
    let &[pictures, channels, height, width] = inputs.shape("pixels")? else {
        return Err("pixels need four axes".into());
    };
    let pixels = TensorData::new(inputs.read("pixels")?, [pictures, channels, height, width]);
    let pixels = Tensor::<4>::from_data(pixels, &Device::flex());
    let &[_, length] = inputs.shape("caption")? else { return Err("a caption needs two axes".into()) };
    let caption: Vec<u32> = inputs.read("caption")?.into_iter().map(|id| id as u32).collect();

    let mut found = TensorList::default();
    let features = captioner.vision().encode_tokens(pixels.clone());
    found.push("features".to_owned(), features.clone());
    let language = captioner.language_model();
    let (context, prefix) = match captioner.qformer() {
        Some(qformer) => (None, Some(qformer.forward(features))),
        None => (Some(features), None),
    };
    let mut state = language.init_state(context);
    if let Some(prefix) = prefix {
        language.append(&mut state, prefix);
    }
    let words = |place: usize| -> Vec<u32> { caption.chunks(length).map(|row| row[place]).collect() };
    let logits = (0..length).map(|place| language.step(&mut state, &words(place)).unsqueeze_dim::<3>(1));
    found.push("logits".to_owned(), Tensor::cat(logits.collect(), 1));
    found.write(&folder.join("found.safetensors"), Precision::Full, HashMap::new())?;
    std::fs::write(folder.join("found.json"), serde_json::to_vec(&captions(&captioner, &pixels, prompt)?)?)?;
    Ok(())
}

type Captions = HashMap<String, Vec<Vec<u32>>>;

/// Ids by the way in which they were chosen, with the end mark where there is one.
fn captions(
    captioner: &Captioner,
    pixels: &Tensor<4>,
    prompt: &str,
) -> Result<Captions, lexiform_model::ModelError> {
    let mut captions = HashMap::new();
    let usual = captioner.default_generation();
    for (name, decoding) in [("greedy", DecodingStrategy::Greedy), ("beams", usual.decoding)] {
        for (start, prompt) in [("", ""), (" prompted", prompt)] {
            let generation = GenerationConfig { prompt: prompt.to_owned(), decoding, ..usual.clone() };
            let found = captioner.caption_ids(pixels.clone(), &generation, 0)?;
            let given = if usual.counts_prompt { 0 } else { 1 + captioner.tokenizer().encode(prompt).len() };
            let ended = |sentence: Vec<u32>| match sentence.len() < given + generation.max_length {
                true => [sentence, vec![captioner.config().special_tokens.end]].concat(),
                false => sentence,
            };
            captions.insert(format!("{name}{start}"), found.into_iter().flatten().map(ended).collect());
        }
    }
    Ok(captions)
}
