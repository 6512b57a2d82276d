//! `lexiform compare`: similarity of two inputs.

use std::path::Path;

use clap::Args;
use lexiform_search::{Embedding, Encoder, ShapePreprocessor, embed_file, embed_text};
use serde::Serialize;

use crate::error::Outcome;
use crate::models::ModelArg;
use crate::output;
use crate::up_axis::UpArg;

/// Compare two inputs, each a 3D file, an image or a text
#[derive(Args)]
pub(crate) struct CompareArgs {
    /// 3D file, image or text
    a: String,
    /// 3D file, image or text
    b: String,
    #[command(flatten)]
    model: ModelArg,
    #[command(flatten)]
    up_arg: UpArg,
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
    /// Embeds both and shows their cosine similarity.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let encoder = self.model.open()?;
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(self.up_arg.rule());
        let embedding = |input| embed(&*encoder, &preprocessor, input);
        let score = embedding(&self.a)?.dot(&embedding(&self.b)?);
        if self.json {
            output::json(&ScoreLine { a: &self.a, b: &self.b, score })?;
        } else {
            output::line(format!("{score:.3}"))?;
        }
        Ok(Outcome::Done)
    }
}

/// An image or 3D file if the argument is a file or has a file name's extension, text otherwise.
fn embed(encoder: &dyn Encoder, preprocessor: &ShapePreprocessor, input: &str) -> anyhow::Result<Embedding> {
    let path = Path::new(input);
    // A mistyped file name is reported as missing, not embedded as text.
    let is_file = path.is_file() || lexiform_mesh_io::Format::from_path(path).is_some();
    let is_file = is_file || image::ImageFormat::from_path(path).is_ok();
    Ok(if is_file { embed_file(encoder, preprocessor, path)? } else { embed_text(encoder, input)? })
}
