//! Continues a text with a language model as `transformers` stores them, token by token, and reports times.
//!
//! ```bash
//! cargo run --release --workspace --example generate_text -- FOLDER "A chair is" int8 64
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program prints")]

mod support;

use std::io::Write as _;
use std::time::Instant;

use burn::tensor::Device;
use lexiform_model::lm::{TextGenerator, TextOptions};
use lexiform_model::registry::open_weights;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, prompt, precision, tokens] = &arguments[..] else {
        return Err("expected FOLDER PROMPT auto|f32|bf16|int8 TOKENS".into());
    };
    let start = Instant::now();
    let generator = TextGenerator::from_file(&open_weights(folder)?, &Device::flex(), precision.parse()?)?;
    eprintln!("{} loaded in {:.1} s", generator.id(), start.elapsed().as_secs_f64());
    let tokens: usize = tokens.parse()?;
    let options = TextOptions { min_tokens: tokens, max_tokens: tokens, ..TextOptions::default() };
    let (start, before) = (Instant::now(), support::cpu_seconds());
    let mut first = None;
    let mut count = 0;
    let ids = generator.generate_ids(&generator.prompt_ids(prompt), &options, &mut |ids| {
        first.get_or_insert_with(Instant::now);
        count = ids.len();
        std::ops::ControlFlow::Continue(())
    })?;
    let first = first.unwrap_or(start);
    let rate = count.saturating_sub(1) as f64 / first.elapsed().as_secs_f64();
    let cpu = support::cpu_seconds().zip(before).map_or(0.0, |(after, before)| after - before);
    eprintln!(
        "first token after {:.2} s, then {rate:.2} tokens/s; {cpu:.1} s of CPU time for {count} tokens",
        (first - start).as_secs_f64()
    );
    for ids in ids {
        println!("{}", generator.tokenizer().decode(&ids));
    }
    std::io::stdout().flush()?;
    Ok(())
}
