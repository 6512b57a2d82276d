//! Times ViT-B/32 with random weights: 12 views of one shape, one text; and 12 views through `nano`, on as many cores as
//! `RAYON_NUM_THREADS` allows. Prints one JSON line per measurement.

mod support;

use burn::tensor::{Device, Tensor};
use lexiform_model::clip::{ClipConfig, ClipText, ClipVision};
use lexiform_model::tokenizer::Tokenizer;
use lexiform_model::weights::WeightSource;
use lexiform_model::{JointModel, OpenOptions};

use support::measure;

fn main() {
    let device = Device::flex();
    let config = ClipConfig::vit_b_32();
    let source = WeightSource::random(0, &device);
    let vision = ClipVision::load(&source, &config).expect("new weights always fit");
    let text = ClipText::load(&source, &config).expect("new weights always fit");
    let pixels = Tensor::<4>::ones([12, 3, 224, 224], &device);
    measure("ViT-B/32, 12 views", 5, || vision.encode(pixels.clone(), 12, 12).into_data());
    measure("ViT-B/32, 12 views, joint from block 6", 5, || vision.encode(pixels.clone(), 12, 6).into_data());
    let nano = JointModel::open("nano", &OpenOptions::default()).expect("it is inside");
    let views = vec![vec![image::RgbaImage::from_pixel(80, 80, image::Rgba([90, 120, 40, 255])); 12]];
    measure("nano, 12 views", 25, || nano.embed_views(&views));
    let tokens = Tokenizer::Clip.encode(&["a red chair"], 77);
    measure("ViT-B/32, 1 text", 5, || text.encode(&tokens).into_data());
    measure("ViT-B/32, 1 text, padding cut", 5, || text.encode(&tokens.trimmed()).into_data());
}
