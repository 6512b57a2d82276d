//! `lexiform embed`: embeddings of 3D files, images, views or texts, as an array in a file.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum};
use lexiform_model::preprocess::Crop;
use lexiform_search::{
    Embedding, Encoder, ShapePreprocessor, SplitViews, embed_file, embed_views, read_views,
};
use serde_json::json;

use crate::array_write;
use crate::commands::classify::file_error;
use crate::error::{Outcome, UsageError};
use crate::indexing;
use crate::models::ModelArg;
use crate::output::{self, Align};
use crate::output_file::ForceArg;
use crate::path_groups::{GroupedOption, PathGroups};

/// Write the embeddings of 3D files, images, views or texts to a file, or compare shapes with texts
///
/// With texts in addition to files or views, prints the cosine similarity of each with each text:
/// `lexiform embed --views couch.jpg --text "a 3D model of a white couch" --model duoduo`.
#[derive(Args)]
#[command(group = ArgGroup::new("input").required(true).multiple(true).args(["files", "views", "text"]))]
pub(crate) struct EmbedArgs {
    /// 3D files, images, folders of views and strips of views, one row each
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    views: PathGroups<Views>,
    /// Views in each image: a number, or COLUMNSxROWS [default: an image at least three times as long as wide is a strip]
    #[arg(long, value_name = "N|CxR", requires = "views")]
    split: Option<SplitViews>,
    /// Text; may be given more than once, one row each
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// File to write: .npy or .safetensors, `[rows, dim]` of f32; not needed for similarities
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    crop: CropArgs,
    #[command(flatten)]
    model: ModelArg,
    /// Fail if a file cannot be used
    #[arg(long)]
    strict: bool,
    /// Print one JSON object per row
    #[arg(long)]
    json: bool,
}

/// `--views`.
#[derive(Clone, Debug)]
struct Views;

impl GroupedOption for Views {
    const NAME: &'static str = "views";
    const HELP: &'static str = "Views of one shape, embedded as one row: images, strips or grids of views, or a folder; may be given \
                                more than once, one shape each";
}

/// How views are cropped.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CropArgs {
    /// Crop of each view before preprocessing [default: the model's]
    #[arg(long)]
    crop: Option<CropArg>,
    /// Seed of `--crop random` and `--crop reference`
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,
}

impl CropArgs {
    /// The crop, if one is given.
    pub(crate) fn crop(self) -> Option<Crop> {
        self.crop.map(|crop| match crop {
            CropArg::None => Crop::None,
            CropArg::Center => Crop::Center,
            CropArg::Random => Crop::Seed(self.seed),
            CropArg::Reference => Crop::Reference(self.seed),
        })
    }
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
    /// As Duoduo CLIP's `encode_image`: the random window, and pixels in half precision
    Reference,
}

/// The file or text that a row embeds, and the embedding.
type Row = (String, Embedding);

impl EmbedArgs {
    /// Embeds the inputs; writes the array, prints similarities, or both.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let is_compared = !self.text.is_empty() && !(self.files.is_empty() && self.views.groups.is_empty());
        let inputs = self.inputs();
        let file = self.output.as_ref().map(|path| self.force.file(path, &array_write::EXTENSIONS, &inputs));
        let file = file.transpose()?;
        if file.is_none() && !is_compared {
            let text = "nothing to write to: give -o FILE, or texts to compare files or views with";
            return Err(UsageError(text.to_owned()).into());
        }
        let encoder = self.model.open_with(self.crop.crop())?;
        let mut failed = Vec::new();
        let mut rows = self.of_views(&*encoder)?;
        rows.extend(self.of_files(&*encoder, &mut failed)?);
        let texts = self.of_texts(&*encoder)?;
        indexing::list_failed(&failed);
        // An array without rows would be of no use; why there are none is listed above.
        if rows.is_empty() && (texts.is_empty() || is_compared) {
            return Ok(Outcome::Failed);
        }
        self.show(&rows, &texts, is_compared)?;
        rows.extend(texts);
        if let (Some(file), Some(path)) = (file, &self.output) {
            file.write(&array_write::encode(path, encoder.id(), &rows)?)?;
            output::note(format!("wrote {} × {} to {}", rows.len(), encoder.dim(), path.display()));
        }
        Ok(if self.strict && !failed.is_empty() { Outcome::Failed } else { Outcome::Done })
    }

    /// Files that are read, the model's included: a name of a model is no existing path, or should not be replaced either.
    fn inputs(&self) -> Vec<&Path> {
        let files = self.files.iter().map(PathBuf::as_path).chain(self.views.paths());
        files.chain([Path::new(self.model.name())]).collect()
    }

    /// Prints rows as JSON, and the similarities of shapes and texts.
    fn show(&self, rows: &[Row], texts: &[Row], is_compared: bool) -> anyhow::Result<()> {
        if self.json {
            for (i, (input, embedding)) in rows.iter().chain(texts).enumerate() {
                let mut line = json!({ "row": i, "input": input });
                if is_compared && i < rows.len() {
                    let score = |(text, other): &Row| json!({ "text": text, "score": embedding.dot(other) });
                    line["scores"] = texts.iter().map(score).collect();
                }
                output::json(&line)?;
            }
        } else if is_compared {
            let row = |(input, a): &Row, (text, b): &Row| {
                vec![format!("{:.4}", a.dot(b)), input.clone(), text.clone()]
            };
            let lines: Vec<_> = rows.iter().flat_map(|a| texts.iter().map(move |b| row(a, b))).collect();
            let columns = [("score", Align::Right), ("input", Align::Left), ("text", Align::Left)];
            output::line(output::table(&columns, &lines))?;
        }
        Ok(())
    }

    /// Texts are embedded as given: an empty one has an embedding too.
    fn of_texts(&self, encoder: &dyn Encoder) -> anyhow::Result<Vec<Row>> {
        if self.text.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<&str> = self.text.iter().map(String::as_str).collect();
        let embeddings = encoder.embed_texts(&texts).map_err(|error| anyhow::anyhow!(error))?;
        Ok(self.text.iter().cloned().zip(embeddings).collect())
    }

    fn of_views(&self, encoder: &dyn Encoder) -> anyhow::Result<Vec<Row>> {
        let split = self.split.unwrap_or_default();
        let row = |group: &Vec<PathBuf>| {
            let views = read_views(group, split)?;
            let name = group.first().map_or(String::new(), |path| path.display().to_string());
            if views.len() > group.len() {
                output::note(format!("{name}: {} of one object", output::quantity(views.len(), "view")));
            }
            Ok((name, embed_views(encoder, views)?))
        };
        self.views.groups.iter().map(row).collect()
    }

    fn of_files(
        &self,
        encoder: &dyn Encoder,
        failed: &mut Vec<(String, String)>,
    ) -> anyhow::Result<Vec<Row>> {
        let preprocessor = ShapePreprocessor::for_encoder(encoder);
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
