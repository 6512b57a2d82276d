//! Embeds a 3D file or an image with the built-in model, and writes the embedding as a NumPy array.
//!
//! ```console
//! cargo run --release -p lexiform-examples --bin embed_file -- samples/chair_01.glb chair.npy
//! ```

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use lexiform_formats::array::Array;
use lexiform_search::{EncoderOptions, ShapePreprocessor, embed_file, embed_text};

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let file = arguments.next().context("usage: embed_file FILE [OUT.npy]")?;

    // "nano" is part of the library; a path opens a checkpoint of another model.
    let encoder = EncoderOptions::default().open("nano")?;
    // Renders the views, or samples the points, that this model was trained on.
    let preprocessor = ShapePreprocessor::for_encoder(&*encoder);
    let embedding = embed_file(&*encoder, &preprocessor, &file)?;
    println!("{}: {} numbers by {}", file.display(), encoder.dim(), encoder.id());

    // Embeddings are unit vectors: their dot product is the cosine similarity.
    for text in ["a chair", "a car", "a tree"] {
        println!("{:.3}  {text}", embedding.dot(&embed_text(&*encoder, text)?));
    }

    if let Some(out) = arguments.next() {
        let array = Array::from_f32(&[encoder.dim()], embedding.as_slice());
        lexiform_formats::write_file(&out, &array.to_npy())?;
        println!("wrote {}", out.display());
    }
    Ok(())
}
