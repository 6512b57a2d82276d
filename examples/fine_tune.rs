//! Fine-tunes the built-in model on your labelled folder, with a few steps of `recipes/finetune.toml`.
//!
//! The folder has one subfolder per label, or a `labels.csv` with the columns `file,label`.
//!
//! ```console
//! cargo run --release -p lexiform-examples --bin fine_tune -- samples runs/mine
//! cargo run --release -- search samples "a chair" --model runs/mine/model.safetensors
//! ```

use std::path::Path;

use anyhow::{Result, ensure};
use lexiform_train::{FitOptions, Recipe, TrainEvent, fit};

/// Any file will do; `lexiform train RECIPE` takes the same.
const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../recipes/finetune.toml");

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ensure!(arguments.len() > 1, "usage: fine_tune FOLDER OUT [KEY=VALUE…]");
    let (folder, out) = (&arguments[0], Path::new(&arguments[1]));

    // Later overrides win, as those of `lexiform train --set`.
    let mut overrides =
        vec![format!("data={folder}"), "run.steps=20".to_owned(), "run.evaluate_every=10".to_owned()];
    overrides.extend(arguments[2..].iter().cloned());
    let recipe = Recipe::read(Path::new(RECIPE), &overrides)?;

    let model = fit(&recipe, out, &FitOptions::default(), &mut |event| match event {
        TrainEvent::Step(step) => println!("step {}: loss {:.3}", step.step, step.loss),
        TrainEvent::Evaluated { step, report: Some(report), .. } => {
            println!("step {step}: val top-1 {:.1} %", 100.0 * report.top_1);
        }
        TrainEvent::FileSkipped { path, reason } => eprintln!("{}: {reason}", path.display()),
        _ => {}
    })?;
    println!("wrote {}", model.display());
    Ok(())
}
