//! Full-size towers beside PyTorch: random weights in every released layout, the same inputs, features compared.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::bench;

/// What the script needs from PyPI.
const NEEDS: [&str; 4] = ["torch", "open_clip_torch", "transformers", "safetensors"];

/// Runs the named cases of `xtask/peers/towers.py`, or all.
pub fn run(names: &[&str]) -> Result<()> {
    let example = bench::built("parity_towers")?;
    let python = bench::environment("parity", &NEEDS)?;
    let status = Command::new(python).arg("xtask/peers/towers.py").arg(example).args(names).status()?;
    ensure!(status.success(), "the towers differ from PyTorch's");
    Ok(())
}
