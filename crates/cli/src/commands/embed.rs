//! `lexiform embed`: embeddings of 3D files, of given views, or of words, as an array in a file.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use lexiform_model::preprocess::Crop;
use lexiform_search::{Embedding, Encoder, ModelInput, ShapePreprocessor, embed_file, read_image};
use serde_json::json;

use crate::array_file;
use crate::commands::classify::failure;
use crate::failure::{Usage, Verdict};
use crate::indexing;
use crate::models::ModelArg;
use crate::output;

/// Write the embeddings of 3D files, of pictures, of views or of words to a file
#[derive(Args)]
#[command(group = ArgGroup::new("input").required(true).multiple(true).args(["files", "views", "text"]))]
pub struct EmbedArgs {
    /// 3D files and pictures, one row each
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Pictures of one shape, which give one row
    #[arg(long, value_name = "PICTURE", num_args = 1.., conflicts_with_all = ["files", "text"])]
    views: Vec<PathBuf>,
    /// Words; may be given more than once, one row each
    #[arg(long, value_name = "TEXT", conflicts_with = "files")]
    text: Vec<String>,
    /// File to write: .npy or .safetensors, `[rows, dim]` of f32
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Window cut out of views before the model sees them [default: the model's]
    #[arg(long)]
    crop: Option<CropArg>,
    /// Seed of `--crop seed`
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
    #[command(flatten)]
    model: ModelArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object a row
    #[arg(long)]
    json: bool,
}

/// The names of [`Crop`]'s variants.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CropArg {
    /// The whole view
    None,
    /// The middle
    Center,
    /// At random, as the reference does for a seed
    Seed,
}

/// What a row of the array is of.
type Row = (String, Embedding);

impl EmbedArgs {
    /// Embeds and writes.
    pub fn run(self) -> anyhow::Result<Verdict> {
        array_file::check_ending(&self.output)?;
        let encoder = self.model.open_with(self.crop())?;
        let mut failed = Vec::new();
        let rows = if !self.views.is_empty() {
            vec![self.of_views(&*encoder)?]
        } else if !self.text.is_empty() {
            self.of_texts(&*encoder)?
        } else {
            self.of_files(&*encoder, &mut failed)?
        };
        indexing::list_failed(&failed);
        if rows.is_empty() {
            return Ok(Verdict::Failed);
        }
        array_file::write(&self.output, encoder.id(), &rows)?;
        if self.json {
            let object = |(i, (of, _)): (usize, &Row)| output::json(&json!({ "row": i, "of": of }));
            rows.iter().enumerate().try_for_each(object)?;
        }
        output::note(format!("wrote {} × {} to {}", rows.len(), encoder.dim(), self.output.display()));
        Ok(if self.strict && !failed.is_empty() { Verdict::Failed } else { Verdict::Done })
    }

    fn crop(&self) -> Option<Crop> {
        self.crop.map(|crop| match crop {
            CropArg::None => Crop::None,
            CropArg::Center => Crop::Center,
            CropArg::Seed => Crop::Seed(self.seed),
        })
    }

    /// Texts as the text tower has them, the empty one too.
    fn of_texts(&self, encoder: &dyn Encoder) -> anyhow::Result<Vec<Row>> {
        let texts: Vec<&str> = self.text.iter().map(String::as_str).collect();
        let embeddings = encoder.embed_texts(&texts).map_err(|error| anyhow::anyhow!(error))?;
        Ok(self.text.iter().cloned().zip(embeddings).collect())
    }

    fn of_views(&self, encoder: &dyn Encoder) -> anyhow::Result<Row> {
        let views = self.views.iter().map(|path| read_image(path)).collect::<Result<Vec<_>, _>>()?;
        let embeddings =
            encoder.embed_shapes(vec![ModelInput::Views(views)]).map_err(|error| anyhow::anyhow!(error))?;
        let embedding = embeddings.into_iter().next().ok_or_else(|| Usage("no views given".to_owned()))?;
        Ok((self.views[0].display().to_string(), embedding))
    }

    fn of_files(
        &self,
        encoder: &dyn Encoder,
        failed: &mut Vec<(String, String)>,
    ) -> anyhow::Result<Vec<Row>> {
        let look = ShapePreprocessor::for_encoder(encoder);
        let mut rows = Vec::with_capacity(self.files.len());
        for file in &self.files {
            match embed_file(encoder, &look, file) {
                Ok(embedding) => rows.push((file.display().to_string(), embedding)),
                Err(error) => failed.push(failure(file, error)?),
            }
        }
        Ok(rows)
    }
}
