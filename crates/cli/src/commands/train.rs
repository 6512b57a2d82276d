//! `lexiform train`: train a model from a recipe.

use std::path::{Path, PathBuf};

use clap::Args;
use lexiform_train::{Recipe, TrainEvent, fit};
use serde_json::{Value, json};

use crate::failure::Verdict;
use crate::output;
use crate::progress::Progress;

/// Train a model from a recipe
#[derive(Args)]
pub struct TrainArgs {
    /// Recipe: a TOML file with network, data and schedule
    recipe: PathBuf,
    /// Replace a value of the recipe; may be given more than once
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder for the model [default: runs/NAME, NAME being the recipe's]
    #[arg(short, long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print one JSON object an event
    #[arg(long)]
    json: bool,
}

impl TrainArgs {
    /// Trains and tells how it goes.
    pub fn run(self) -> anyhow::Result<Verdict> {
        let recipe = Recipe::read(&self.recipe, &self.set)?;
        let output = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&recipe.name));
        let mut progress = None;
        let mut told = Ok(());
        fit(&recipe, &output, &mut |event| {
            if self.json {
                if told.is_ok() {
                    told = output::json(&object(&event));
                }
            } else {
                show(&event, &mut progress);
            }
        })?;
        drop(progress);
        told?;
        if !self.json {
            output::line(output.join("model.safetensors").display().to_string())?;
        }
        Ok(Verdict::Done)
    }
}

fn object(event: &TrainEvent) -> Value {
    match event {
        TrainEvent::Generating { shapes } => json!({ "event": "generating", "shapes": shapes }),
        TrainEvent::Start { steps, parameters, categories, vocabulary } => json!({
            "event": "start", "steps": steps, "parameters": parameters,
            "categories": categories, "vocabulary": vocabulary,
        }),
        TrainEvent::Step { step, contrastive, naming, learning_rate, images_per_second } => json!({
            "event": "step", "step": step, "contrastive": contrastive, "naming": naming,
            "learning_rate": learning_rate, "images_per_second": images_per_second,
        }),
        TrainEvent::Evaluated { step, report, path } => {
            json!({ "event": "evaluated", "step": step, "report": report, "path": path })
        }
    }
}

fn show(event: &TrainEvent, progress: &mut Option<Progress>) {
    let note = |text: String| match &progress {
        Some(progress) => progress.note(&text),
        None => output::note(text),
    };
    match event {
        TrainEvent::Generating { shapes } => note(format!("making {}", output::count(*shapes, "shape"))),
        TrainEvent::Start { steps, parameters, categories, vocabulary } => {
            note(format!(
                "{parameters} parameters, {categories} categories, {vocabulary} words, {steps} steps"
            ));
            *progress = Some(Progress::new(*steps));
        }
        TrainEvent::Step { contrastive, naming, images_per_second, .. } => {
            if let Some(progress) = progress {
                let text =
                    format!("loss {contrastive:.3}, naming {naming:.3}, {images_per_second:.0} images/s");
                progress.step(&text);
            }
        }
        TrainEvent::Evaluated { step, report, .. } => {
            let [first, five] = [report.top_1, report.top_5].map(|share| 100.0 * share);
            note(format!("step {step}: held-out shapes named right {first:.1} %, among five {five:.1} %"));
        }
    }
}
