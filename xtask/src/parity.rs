//! What other projects make of the same: full-size networks with random weights beside PyTorch's, data sets beside others' readers.

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
    /// The environment it runs in, and what that needs from PyPI.
    environment: &'static str,
    needs: &'static [&'static str],
}

const TORCH: [&str; 4] = ["torch", "open_clip_torch", "transformers", "safetensors"];

const PEERS: [Peer; 3] = [
    Peer {
        script: "shard_readers.py",
        ours: "prepare",
        prefix: "set",
        environment: "readers",
        needs: &["webdataset", "pyarrow", "pandas", "pillow"],
    },
    Peer { script: "blip.py", ours: "parity_blip", prefix: "blip", environment: "parity", needs: &TORCH },
    Peer { script: "towers.py", ours: "parity_towers", prefix: "", environment: "parity", needs: &TORCH },
];

/// Runs the named cases, or all.
pub fn run(names: &[&str]) -> Result<()> {
    let mut left = names.to_vec();
    for Peer { script, ours, prefix, environment, needs } in PEERS {
        let (its, others): (Vec<&str>, Vec<&str>) =
            left.into_iter().partition(|name| name.starts_with(prefix));
        left = others;
        if its.is_empty() && !names.is_empty() {
            continue;
        }
        let python = bench::environment(environment, needs)?;
        let script = format!("xtask/peers/{script}");
        let status = Command::new(&python).arg(&script).arg(bench::built(ours)?).args(its).status()?;
        ensure!(status.success(), "{script}: ours differ");
    }
    Ok(())
}
