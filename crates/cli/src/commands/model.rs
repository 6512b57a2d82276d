//! `lexiform model`: which models there are, what they are, fetching and converting weights.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use lexiform_model::registry::{self, ModelCard};
use lexiform_model::weights::Precision;
use lexiform_model::{JointModel, OpenOptions};

use crate::failure::Verdict;
use crate::output::{self, Align};

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

impl ModelArgs {
    /// Does what was asked.
    pub fn run(self) -> anyhow::Result<Verdict> {
        match self.action {
            Action::List { json } => list(json)?,
            Action::Info { model, json } => describe(&model, json)?,
            Action::Pull { name } => pull(&name)?,
            Action::Convert { model, output, precision } => {
                let precision = match precision {
                    PrecisionArg::F32 => Precision::Full,
                    PrecisionArg::F16 => Precision::Half,
                };
                JointModel::open(&model, &OpenOptions::default())?.save(&output, precision)?;
                output::note(format!("wrote {}", output.display()));
            }
        }
        Ok(Verdict::Done)
    }
}

fn list(json: bool) -> anyhow::Result<()> {
    let cards = registry::list();
    if json {
        return cards.iter().try_for_each(output::json);
    }
    let row = |card: &ModelCard| {
        let here = if card.available { "here" } else { "not fetched" };
        vec![card.name.clone(), here.to_owned(), card.about.clone()]
    };
    let columns = [("name", Align::Left), ("weights", Align::Left), ("about", Align::Left)];
    Ok(output::line(output::table(&columns, &cards.iter().map(row).collect::<Vec<_>>()))?)
}

fn describe(model: &str, json: bool) -> anyhow::Result<()> {
    let card = registry::describe(model)?;
    if json {
        return output::json(&card);
    }
    let serde_json::Value::Object(fields) = serde_json::to_value(&card)? else { return Ok(()) };
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        output::line(format!("{:<12}{text}", name.replace('_', " ")))?;
    }
    Ok(())
}

#[cfg(feature = "hub")]
fn pull(name: &str) -> anyhow::Result<()> {
    let progress = crate::progress::Progress::of_bytes();
    let path = lexiform_model::hub::pull(name, |at| progress.reach(at.done, at.total))?;
    drop(progress);
    Ok(output::line(path.display().to_string())?)
}

#[cfg(not(feature = "hub"))]
fn pull(name: &str) -> anyhow::Result<()> {
    use crate::failure::WithHint as _;
    let origin = registry::describe(name)?.origin;
    Err(anyhow::anyhow!(
        "{name}: this lexiform was built without the feature `hub`, so it cannot fetch weights"
    ))
    .hint(format!("fetch {origin} and give its path with --model, or build with `--features hub`"))
}
