//! Times ViT-B/32 with random weights: 12 views of one shape, one text; and 12 views through `nano`, on as many cores as
//! `RAYON_NUM_THREADS` allows. Prints one JSON line per measurement. `bench_clip [f32|bf16]`
//! measures one precision of the CLIP towers.

mod support;

use burn::tensor::{Device, Tensor};
use lexiform_model::clip::{ClipConfig, ClipText, ClipVision};
use lexiform_model::tokenizer::Tokenizer;
use lexiform_model::weights::WeightSource;
use lexiform_model::{ComputePrecision, JointModel, OpenOptions};

use support::measure;

fn main() {
    let device = Device::flex();
    let config = ClipConfig::vit_b_32();
    let pixels = Tensor::<4>::ones([12, 3, 224, 224], &device);
    let tokens = Tokenizer::Clip.encode(&["a red chair"], 77);
    let (only, repeats) =
        (std::env::args().nth(1), std::env::args().nth(2).map_or(5, |n| n.parse().expect("a number")));
    for precision in [ComputePrecision::F32, ComputePrecision::Bf16] {
        if only.as_ref().is_some_and(|only| *only != precision.to_string()) {
            continue;
        }
        let source = WeightSource::random(0, &device).with_precision(precision);
        let vision = ClipVision::load(&source, &config).expect("new weights always fit");
        let text = ClipText::load(&source, &config).expect("new weights always fit");
        let name = |what: &str| format!("ViT-B/32, {what}, {precision}");
        measure(&name("12 views"), repeats, || vision.encode(pixels.clone(), 12, 12).into_data());
        measure(&name("12 views, joint from block 6"), repeats, || {
            vision.encode(pixels.clone(), 12, 6).into_data()
        });
        measure(&name("1 text"), repeats, || text.encode(&tokens).into_data());
        measure(&name("1 text, padding cut"), repeats, || text.encode(&tokens.trimmed()).into_data());
    }
    let nano = JointModel::open("nano", &OpenOptions::default()).expect("it is inside");
    let views = vec![vec![image::RgbaImage::from_pixel(80, 80, image::Rgba([90, 120, 40, 255])); 12]];
    measure("nano, 12 views", 25, || nano.embed_views(&views));
}
