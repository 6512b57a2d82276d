//! What rounding the weights of a language model changes: the cosine of its logits with those in f32, and the tokens that greedy search
//! chooses. For a folder with a model of `transformers` and a text that is continued, or for a model of GPT-2's size with random weights.
//!
//! ```bash
//! cargo run --release --workspace --example fidelity_lm -- FOLDER "A chair is"
//! ```
#![expect(clippy::print_stdout, reason = "a program prints")]

mod support;

use burn::tensor::Device;
use lexiform_model::WeightPrecision;
use lexiform_model::lm::{LanguageModel, TextGenerator};
use lexiform_model::registry::open_weights;
use lexiform_model::weights::WeightSource;

use support::gpt2;

/// Tokens that are generated.
const TOKENS: usize = 64;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let run = |precision: WeightPrecision, forced: Option<&[u32]>| match &arguments[..] {
        [folder, prompt] => {
            let generator = TextGenerator::from_file(&open_weights(folder)?, &Device::flex(), precision)?;
            Ok::<_, Box<dyn std::error::Error>>(decode(
                generator.language_model(),
                &generator.prompt_ids(prompt),
                forced,
            ))
        }
        [] => {
            let source = WeightSource::random(0, &Device::flex()).with_weight_precision(precision);
            let model = LanguageModel::load(&source, "text_decoder", &gpt2())?;
            let prompt: Vec<u32> = (0..16).map(|i| 100 * i).collect();
            Ok(decode(&model, &prompt, forced))
        }
        _ => Err("expected FOLDER TEXT, or nothing".into()),
    };
    let (reference, logits) = run(WeightPrecision::F32, None)?;
    for precision in [WeightPrecision::Bf16, WeightPrecision::Int8] {
        let (ids, _) = run(precision, None)?;
        let same = ids.iter().zip(&reference).take_while(|(a, b)| a == b).count();
        // Logits of the same text.
        let (_, found) = run(precision, Some(&reference))?;
        let cosines: Vec<f64> = found.iter().zip(&logits).map(|(a, b)| cosine(a, b)).collect();
        let least = cosines.iter().copied().fold(f64::INFINITY, f64::min);
        let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
        println!(
            "{precision}: cosine of logits {mean:.6} (least {least:.6}); the first {same} of {TOKENS} tokens are equal"
        );
    }
    Ok(())
}

/// Tokens after a prompt, the most probable ones or those given, and the logits that each was chosen from.
fn decode(model: &LanguageModel, prompt: &[u32], forced: Option<&[u32]>) -> (Vec<u32>, Vec<Vec<f32>>) {
    let mut state = model.init_state(None);
    let logits = model.prompt(&mut state, model.embed(prompt, 1));
    let mut logits: Vec<f32> = logits.into_data().try_into_vec().expect("logits are f32");
    let (mut ids, mut all) = (Vec::new(), Vec::new());
    while ids.len() < TOKENS {
        let best = logits.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(id, _)| id as u32);
        let id = forced.map_or(best, |forced| forced[ids.len()]);
        all.push(logits.clone());
        ids.push(id);
        model.step_into(&mut state, &[id], &mut logits);
    }
    (ids, all)
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let sum = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    sum(a, b) / (sum(a, a) * sum(b, b)).sqrt()
}
