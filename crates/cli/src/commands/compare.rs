//! `lexiform compare`: similarity of two inputs.

use clap::Args;
use lexiform_search::{
    Embedding, Encoder, ShapePreprocessor, SplitViews, embed_file, embed_text, embed_views, read_views,
    similarity_in_words,
};
use serde::Serialize;

use crate::commands::embed::CropArgs;
use crate::error::{Outcome, UsageError};
use crate::input::Input;
use crate::models::ModelArg;
use crate::output;
use crate::similarity;
use crate::up_axis::UpArg;

/// Compare two inputs, each a 3D file, an image, a folder or strip of views, or a text
#[derive(Args)]
pub(crate) struct CompareArgs {
    /// Two of: 3D file, image, folder or strip of views, text
    #[arg(value_name = "INPUT", num_args = 0..=2)]
    inputs: Vec<String>,
    /// Text, also where it could be the name of a file
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// Views in each image: a number, or COLUMNSxROWS [default: an image at least three times as long as wide is a strip]
    #[arg(long, value_name = "N|CxR")]
    split: Option<SplitViews>,
    #[command(flatten)]
    crop: CropArgs,
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
    /// The score in words, for models whose scale is known.
    words: Option<&'static str>,
    model: &'a str,
}

impl CompareArgs {
    /// Embeds both and shows their cosine similarity.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let mut inputs: Vec<Input> =
            self.inputs.iter().map(|input| Input::of(input)).collect::<Result<_, _>>()?;
        inputs.extend(self.text.iter().cloned().map(Input::Text));
        let [a, b] = &inputs[..] else {
            let found = inputs.len();
            return Err(UsageError(format!("expected two inputs to compare, found {found}")).into());
        };
        let encoder = self.model.open_with(self.crop.crop())?;
        let score = self.embed(&*encoder, a)?.dot(&self.embed(&*encoder, b)?);
        if self.json {
            let words = similarity_in_words(score, encoder.id());
            output::json(&ScoreLine {
                a: &a.to_string(),
                b: &b.to_string(),
                score,
                words,
                model: encoder.id(),
            })?;
        } else {
            output::line(format!("{score:.3}"))?;
            // Not on standard output, where scripts read the number.
            output::note(output::single_line(&similarity::explain(score, [a, b], encoder.id())));
        }
        Ok(Outcome::Done)
    }

    fn embed(&self, encoder: &dyn Encoder, input: &Input) -> Result<Embedding, lexiform_search::Error> {
        match (input, self.split) {
            (Input::Text(text), _) => embed_text(encoder, text),
            (Input::Path(path), Some(split)) if lexiform_mesh_io::is_image(path) => {
                embed_views(encoder, read_views(std::slice::from_ref(path), split)?)
            }
            (Input::Path(path), _) => {
                let preprocessor = ShapePreprocessor::for_encoder(encoder).with_up(self.up_arg.rule());
                embed_file(encoder, &preprocessor, path)
            }
        }
    }
}
