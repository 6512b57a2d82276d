//! Numerical parity with other projects: full-size networks with random weights against PyTorch, data sets against
//! other readers.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::bench;

/// A script of `xtask/baselines/` and the test cases it implements.
struct Baseline {
    script: &'static str,
    /// Our cargo example, which the script runs.
    example: &'static str,
    /// Prefix of the names of its cases; the empty prefix of the last one matches all others.
    prefix: &'static str,
    /// Its virtual environment, and the PyPI packages to install there.
    environment: &'static str,
    packages: &'static [&'static str],
}

const TORCH: [&str; 4] = ["torch", "open_clip_torch", "transformers", "safetensors"];

const BASELINES: [Baseline; 3] = [
    Baseline {
        script: "shard_readers.py",
        example: "prepare",
        prefix: "set",
        environment: "readers",
        packages: &["webdataset", "pyarrow", "pandas", "pillow"],
    },
    Baseline {
        script: "blip.py",
        example: "parity_blip",
        prefix: "blip",
        environment: "parity",
        packages: &TORCH,
    },
    Baseline {
        script: "clip_towers.py",
        example: "parity_towers",
        prefix: "",
        environment: "parity",
        packages: &TORCH,
    },
];

/// Runs the named cases, or all.
///
/// # Errors
///
/// If a baseline cannot be installed, or its results differ from ours.
pub fn run(names: &[&str]) -> Result<()> {
    let mut left = names.to_vec();
    for Baseline { script, example, prefix, environment, packages } in BASELINES {
        let (its, others): (Vec<&str>, Vec<&str>) =
            left.into_iter().partition(|name| name.starts_with(prefix));
        // Each case belongs to the first baseline whose prefix matches.
        left = others;
        if its.is_empty() && !names.is_empty() {
            continue;
        }
        let python = bench::environment(environment, packages)?;
        let script = format!("xtask/baselines/{script}");
        let status =
            Command::new(&python).arg(&script).arg(bench::build_example(example)?).args(its).status()?;
        ensure!(status.success(), "{script}: results differ from the baseline");
    }
    Ok(())
}
