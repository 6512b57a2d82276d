//! `lexiform model`: list, describe, download and convert models.

mod add_language;
mod train_captioner;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use lexiform_model::inspect::{self, ModelCard, TensorGroup, WeightFileSummary};
use lexiform_model::preprocess::PhotoCrop;
use lexiform_model::registry;
use lexiform_model::weights::Precision;
use lexiform_model::{JointModel, OpenOptions, PointModel, PointModelOptions};

use crate::commands::classify::lines;
use crate::error::{Outcome, UsageError};
use crate::models::MODEL_EXTENSIONS;
use crate::output::{self, Align};
use crate::output_file::ForceArg;

/// Largest number of single values and of tensor groups in the text output; `--json` has all.
const VALUES_SHOWN: usize = 20;
const GROUPS_SHOWN: usize = 30;

/// List, describe, download and convert models
#[derive(Args)]
pub(crate) struct ModelArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List models by name
    List {
        /// Print one JSON object per model
        #[arg(long)]
        json: bool,
    },
    /// Describe a model
    Info {
        /// Name, or file with weights
        model: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Download a model's weights from the Hugging Face hub into its usual cache
    Pull {
        /// Name that `lexiform model list` shows
        name: String,
    },
    /// Add a point encoder to the CLIP model it was aligned to: one .safetensors file in f16
    Join {
        /// Name, or file with weights, of a model with text and image towers
        model: String,
        /// File of a point model that was trained with it as the teacher
        points: String,
        /// File to write
        #[arg(value_name = "OUT.safetensors")]
        output: PathBuf,
        #[command(flatten)]
        force: ForceArg,
    },
    /// Add everyday language to a model whose text tower knows few words: one .safetensors file in 8 bits
    ///
    /// A sentence encoder compares queries with what is known about each kind of objects: what people call it, what it is for,
    /// where it is, what it looks like.
    AddLanguage(add_language::AddLanguageArgs),
    /// Train a captioner of a model's embeddings on texts alone, in minutes: one .safetensors file in 8 bits
    ///
    /// It learns to reconstruct descriptions of generated shapes from their own text embeddings (DeCap), and prints its loss as lines
    /// of JSON. `lexiform caption --captioner OUT.safetensors` uses it.
    TrainCaptioner(train_captioner::TrainCaptionerArgs),
    /// Rewrite weights as one self-contained .safetensors file
    Convert {
        /// Name, or file with weights: .ckpt, .pt, .bin, .safetensors
        model: String,
        /// File to write
        #[arg(value_name = "OUT.safetensors")]
        output: PathBuf,
        /// Precision of the stored weights
        #[arg(long, default_value = "f32")]
        precision: PrecisionArg,
        /// The same as --precision f16
        #[arg(long, conflicts_with = "precision")]
        half: bool,
        /// File with the names of a classification head's classes, one a line, in the head's order; for classifiers
        #[arg(long, value_name = "FILE")]
        class_names: Option<PathBuf>,
        /// Photo preprocessing stored in the model; not for point models [default: unchanged]
        #[arg(long)]
        photo_crop: Option<PhotoCropArg>,
        #[command(flatten)]
        force: ForceArg,
    },
}

/// The names of [`Precision`]'s variants.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PrecisionArg {
    /// 32 bits
    F32,
    /// 16 bits, half the size
    F16,
    /// 8 bits, a quarter of the size
    Int8,
}

impl From<PrecisionArg> for Precision {
    fn from(precision: PrecisionArg) -> Self {
        match precision {
            PrecisionArg::F32 => Self::Full,
            PrecisionArg::F16 => Self::Half,
            PrecisionArg::Int8 => Self::Int8,
        }
    }
}

/// The names of [`PhotoCrop`]' variants.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PhotoCropArg {
    /// The central square
    Center,
    /// The object on white, if a plain or transparent background separates it; otherwise the central square
    Object,
    /// The whole photo, prepared like a rendered view (Duoduo CLIP)
    View,
}

impl ModelArgs {
    /// Runs the subcommand.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self.action {
            Action::List { json } => list(json)?,
            Action::Info { model, json } => describe(&model, json)?,
            Action::Pull { name } => pull(&name)?,
            Action::Join { model, points, output, force } => join(&model, &points, &output, force)?,
            Action::AddLanguage(arguments) => arguments.run()?,
            Action::TrainCaptioner(arguments) => arguments.run()?,
            Action::Convert { model, output, precision, half, class_names, photo_crop, force } => {
                let precision = if half { Precision::Half } else { precision.into() };
                let class_names = class_names.as_deref().map(lines).transpose()?;
                convert(&model, &output, ConvertOptions { precision, class_names, photo_crop, force })?;
            }
        }
        Ok(Outcome::Done)
    }
}

/// How `convert` writes a model.
struct ConvertOptions {
    precision: Precision,
    class_names: Option<Vec<String>>,
    photo_crop: Option<PhotoCropArg>,
    force: ForceArg,
}

fn join(model: &str, points: &str, output: &Path, force: ForceArg) -> anyhow::Result<()> {
    let file = force.file(output, &MODEL_EXTENSIONS, &[Path::new(model), Path::new(points)])?;
    let points = PointModel::open(points, &PointModelOptions::default())?;
    let joint = JointModel::open(model, &OpenOptions::default())?.with_point_tower(&points)?;
    joint.save(file.replaceable()?, Precision::Half)?;
    output::note(format!("wrote {}", output.display()));
    Ok(())
}

fn convert(model: &str, output: &Path, options: ConvertOptions) -> anyhow::Result<()> {
    let ConvertOptions { precision, class_names, photo_crop, force } = options;
    let target = force.file(output, &MODEL_EXTENSIONS, &[Path::new(model)])?;
    let target = target.replaceable()?;
    let file = registry::open_weights(model)?;
    if PointModel::matches_file(&file) {
        if photo_crop.is_some() {
            let text = format!("--photo-crop: {model} is a point model and has no photo preprocessing");
            return Err(UsageError(text).into());
        }
        let points = PointModel::from_file(&file, &PointModelOptions::default())?;
        let points = match class_names {
            Some(names) => points.with_class_names(names)?,
            None => points,
        };
        points.save(target, precision)?;
    } else if class_names.is_some() {
        return Err(UsageError(format!("--class-names: {model} is not a classifier")).into());
    } else {
        let joint = JointModel::open(model, &OpenOptions::default())?;
        let joint = match photo_crop {
            Some(PhotoCropArg::Center) => joint.with_photo_crop(PhotoCrop::Center),
            Some(PhotoCropArg::Object) => joint.with_photo_crop(PhotoCrop::Object),
            Some(PhotoCropArg::View) => joint.with_photo_crop(PhotoCrop::View),
            None => joint,
        };
        joint.save(target, precision)?;
    }
    output::note(format!("wrote {}", output.display()));
    Ok(())
}

fn list(json: bool) -> anyhow::Result<()> {
    let cards = inspect::list();
    if json {
        return cards.iter().try_for_each(output::json);
    }
    let row = |card: &ModelCard| {
        let weights = if card.available { "available" } else { "not downloaded" };
        let number = |n: Option<usize>| n.map_or_else(String::new, |n| n.to_string());
        let millions = card.parameters.map_or_else(String::new, |n| format!("{:.1} M", n as f64 / 1e6));
        let size = card.bytes.map_or_else(String::new, |n| format!("{:.0} MB", n as f64 / 1e6));
        let origin: Vec<&str> = card.origin.splitn(5, '/').collect();
        // huggingface.co/OWNER/REPOSITORY/FILE: the file is left out.
        let repository = if origin[0] == "huggingface.co" {
            origin[1..origin.len() - 1].join("/")
        } else {
            card.origin.clone()
        };
        vec![
            card.name.clone(),
            card.modality.to_owned(),
            number(card.dim),
            millions,
            text_source(card),
            size,
            weights.to_owned(),
            card.license.clone(),
            card.description.clone(),
            repository,
        ]
    };
    let columns = [
        ("name", Align::Left),
        ("kind", Align::Left),
        ("dim", Align::Right),
        ("parameters", Align::Right),
        ("text from", Align::Left),
        ("size", Align::Right),
        ("weights", Align::Left),
        ("license", Align::Left),
        ("description", Align::Left),
        ("from", Align::Left),
    ];
    Ok(output::line(output::table(&columns, &cards.iter().map(row).collect::<Vec<_>>()))?)
}

/// Where a model's text tower comes from.
fn text_source(card: &ModelCard) -> String {
    match (&card.paired, card.modality) {
        (Some(paired), _) => paired.clone(),
        (None, "points") => "not published".to_owned(),
        (None, "captioner" | "classifier") => "none".to_owned(),
        (None, _) => "its own".to_owned(),
    }
}

fn describe(model: &str, json: bool) -> anyhow::Result<()> {
    let (card, contents) = inspect::inspect(model)?;
    if json {
        let mut object = card.map(serde_json::to_value).transpose()?.unwrap_or_else(|| serde_json::json!({}));
        object["contents"] = serde_json::to_value(&contents)?;
        return output::json(&object);
    }
    if let Some(serde_json::Value::Object(fields)) = card.map(serde_json::to_value).transpose()? {
        for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            output::line(format!("{:<12}{text}", name.replace('_', " ")))?;
        }
    }
    contents.as_ref().map_or(Ok(()), show_contents)
}

fn show_contents(contents: &WeightFileSummary) -> anyhow::Result<()> {
    let field = |name: &str, text: String| output::line(format!("{name:<12}{text}"));
    field("file", format!("{}, {} bytes", contents.format, contents.bytes))?;
    field("holds", format!("{}, {} numbers in tensors", contents.kind, contents.parameters))?;
    if let Some(container) = &contents.container {
        field("part", container.clone())?;
    }
    if !contents.other_containers.is_empty() {
        field("other parts", contents.other_containers.join(", "))?;
    }
    contents.missing.iter().try_for_each(|missing| field("missing", missing.clone()))?;
    field("computes", format!("{} with --precision auto", contents.auto_precision))?;
    for (path, value) in contents.values.iter().take(VALUES_SHOWN) {
        field("says", format!("{path} = {value}"))?;
    }
    let row = |group: &TensorGroup| {
        vec![
            group.name.clone(),
            group.tensors.to_string(),
            group.parameters.to_string(),
            group.types.join(", "),
        ]
    };
    let columns = [
        ("tensors of", Align::Left),
        ("count", Align::Right),
        ("numbers", Align::Right),
        ("types", Align::Left),
    ];
    let rows: Vec<_> = contents.groups.iter().take(GROUPS_SHOWN).map(row).collect();
    Ok(output::line(output::table(&columns, &rows))?)
}

#[cfg(feature = "hub")]
fn pull(name: &str) -> anyhow::Result<()> {
    let progress = crate::progress::Progress::for_bytes();
    let path = lexiform_model::hub::pull(name, |at| progress.set_position(at.downloaded, at.total))?;
    drop(progress);
    Ok(output::line(path.display().to_string())?)
}

#[cfg(not(feature = "hub"))]
fn pull(name: &str) -> anyhow::Result<()> {
    use crate::error::WithHint as _;
    let origin = inspect::describe(name)?.origin;
    Err(anyhow::anyhow!("{name}: this build of lexiform cannot download weights: it lacks the feature `hub`"))
        .hint(format!("download {origin} and give its path with --model, or build with `--features hub`"))
}
