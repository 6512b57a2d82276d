//! Benchmarks forward and backward pass of one transformer block of ViT-B/32 whose tokens of all views of a shape attend to each
//! other: `bench_block [SHAPES] [VIEWS] [keep|recompute]`, by default 64 shapes of 6 views, activations kept. Prints the time and
//! the peak memory of the process, one JSON line each.

use burn::tensor::{Device, Distribution, Tensor};
use lexiform_model::clip::ClipConfig;
use lexiform_model::nn::{
    Activation, AttentionScope, BlockOptions, MlpStyle, Transformer, TransformerConfig,
};
use lexiform_model::weights::WeightSource;

mod support;

#[expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default| arguments.get(at).map_or(Ok(default), |text| text.parse::<usize>());
    let (shapes, views) = (number(0, 64)?, number(1, 6)?);
    let recompute = arguments.get(2).is_some_and(|word| word == "recompute");
    let clip = ClipConfig::vit_b_32();
    let config = TransformerConfig {
        width: clip.vision.width,
        layers: 1,
        heads: clip.vision.width / 64,
        head_width: 64,
        qkv_bias: true,
        mlp_width: 4 * clip.vision.width,
        activation: Activation::Gelu,
        epsilon: 1e-5,
        mlp: MlpStyle::default(),
    };
    let device = Device::flex().autodiff();
    let network = Transformer::load(&WeightSource::random(0, &device), "t", &config)?;
    let network = network
        .with_block_options(BlockOptions { checkpoint_activations: recompute, ..BlockOptions::default() });
    let shape = [shapes * views, 50, config.width];
    let x = Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device).require_grad();
    let what = format!("block, {shapes} shapes of {views} views");
    support::measure(&what, 1, || {
        let scope = |_| AttentionScope::Views(views);
        let gradients = network.forward(x.clone(), scope, |_, x| x, |_, _| {}).sum().backward();
        x.grad(&gradients).map(Tensor::into_data)
    });
    let megabytes = peak_memory_bytes().ok_or("peak memory is known on Linux only")? / 1_000_000;
    println!("{{\"what\": \"{what}: peak memory, MB\", \"milliseconds\": {megabytes}}}");
    Ok(())
}

/// Peak resident set size, `VmHWM` of `/proc/self/status`.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}
