//! Times a language model of GPT-2's size (124 million parameters) with random weights: 64 tokens, one after another, after a prompt
//! of 16. Prints one JSON line for each precision of the weights.

mod support;

use burn::tensor::Device;
use lexiform_model::WeightPrecision;
use lexiform_model::lm::LanguageModel;
use lexiform_model::weights::WeightSource;

use support::{gpt2, measure};

// Numbers of tokens.
const PROMPT: usize = 16;
const TOKENS: usize = 64;

fn main() {
    let config = gpt2();
    let repeats = std::env::args().nth(1).map_or(3, |n| n.parse().expect("a number"));
    for precision in [WeightPrecision::F32, WeightPrecision::Bf16, WeightPrecision::Int8] {
        let source = WeightSource::random(0, &Device::flex()).with_weight_precision(precision);
        let model = LanguageModel::load(&source, "text_decoder", &config).expect("new weights always fit");
        measure(&format!("GPT-2, 64 tokens after 16, {precision}"), repeats, || generate(&model));
    }
}

/// The tokens that greedy search chooses.
fn generate(model: &LanguageModel) -> Vec<u32> {
    let prompt: Vec<u32> = (0..PROMPT as u32).map(|i| 100 * i).collect();
    let mut state = model.init_state(None);
    let logits = model.prompt(&mut state, model.embed(&prompt, 1));
    let mut logits: Vec<f32> = logits.into_data().try_into_vec().expect("logits are f32");
    let mut ids = Vec::with_capacity(TOKENS);
    while ids.len() < TOKENS {
        let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(id, _)| id as u32);
        ids.push(best);
        model.step_into(&mut state, &[best], &mut logits);
    }
    ids
}
