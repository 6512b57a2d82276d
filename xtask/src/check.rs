//! Everything that CI runs, cheapest first.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{dependencies, paths, python, structure, target, tidy};

/// Environment variable that names the folder of files too large for the repository.
const SHARED: &str = "LEXIFORM_SHARED";

/// Format, words, paths, structure, dependencies, clippy, documentation, tests, invariants of the crate graph, Python, MPI.
///
/// # Errors
///
/// If one of them fails.
pub fn run() -> Result<()> {
    with_component("fmt", &["fmt", "--all", "--check"])?;
    tidy::run()?;
    paths::run()?;
    structure::run()?;
    dependencies::run()?;
    invariants()?;
    with_component("clippy", &["clippy", "--workspace", "--", "--deny", "warnings"])?;
    // Tests and benchmarks may unwrap and print.
    let relaxed = ["--allow", "clippy::unwrap_used", "--allow", "clippy::print_stdout", "--deny", "warnings"];
    with_component("clippy", &[&["clippy", "--workspace", "--all-targets", "--"], &relaxed[..]].concat())?;
    documentation()?;
    tests()?;
    python::check(&target::folder()?)?;
    mpi()
}

/// Training with several processes, where an MPI library is installed; in CI it must be.
fn mpi() -> Result<()> {
    let is_installed =
        ["mpirun", "mpicc"].iter().all(|tool| Command::new(tool).arg("--version").output().is_ok());
    if !is_installed && std::env::var_os("CI").is_none() {
        println!("── skipped: MPI is not installed (Debian: openmpi-bin, libopenmpi-dev)");
        return Ok(());
    }
    ensure!(is_installed, "mpirun and mpicc: not found; install openmpi-bin and libopenmpi-dev");
    // With --workspace, so that only the crates that have the feature are compiled again.
    cargo(&["test", "--workspace", "--features", "lexiform-cli/mpi", "--test", "mpi"])
}

/// All tests; those that need files too large for the repository run where `LEXIFORM_SHARED` names their folder.
fn tests() -> Result<()> {
    match std::env::var_os(SHARED) {
        Some(folder) => {
            // Tests run in the folder of their package, and a relative name counts from the workspace, where this runs.
            ensure!(Path::new(&folder).is_dir(), "{SHARED}: no such folder: {}", folder.display());
            cargo(&["test", "--workspace", "--", "--include-ignored"])
        }
        None => {
            println!("── {SHARED} is not set: tests that need it are listed as ignored");
            cargo(&["test", "--workspace"])
        }
    }
}

/// `cargo doc` without a warning.
fn documentation() -> Result<()> {
    println!("── cargo doc");
    let status = Command::new(env!("CARGO"))
        .args(["doc", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "--deny warnings")
        .status()
        .context("cannot run cargo")?;
    ensure!(status.success(), "cargo doc failed");
    Ok(())
}

/// Runs a cargo command of a rustup component. If the component is missing, this is an error in CI and a note elsewhere.
fn with_component(component: &str, arguments: &[&str]) -> Result<()> {
    let probe =
        Command::new(env!("CARGO")).args([component, "--version"]).output().context("cannot run cargo")?;
    if !probe.status.success() && std::env::var_os("CI").is_none() {
        println!("── skipped: cargo {component} is not installed");
        return Ok(());
    }
    cargo(arguments)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    println!("── cargo {}", arguments.join(" "));
    let status = Command::new(env!("CARGO")).args(arguments).status().context("cannot run cargo")?;
    ensure!(status.success(), "cargo {} failed", arguments.join(" "));
    Ok(())
}

/// A package, a crate that must not be among its dependencies, and why.
const FORBIDDEN: [(&str, &str, &str); 39] = [
    ("lexiform-formats", "burn-tensor", "formats link no tensor library"),
    ("lexiform-formats", "lexiform-geometry", "formats know no shapes"),
    ("lexiform-formats", "tokio", "formats have no async runtime"),
    ("lexiform-geometry", "burn-tensor", "geometry links no tensor library"),
    ("lexiform-mesh-io", "burn-tensor", "readers of 3D files link no tensor library"),
    ("lexiform-render", "burn-tensor", "the renderer links no tensor library"),
    ("lexiform-store", "burn-tensor", "the store links no tensor library"),
    ("lexiform-data", "burn-tensor", "data sets link no tensor library"),
    ("lexiform-data", "tokio", "data sets have no async runtime"),
    ("lexiform-data", "lexiform-model", "data sets know no models"),
    ("lexiform-search", "lexiform-data", "search does not link data sets"),
    ("lexiform-metrics", "burn-tensor", "metrics link no tensor library"),
    ("lexiform-metrics", "lexiform-geometry", "metrics know no 3D files"),
    ("lexiform-eval", "lexiform-train", "evaluation does not link training"),
    ("lexiform-train", "lexiform-eval", "training uses metrics only"),
    ("lexiform-geometry", "tokio", "geometry has no async runtime"),
    ("lexiform-mesh-io", "tokio", "readers of 3D files have no async runtime"),
    ("lexiform-render", "tokio", "the renderer has no async runtime"),
    ("lexiform-search", "lexiform-train", "search does not link training"),
    ("lexiform-search", "tokio", "search has no async runtime"),
    ("lexiform-server", "lexiform-train", "the server does not link training"),
    ("lexiform-server", "lexiform-data", "the server does not link data sets"),
    ("lexiform-server", "lexiform-eval", "the server does not link evaluation"),
    ("lexiform-model", "tokio", "models have no async runtime"),
    ("lexiform-store", "tokio", "the store has no async runtime"),
    ("lexiform-store-postgres", "burn-tensor", "stores link no tensor library"),
    ("lexiform-eval", "lexiform-server", "evaluation does not link the server"),
    ("lexiform-train", "tokio", "training has no async runtime"),
    ("lexiform-segment", "burn-tensor", "segmentation links no tensor library"),
    ("lexiform-segment", "lexiform-model", "segmentation knows no models"),
    ("lexiform-segment", "tokio", "segmentation has no async runtime"),
    ("lexiform-shapes", "burn-tensor", "generated shapes link no tensor library"),
    ("lexiform-shapes", "lexiform-train", "generated shapes know no training"),
    ("lexiform-shapes", "tokio", "generated shapes have no async runtime"),
    ("lexiform-store", "lexiform-geometry", "the store knows no meshes"),
    ("lexiform-train", "lexiform-store", "training knows no store"),
    ("lexiform-train", "lexiform-search", "training does not link search"),
    ("lexiform-model", "lexiform-mesh-io", "models read no 3D files"),
    ("lexiform-model", "lexiform-search", "models do not link search"),
];

/// Checks the invariants of ARCHITECTURE.md about the dependency graph.
fn invariants() -> Result<()> {
    for (package, forbidden, why) in FORBIDDEN {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none"])
            .output()
            .context("cannot run cargo tree")?;
        let tree = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "cargo tree --package {package} failed");
        // Lines are `name vX.Y.Z (path)`.
        let found = tree.lines().any(|line| line.split(' ').next() == Some(forbidden));
        ensure!(!found, "{package} depends on {forbidden}: {why}");
    }
    println!("── {} invariants of the crate graph hold", FORBIDDEN.len());
    Ok(())
}
