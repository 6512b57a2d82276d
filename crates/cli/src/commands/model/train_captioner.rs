//! `lexiform model train-captioner`: a captioner of a model's embeddings, learned from texts alone.

use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_model::weights::Precision;
use lexiform_model::{JointModel, OpenOptions};
use lexiform_train::{CaptionerOptions, CaptionerStep, train_captioner};
use serde_json::json;

use crate::models::MODEL_EXTENSIONS;
use crate::output;
use crate::output_file::ForceArg;

/// `lexiform model train-captioner`. Defaults are those of the built-in captioner.
#[derive(Args)]
pub(crate) struct TrainCaptionerArgs {
    /// Name, or file with weights, of a model with a text tower
    model: String,
    /// File to write
    #[arg(value_name = "OUT.safetensors")]
    output: PathBuf,
    /// Optimizer steps
    #[arg(long, value_name = "N", default_value_t = CaptionerOptions::default().steps)]
    steps: usize,
    /// Captions per step
    #[arg(long, value_name = "N", default_value_t = CaptionerOptions::default().batch, value_parser = at_least_one)]
    batch: usize,
    /// Peak learning rate
    #[arg(long, value_name = "X", default_value_t = CaptionerOptions::default().learning_rate)]
    learning_rate: f64,
    /// Shapes of each category whose descriptions are learned
    #[arg(long, value_name = "N", default_value_t = CaptionerOptions::default().per_category, value_parser = at_least_one)]
    per_category: usize,
    /// Descriptions of each category that embeddings of shapes are projected on
    #[arg(long, value_name = "N", default_value_t = CaptionerOptions::default().memory_per_category, value_parser = at_least_one)]
    memory_per_category: usize,
    /// Factor of similarities to descriptions before softmax
    #[arg(long, value_name = "X", default_value_t = CaptionerOptions::default().memory_scale)]
    memory_scale: f32,
    /// Standard deviation of noise that is added to embeddings of length 1 in training
    #[arg(long, value_name = "X", default_value_t = CaptionerOptions::default().noise)]
    noise: f32,
    /// Seed of weights, captions and their order
    #[arg(long, value_name = "N", default_value_t = CaptionerOptions::default().seed)]
    seed: u64,
    #[command(flatten)]
    force: ForceArg,
}

impl TrainCaptionerArgs {
    /// Runs the command.
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let file = self.force.file(&self.output, &MODEL_EXTENSIONS, &[Path::new(&self.model)])?;
        let model = JointModel::open(&self.model, &OpenOptions::default())?;
        let options = CaptionerOptions {
            steps: self.steps.max(1),
            batch: self.batch,
            learning_rate: self.learning_rate,
            per_category: self.per_category,
            memory_per_category: self.memory_per_category,
            memory_scale: self.memory_scale,
            noise: self.noise,
            seed: self.seed,
            ..CaptionerOptions::default()
        };
        let mut failed = None;
        let mut report = |CaptionerStep { step, loss, validation }: CaptionerStep| {
            let line = json!({ "step": step, "loss": loss, "validation_loss": validation });
            failed = failed.take().or(output::json(&line).err());
        };
        let captioner = train_captioner(&model, &options, &mut report)?;
        if let Some(error) = failed {
            return Err(error);
        }
        captioner.save(file.replaceable()?, Precision::Int8)?;
        output::note(format!("wrote {}", self.output.display()));
        Ok(())
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err(format!("expected a number, found {text:?}")),
    }
}
