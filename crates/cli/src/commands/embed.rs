//! `lexiform embed`: embeddings of 3D files, images, views or texts, as an array in a file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args, ValueEnum};
use lexiform_data::embeddings::{EMBEDDING_EXTENSIONS, EmbeddingWriter, index_path};
use lexiform_model::preprocess::Crop;
use lexiform_search::{
    Embedding, Encoder, ShapePreprocessor, SplitViews, content_hash, embed_views, read_views,
};
use serde_json::json;

use crate::embed_inputs::{self, EmbedInput};
use crate::embedding_output::EmbeddingOutput;
use crate::error::{Outcome, UsageError};
use crate::indexing;
use crate::models::ModelArg;
use crate::output::{self, Align};
use crate::output_file::ForceArg;
use crate::path_groups::{GroupedOption, PathGroups};
use crate::progress::Progress;
use crate::up_axis::UpArg;

/// Write the embeddings of 3D files, images, views or texts to a file, or compare shapes with texts
///
/// With texts in addition to files or views, prints the cosine similarity of each with each text:
/// `lexiform embed --views couch.jpg --text "a 3D model of a white couch" --model duoduo`.
///
/// An interrupted run leaves its rows in FILE.partial; the same command continues there.
#[derive(Args)]
#[command(group = ArgGroup::new("input").required(true).multiple(true).args(["files", "views", "text", "texts_file"]))]
pub(crate) struct EmbedArgs {
    /// 3D files, images, folders of views and strips of views, one row each; folders of 3D files and data sets, one row per
    /// shape; @LIST for a file with one path per line
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
    /// File with one text per line, one row each
    #[arg(long, value_name = "FILE")]
    texts_file: Option<PathBuf>,
    /// File to write: .npz, .safetensors, .h5 or .parquet with names, or .npy without; `[rows, dim]` of f32; not needed for
    /// similarities
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: ForceArg,
    #[command(flatten)]
    up_arg: UpArg,
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

/// Texts embedded at a time.
const TEXTS_PER_BATCH: usize = 256;

/// Where rows go: a file, memory for similarities, or both.
struct Rows {
    writer: Option<EmbeddingWriter>,
    /// `None` unless similarities are shown: rows of a file may be more than fit into memory.
    kept: Option<Vec<Row>>,
    count: usize,
}

impl Rows {
    /// The stamp of an input, which identifies its content; empty where no row of an interrupted run can be reused.
    fn stamp(&self, stamp: impl FnOnce() -> String) -> String {
        if self.kept.is_some() { String::new() } else { stamp() }
    }

    /// Whether an interrupted run computed the row of this input, which is then added.
    fn reuse(&mut self, name: &str, stamp: &str) -> bool {
        let reused = self.writer.as_mut().is_some_and(|writer| writer.reuse(name, stamp));
        self.count += usize::from(reused);
        reused
    }

    fn push(&mut self, name: String, stamp: &str, embedding: Embedding) -> anyhow::Result<()> {
        self.count += 1;
        if let Some(writer) = &mut self.writer {
            writer.push_stamped(&name, stamp, embedding.as_slice())?;
        }
        if let Some(kept) = &mut self.kept {
            kept.push((name, embedding));
        }
        Ok(())
    }
}

impl EmbedArgs {
    /// Embeds the inputs; writes the array, prints similarities, or both.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let has_texts = !self.text.is_empty() || self.texts_file.is_some();
        let is_compared = has_texts && !(self.files.is_empty() && self.views.groups.is_empty());
        let file = self.output_file()?;
        if file.is_none() && !is_compared {
            let text = "nothing to write to: give -o FILE, or texts to compare files or views with";
            return Err(UsageError(text.to_owned()).into());
        }
        let texts = self.texts()?;
        let inputs = embed_inputs::expand(&self.files)?;
        let encoder = self.model.open_with(self.crop.crop())?;
        let start = |file: &EmbeddingOutput| match is_compared {
            // Similarities need all embeddings in memory; rows of an interrupted run are only on disk.
            true => file.writer(encoder.id(), encoder.dim()),
            false => file.resume(encoder.id(), encoder.dim(), &self.settings(&*encoder)),
        };
        let writer = file.as_ref().map(start).transpose()?;
        note_kept(writer.as_ref());
        let mut rows = Rows { writer, kept: is_compared.then(Vec::new), count: 0 };
        self.add_views(&*encoder, &mut rows)?;
        let preprocessor = ShapePreprocessor::for_encoder(&*encoder).with_up(self.up_arg.rule());
        let failed = add_inputs(&inputs, (&*encoder, &preprocessor), &mut rows)?;
        let shapes = rows.count;
        indexing::list_failed(&failed);
        // An array without rows would be of no use; why there are none is listed above.
        if shapes == 0 && (texts.is_empty() || is_compared) {
            return Ok(Outcome::Failed);
        }
        add_texts(&texts, &*encoder, &mut rows)?;
        self.show(&rows, shapes)?;
        if let (Some(file), Some(writer)) = (file, rows.writer) {
            note_lost_names(file.path(), writer.names());
            file.finish(writer)?;
            output::note(format!("wrote {} × {} to {}", rows.count, encoder.dim(), file.path().display()));
        }
        Ok(if self.strict && !failed.is_empty() { Outcome::Failed } else { Outcome::Done })
    }

    /// What rows depend on besides their inputs.
    fn settings(&self, encoder: &dyn Encoder) -> String {
        let (version, id) = (env!("CARGO_PKG_VERSION"), encoder.id());
        // The id of a model does not say how it is opened: image size, precision, the text model of a point model.
        let Self { crop, split, .. } = self;
        let (opened, up) = (&self.model.open_args, self.up_arg.rule());
        format!("lexiform {version}, {id}, {opened:?}, crop {crop:?}, up {up:?}, split {split:?}")
    }

    /// The file to write, checked before the work.
    fn output_file(&self) -> anyhow::Result<Option<EmbeddingOutput>> {
        let list = self.texts_file.as_deref();
        // The model's too: a name of a model is no existing path, or should not be replaced either.
        let files = self.files.iter().map(PathBuf::as_path).chain(self.views.paths()).chain(list);
        let inputs: Vec<&Path> = files.chain([Path::new(self.model.name())]).collect();
        let open = |path: &PathBuf| {
            let file = self.force.file(path, &EMBEDDING_EXTENSIONS, &inputs)?;
            if let Some(index) = index_path(path) {
                self.force.along_with(path).file(&index, &["json"], &inputs)?;
            }
            anyhow::Ok(EmbeddingOutput::new(file, path))
        };
        self.output.as_ref().map(open).transpose()
    }

    fn texts(&self) -> anyhow::Result<Vec<String>> {
        let mut texts = self.text.clone();
        if let Some(file) = &self.texts_file {
            texts.extend(embed_inputs::lines(file)?);
        }
        Ok(texts)
    }

    /// Prints rows as JSON, and the similarities of shapes, which come first, and texts.
    fn show(&self, rows: &Rows, shapes: usize) -> anyhow::Result<()> {
        let Some(kept) = &rows.kept else {
            let names = rows.writer.as_ref().map_or(&[][..], EmbeddingWriter::names);
            let line = |(i, name): (usize, &String)| output::json(&json!({ "row": i, "input": name }));
            return if self.json { names.iter().enumerate().try_for_each(line) } else { Ok(()) };
        };
        let (shapes, texts) = kept.split_at(shapes);
        if self.json {
            for (i, (input, embedding)) in kept.iter().enumerate() {
                let mut line = json!({ "row": i, "input": input });
                if i < shapes.len() {
                    let score = |(text, other): &Row| json!({ "text": text, "score": embedding.dot(other) });
                    line["scores"] = texts.iter().map(score).collect();
                }
                output::json(&line)?;
            }
            return Ok(());
        }
        let row =
            |(input, a): &Row, (text, b): &Row| vec![format!("{:.4}", a.dot(b)), input.clone(), text.clone()];
        let lines: Vec<_> = shapes.iter().flat_map(|a| texts.iter().map(move |b| row(a, b))).collect();
        let columns = [("score", Align::Right), ("input", Align::Left), ("text", Align::Left)];
        Ok(output::line(output::table(&columns, &lines))?)
    }

    fn add_views(&self, encoder: &dyn Encoder, rows: &mut Rows) -> anyhow::Result<()> {
        let split = self.split.unwrap_or_default();
        for group in &self.views.groups {
            let name = group.first().map_or(String::new(), |path| path.display().to_string());
            let hashes = || group.iter().map(|path| content_hash(path)).collect::<Result<String, _>>();
            let stamp = rows.stamp(|| hashes().unwrap_or_default());
            if rows.reuse(&name, &stamp) {
                continue;
            }
            let views = read_views(group, split)?;
            if views.len() > group.len() {
                output::note(format!("{name}: {} of one object", output::quantity(views.len(), "view")));
            }
            rows.push(name, &stamp, embed_views(encoder, views)?)?;
        }
        Ok(())
    }
}

/// Says how many rows of an interrupted run are used if their inputs have not changed.
fn note_kept(writer: Option<&EmbeddingWriter>) {
    if let Some(kept) = writer.map(EmbeddingWriter::kept).filter(|kept| *kept > 0) {
        output::note(format!("resuming: {} of an interrupted run", output::quantity(kept, "row")));
    }
}

/// Says that the index next to an HDF5 file has one row per name.
fn note_lost_names(path: &Path, names: &[String]) {
    let distinct: HashSet<&String> = names.iter().collect();
    if let Some(index) = index_path(path).filter(|_| distinct.len() < names.len()) {
        let index = index.display();
        output::note(format!("note: {index} has only the last row of a name that occurs more than once"));
    }
}

/// Embeds files and shapes one after another; returns those that cannot be used.
fn add_inputs(
    inputs: &[EmbedInput],
    (encoder, preprocessor): (&dyn Encoder, &ShapePreprocessor),
    rows: &mut Rows,
) -> anyhow::Result<Vec<(String, String)>> {
    let progress = (inputs.len() > 1).then(|| Progress::new(inputs.len()));
    let mut failed = Vec::new();
    for input in inputs {
        let name = input.name();
        if let Some(progress) = &progress {
            progress.step(&name);
        }
        let stamp = rows.stamp(|| input.stamp());
        if rows.reuse(&name, &stamp) {
            continue;
        }
        match input.embed(encoder, preprocessor)? {
            Ok(embedding) => rows.push(name, &stamp, embedding)?,
            Err(reason) => failed.push((name, reason)),
        }
    }
    Ok(failed)
}

/// Texts are embedded as given: an empty one has an embedding too.
fn add_texts(texts: &[String], encoder: &dyn Encoder, rows: &mut Rows) -> anyhow::Result<()> {
    for batch in texts.chunks(TEXTS_PER_BATCH) {
        // Only whole batches of an interrupted run: the last bits of a row may depend on what is computed with it.
        if rows.writer.as_ref().is_some_and(|writer| writer.keeps(batch)) {
            batch.iter().for_each(|text| {
                rows.reuse(text, "");
            });
            continue;
        }
        let texts: Vec<&str> = batch.iter().map(String::as_str).collect();
        let embeddings = encoder.embed_texts(&texts).map_err(|error| anyhow::anyhow!(error))?;
        for (text, embedding) in batch.iter().zip(embeddings) {
            rows.push(text.clone(), "", embedding)?;
        }
    }
    Ok(())
}
