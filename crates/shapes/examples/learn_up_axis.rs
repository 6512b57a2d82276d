//! Learns the weights with which `lexiform_geometry::upright` decides which axis is up, from generated shapes and folders of 3D
//! files that are known to be upright:
//!
//! ```console
//! cargo run --release -p lexiform-shapes --example learn_up_axis -- -o crates/geometry/src/upright/weights.rs FOLDER…
//! ```
//!
//! Of each shape, the up direction shall score above the four horizontal ones, whichever way the shape faces: a logistic loss over
//! pairs of directions, minimized by AdamW. The accuracy that is printed is of folders and categories that were left out.
#![expect(clippy::print_stderr, reason = "a program for the command line")]

#[path = "learn_up_axis/network.rs"]
mod network;
#[path = "learn_up_axis/shapes.rs"]
mod shapes;

use std::path::PathBuf;

use network::{Config, Network, accuracy};
use shapes::{Example, from_folder, generated};

/// Parts for cross-validation.
const FOLDS: u64 = 5;
/// Seeds of the networks that are joined into one: their mean is steadier than each of them.
const SEEDS: [u64; 3] = [1, 2, 3];

fn main() -> anyhow::Result<()> {
    let (mut folders, mut output, mut tests) = (Vec::new(), None, Vec::new());
    let (mut config, mut per_category) = (Config::default(), 16);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| anyhow::anyhow!("{argument} needs a value"));
        match argument.as_str() {
            "-o" => output = Some(PathBuf::from(value()?)),
            "--test" => tests.push(PathBuf::from(value()?)),
            "--generated" => per_category = value()?.parse()?,
            "--hidden" => config.hidden = value()?.parse()?,
            "--epochs" => config.epochs = value()?.parse()?,
            "--decay" => config.weight_decay = value()?.parse()?,
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let mut examples = generated(per_category);
    for folder in &folders {
        examples.extend(from_folder(folder)?);
    }
    eprintln!(
        "{} shapes, of which {} generated",
        examples.len(),
        examples.iter().filter(|e| e.generated).count()
    );
    cross_validate(&examples, config);
    let network = learn(&examples, config);
    for test in &tests {
        let test = from_folder(test)?;
        eprintln!("test: {:.1} % of {} shapes", 100.0 * accuracy(&network, &test), test.len());
        for wrong in test.iter().filter(|example| accuracy(&network, std::slice::from_ref(example)) < 0.75) {
            eprintln!("  {}", wrong.name);
        }
    }
    let table = network.to_rust();
    match output {
        Some(path) => std::fs::write(path, table)?,
        None => print!("{table}"),
    }
    Ok(())
}

/// Prints the accuracy on groups that were left out.
fn cross_validate(examples: &[Example], config: Config) {
    let (mut of_files, mut of_generated) = ([0.0, 0.0], [0.0, 0.0]);
    for fold in 0..FOLDS {
        let (held, kept): (Vec<Example>, Vec<Example>) =
            examples.iter().cloned().partition(|example| example.group % FOLDS == fold);
        let network = learn(&kept, config);
        for example in held {
            let sum = if example.generated { &mut of_generated } else { &mut of_files };
            sum[0] += accuracy(&network, std::slice::from_ref(&example));
            sum[1] += 1.0;
        }
    }
    let percent = |[right, all]: [f32; 2]| 100.0 * right / all.max(1.0);
    eprintln!(
        "left out: {:.1} % of pairs of files, {:.1} % of generated shapes",
        percent(of_files),
        percent(of_generated)
    );
}

fn learn(examples: &[Example], config: Config) -> Network {
    let networks = SEEDS.map(|seed| Network::learn(examples, config, seed));
    Network::mean(&networks)
}
