//! Full-size networks beside PyTorch's: random weights in every released layout, the same inputs, outputs compared.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::bench;

/// A script of `xtask/peers/` that knows some cases.
struct Peer {
    script: &'static str,
    /// Example of ours that it runs.
    ours: &'static str,
    /// How the names of its cases begin; the last peer has all others.
    prefix: &'static str,
}

const PEERS: [Peer; 2] = [
    Peer { script: "blip.py", ours: "parity_blip", prefix: "blip" },
    Peer { script: "towers.py", ours: "parity_towers", prefix: "" },
];

/// What the scripts need from PyPI.
const NEEDS: [&str; 4] = ["torch", "open_clip_torch", "transformers", "safetensors"];

/// Runs the named cases, or all.
pub fn run(names: &[&str]) -> Result<()> {
    let python = bench::environment("parity", &NEEDS)?;
    let mut left = names.to_vec();
    for Peer { script, ours, prefix } in PEERS {
        let (its, others): (Vec<&str>, Vec<&str>) =
            left.into_iter().partition(|name| name.starts_with(prefix));
        left = others;
        if its.is_empty() && !names.is_empty() {
            continue;
        }
        let script = format!("xtask/peers/{script}");
        let status = Command::new(&python).arg(&script).arg(bench::built(ours)?).args(its).status()?;
        ensure!(status.success(), "{script}: ours differ from PyTorch's");
    }
    Ok(())
}
