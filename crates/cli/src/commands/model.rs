//! `lexiform model`: which models there are, what they are, fetching and converting weights.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use lexiform_model::inspect::{self, ModelCard, TensorGroup, WeightFileSummary};
use lexiform_model::preprocess::PhotoCrop;
use lexiform_model::registry;
use lexiform_model::weights::Precision;
use lexiform_model::{JointModel, OpenOptions, PointModel, PointModelOptions};

use crate::failure::{Usage, Verdict};
use crate::output::{self, Align};

/// Most single values and groups of tensors shown to people; `--json` has all.
const VALUES_SHOWN: usize = 20;
const GROUPS_SHOWN: usize = 30;

/// List, describe, fetch and convert models
#[derive(Args)]
pub struct ModelArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List models that can be asked for by name
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Describe a model
    Info {
        /// Name, or file of weights
        model: String,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Fetch a model's weights from the Hugging Face hub into its usual cache
    Pull {
        /// Name that `lexiform model list` shows
        name: String,
    },
    /// Put a point tower beside the towers whose features it was trained towards, as one .safetensors file in halves
    Join {
        /// Name or file of a model of words and views
        model: String,
        /// File of a point model that was trained with it as its teacher
        points: String,
        /// File to write
        #[arg(value_name = "OUT.safetensors")]
        output: PathBuf,
    },
    /// Rewrite weights as one self-contained .safetensors file
    Convert {
        /// Name, or file of weights: .ckpt, .pt, .bin, .safetensors
        model: String,
        /// File to write
        #[arg(value_name = "OUT.safetensors")]
        output: PathBuf,
        /// Numbers to store
        #[arg(long, default_value = "f32")]
        precision: PrecisionArg,
        /// Store halves: the same as --precision f16
        #[arg(long, conflicts_with = "precision")]
        half: bool,
        /// What of a photo the model looks at from now on; of a model of words and views [default: as before]
        #[arg(long)]
        photos: Option<PhotosArg>,
    },
}

/// The names of [`Precision`]'s variants.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PrecisionArg {
    /// As computed
    F32,
    /// Half the size
    F16,
}

/// The names of [`PhotoCrop`]' variants.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PhotosArg {
    /// The shortest side fitted
    Center,
    /// The object on white, where a plain or transparent background tells it
    Object,
}

impl ModelArgs {
    /// Does what was asked.
    pub fn run(self) -> anyhow::Result<Verdict> {
        match self.action {
            Action::List { json } => list(json)?,
            Action::Info { model, json } => describe(&model, json)?,
            Action::Pull { name } => pull(&name)?,
            Action::Join { model, points, output } => {
                let points = PointModel::open(&points, &PointModelOptions::default())?;
                let joined = JointModel::open(&model, &OpenOptions::default())?.with_point_tower(&points)?;
                joined.save(&output, Precision::Half)?;
                output::note(format!("wrote {}", output.display()));
            }
            Action::Convert { model, output, precision, half, photos } => {
                let precision = match precision {
                    PrecisionArg::F32 if !half => Precision::Full,
                    _ => Precision::Half,
                };
                let file = registry::open_weights(&model)?;
                if PointModel::matches_file(&file) {
                    if photos.is_some() {
                        return Err(Usage(format!("--photos: {model} looks at no pictures")).into());
                    }
                    PointModel::from_file(&file, &PointModelOptions::default())?.save(&output, precision)?;
                } else {
                    let joint = JointModel::open(&model, &OpenOptions::default())?;
                    let joint = match photos {
                        Some(PhotosArg::Center) => joint.with_photo_crop(PhotoCrop::Center),
                        Some(PhotosArg::Object) => joint.with_photo_crop(PhotoCrop::Object),
                        None => joint,
                    };
                    joint.save(&output, precision)?;
                }
                output::note(format!("wrote {}", output.display()));
            }
        }
        Ok(Verdict::Done)
    }
}

fn list(json: bool) -> anyhow::Result<()> {
    let cards = inspect::list();
    if json {
        return cards.iter().try_for_each(output::json);
    }
    let row = |card: &ModelCard| {
        let here = if card.available { "here" } else { "not fetched" };
        let number = |n: Option<usize>| n.map_or_else(String::new, |n| n.to_string());
        let millions = card.parameters.map_or_else(String::new, |n| format!("{:.1} M", n as f64 / 1e6));
        let size = card.bytes.map_or_else(String::new, |n| format!("{:.0} MB", n as f64 / 1e6));
        let origin: Vec<&str> = card.origin.splitn(5, '/').collect();
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
            card.paired.clone().unwrap_or_else(|| "its own".to_owned()),
            size,
            here.to_owned(),
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
    let progress = crate::progress::Progress::of_bytes();
    let path = lexiform_model::hub::pull(name, |at| progress.reach(at.downloaded, at.total))?;
    drop(progress);
    Ok(output::line(path.display().to_string())?)
}

#[cfg(not(feature = "hub"))]
fn pull(name: &str) -> anyhow::Result<()> {
    use crate::failure::WithHint as _;
    let origin = inspect::describe(name)?.origin;
    Err(anyhow::anyhow!(
        "{name}: this lexiform was built without the feature `hub`, so it cannot fetch weights"
    ))
    .hint(format!("fetch {origin} and give its path with --model, or build with `--features hub`"))
}
