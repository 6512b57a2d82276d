//! Zero-shot classification: which of your own labels describes a 3D file or an image best?
//!
//! ```console
//! cargo run --release -p lexiform-examples --bin zero_shot -- samples/lamp.glb lamp chair table
//! ```

use std::path::Path;

use anyhow::{Result, ensure};
use lexiform_search::{EncoderOptions, ShapePreprocessor, ZeroShotClassifier, embed_file};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ensure!(arguments.len() > 1, "usage: zero_shot FILE LABEL LABEL…");
    let (file, labels) = (Path::new(&arguments[0]), &arguments[1..]);

    let encoder = EncoderOptions::default().open("nano")?;
    // Each label becomes the mean of several sentences, as in "a photo of a {}". Your own templates work as well.
    let labels = ZeroShotClassifier::new(&*encoder, labels, &encoder.templates())?;

    let shape = embed_file(&*encoder, &ShapePreprocessor::for_encoder(&*encoder), file)?;
    for score in labels.classify(&shape) {
        println!("{:5.1} %  {}", 100.0 * score.score, score.label);
    }
    Ok(())
}
