//! `lexiform compare`: how alike two things are to the model.

use std::path::Path;

use clap::Args;
use lexiform_search::{Embedding, Encoder, ShapePreprocessor, embed_file, embed_text};
use serde::Serialize;

use crate::failure::Verdict;
use crate::models::ModelArg;
use crate::output;

/// Compare two things: 3D files, pictures or words
#[derive(Args)]
pub struct CompareArgs {
    /// 3D file, picture or words
    a: String,
    /// 3D file, picture or words
    b: String,
    #[command(flatten)]
    model: ModelArg,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The result as a line of JSON.
#[derive(Serialize)]
struct ScoreLine<'a> {
    a: &'a str,
    b: &'a str,
    score: f32,
}

impl CompareArgs {
    /// Embeds both and shows their cosine.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let encoder = self.model.open()?;
        let score = embed(&*encoder, &self.a)?.dot(&embed(&*encoder, &self.b)?);
        if self.json {
            output::json(&ScoreLine { a: &self.a, b: &self.b, score })?;
        } else {
            output::line(format!("{score:.3}"))?;
        }
        Ok(Verdict::Done)
    }
}

/// A picture or 3D file if there is one of that name, words otherwise.
fn embed(encoder: &dyn Encoder, thing: &str) -> anyhow::Result<Embedding> {
    let path = Path::new(thing);
    // A name that looks like a file's is meant as one, so that a typing error is not taken for words.
    let is_file = path.is_file() || lexiform_mesh_io::Format::from_path(path).is_some();
    Ok(match is_file || image::ImageFormat::from_path(path).is_ok() {
        true => embed_file(encoder, &ShapePreprocessor::for_encoder(encoder), path)?,
        false => embed_text(encoder, thing)?,
    })
}
