//! `--device` and `--devices`: results elsewhere are those of the processor.

use crate::support::Sandbox;

#[test]
fn devices_that_are_not_there_are_told() {
    let sandbox = Sandbox::new();
    let compare = |device| sandbox.run(&["compare", "a chair", "models/flat.obj", "--device", device]);
    compare("gpu").failure(2, &["'gpu' for '--device", "no device is called so"]);
    compare("cpu:1").failure(2, &["this machine has 1 cpu device, and they are counted from 0"]);
    #[cfg(not(feature = "vulkan"))]
    compare("vulkan:7").failure(2, &["built without vulkan: build it with --features vulkan"]);
    compare("cpu").success();
}

/// Embeddings by words, views and points, and losses of a few steps, up to the order of sums.
///
/// On a processor's Vulkan most of the time goes into compiling kernels: some five minutes.
#[cfg(any(feature = "wgpu", feature = "vulkan"))]
#[test]
fn a_card_computes_what_the_processor_does() {
    let card = if cfg!(feature = "wgpu") { "wgpu" } else { "vulkan" };
    // A build for this device is tested on a machine that has it.
    lexiform_model::device(card).unwrap_or_else(|reason| panic!("{reason}"));
    let sandbox = Sandbox::new();
    let embed = |device: &str, name: &str, what: &[&str]| {
        let file = format!("{device}-{name}.npy");
        sandbox
            .run(&[&["embed", "-o", &file, "--model", "nano", "--device", device], what].concat())
            .success();
        let bytes = fs_err::read(sandbox.path(&file)).unwrap();
        let numbers = bytes[bytes.len() - 4 * 128..].as_chunks::<4>().0.iter();
        numbers.map(|bytes| f32::from_le_bytes(*bytes)).collect::<Vec<f32>>()
    };
    for (name, what) in [("text", ["--text", "a flat box"].as_slice()), ("shape", &["models/flat.obj"])] {
        let [there, here] = [card, "cpu"].map(|device| embed(device, name, what));
        let farthest = there.iter().zip(&here).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(farthest < 1e-5, "{name}: {farthest:e}");
    }
    let losses = |device: &str| -> Vec<f64> {
        let run = sandbox.run(&crate::train::args(device, &format!("--devices {device}"))).success();
        let steps = run.json().into_iter().filter(|event| event["event"] == "step");
        steps.map(|step| step["loss"].as_f64().unwrap()).collect()
    };
    let [there, here] = [card, "cpu"].map(losses);
    assert_eq!(there.len(), 4);
    assert!(there.iter().zip(&here).all(|(a, b)| (a - b).abs() < 1e-4 * b), "{there:?} {here:?}");
}
