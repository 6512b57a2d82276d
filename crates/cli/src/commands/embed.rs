//! `lexiform embed`: embeddings of 3D files, images, views or texts, as an array in a file.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum};
use lexiform_model::preprocess::Crop;
use lexiform_search::{Embedding, Encoder, ModelInput, ShapePreprocessor, embed_file, read_image};
use serde_json::json;

use crate::array_write;
use crate::commands::classify::file_error;
use crate::error::{Outcome, UsageError};
use crate::indexing;
use crate::models::ModelArg;
use crate::output;
use crate::output_file::ForceArg;
use crate::up_axis::UpArg;

/// Write the embeddings of 3D files, images, views or texts to a file
#[derive(Args)]
#[command(group = ArgGroup::new("input").required(true).multiple(true).args(["files", "views", "text"]))]
pub(crate) struct EmbedArgs {
    /// 3D files and images, one row each
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Views of one shape, embedded as one row
    #[arg(long, value_name = "IMAGE", num_args = 1.., conflicts_with_all = ["files", "text"])]
    views: Vec<PathBuf>,
    /// Text; may be given more than once, one row each
    #[arg(long, value_name = "TEXT", conflicts_with = "files")]
    text: Vec<String>,
    /// File to write: .npy or .safetensors, `[rows, dim]` of f32
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    up_arg: UpArg,
    /// Crop of each view before preprocessing [default: the model's]
    #[arg(long)]
    crop: Option<CropArg>,
    /// Seed of `--crop random`
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
    #[command(flatten)]
    model: ModelArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per row
    #[arg(long)]
    json: bool,
}

/// The names of [`Crop`]'s variants.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum CropArg {
    /// The whole view
    None,
    /// The central window
    Center,
    /// A random window, the same as the reference implementation's for the seed
    Random,
}

/// The file or text that a row embeds, and the embedding.
type Row = (String, Embedding);

impl EmbedArgs {
    /// Embeds the inputs and writes the array.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let file = self.force.file(&self.output, &array_write::EXTENSIONS, &self.inputs())?;
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
        // An array without rows would be of no use; why there are none is listed above.
        if rows.is_empty() {
            return Ok(Outcome::Failed);
        }
        file.write(&array_write::encode(&self.output, encoder.id(), &rows)?)?;
        if self.json {
            let object = |(i, (input, _)): (usize, &Row)| output::json(&json!({ "row": i, "input": input }));
            rows.iter().enumerate().try_for_each(object)?;
        }
        output::note(format!("wrote {} × {} to {}", rows.len(), encoder.dim(), self.output.display()));
        Ok(if self.strict && !failed.is_empty() { Outcome::Failed } else { Outcome::Done })
    }

    /// Files that are read, the model's included: a name of a model is no existing path, or should not be replaced either.
    fn inputs(&self) -> Vec<&Path> {
        let files = self.files.iter().chain(&self.views).map(PathBuf::as_path);
        files.chain([Path::new(self.model.name())]).collect()
    }

    fn crop(&self) -> Option<Crop> {
        self.crop.map(|crop| match crop {
            CropArg::None => Crop::None,
            CropArg::Center => Crop::Center,
            CropArg::Random => Crop::Seed(self.seed),
        })
    }

    /// Texts are embedded as given: an empty one has an embedding too.
    fn of_texts(&self, encoder: &dyn Encoder) -> anyhow::Result<Vec<Row>> {
        let texts: Vec<&str> = self.text.iter().map(String::as_str).collect();
        let embeddings = encoder.embed_texts(&texts).map_err(|error| anyhow::anyhow!(error))?;
        Ok(self.text.iter().cloned().zip(embeddings).collect())
    }

    fn of_views(&self, encoder: &dyn Encoder) -> anyhow::Result<Row> {
        let views = self.views.iter().map(|path| read_image(path)).collect::<Result<Vec<_>, _>>()?;
        let embeddings =
            encoder.embed_shapes(vec![ModelInput::Views(views)]).map_err(|error| anyhow::anyhow!(error))?;
        let embedding =
            embeddings.into_iter().next().ok_or_else(|| UsageError("no views given".to_owned()))?;
        Ok((self.views[0].display().to_string(), embedding))
    }

    fn of_files(
        &self,
        encoder: &dyn Encoder,
        failed: &mut Vec<(String, String)>,
    ) -> anyhow::Result<Vec<Row>> {
        let preprocessor = ShapePreprocessor::for_encoder(encoder).with_up(self.up_arg.rule());
        let mut rows = Vec::with_capacity(self.files.len());
        for file in &self.files {
            match embed_file(encoder, &preprocessor, file) {
                Ok(embedding) => rows.push((file.display().to_string(), embedding)),
                Err(error) => failed.push(file_error(file, error)?),
            }
        }
        Ok(rows)
    }
}
