//! Helpers of the benchmarks.
#![allow(dead_code, reason = "each example uses its part")]

use std::time::Instant;

use lexiform_model::lm::{LanguageModelConfig, OutputConfig, Positions};
use lexiform_model::nn::{Activation, DecoderBlockConfig, MlpStyle, NormPlacement, TransformerConfig};

/// Runs once for nothing, then `repeats` times, and prints the median, and the mean CPU time over all cores, as one JSON line.
#[expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]
pub fn measure<T>(what: &str, repeats: usize, mut run: impl FnMut() -> T) {
    run();
    let before = cpu_seconds();
    let mut times: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    let cpu = cpu_seconds().zip(before).map(|(after, before)| (after - before) * 1000.0 / repeats as f64);
    let cpu = cpu.map_or_else(String::new, |cpu| format!(", \"cpu\": {cpu:.1}"));
    println!("{{\"what\": \"{what}\", \"milliseconds\": {:.3}{cpu}}}", times[times.len() / 2]);
}

/// CPU time of this process over all cores so far, where the system tells it (Linux, in steps of 10 ms).
pub fn cpu_seconds() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the process is in parentheses, and may have spaces.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// The smallest GPT-2: 124 million parameters.
pub fn gpt2() -> LanguageModelConfig {
    let transformer = TransformerConfig {
        width: 768,
        layers: 12,
        heads: 12,
        head_width: 64,
        qkv_bias: true,
        mlp_width: 3072,
        activation: Activation::GeluTanh,
        epsilon: 1e-5,
        mlp: MlpStyle::default(),
    };
    LanguageModelConfig {
        vocabulary: 50_257,
        context: 1024,
        block: DecoderBlockConfig::usual(transformer, NormPlacement::Pre, None),
        positions: Positions::Learned { offset: 0 },
        output: OutputConfig::TIED,
    }
}
