//! The Python package: built as a wheel, installed in an environment of its own, tested and type-checked there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::environment::Environment;

/// Folder of the package.
const PACKAGE: &str = "crates/python";
/// What the tests, the types and the site need.
const TOOLS: [&str; 14] = [
    "coverage",
    "maturin>=1.9,<2",
    "mypy",
    "pyright",
    "numpy>=2",
    "pandas",
    "pillow",
    "pytest",
    "trimesh",
    "nbclient",
    "nbformat",
    "ipykernel",
    "mkdocs-material",
    "mkdocstrings[python]",
];
/// Other versions of Python, where they are installed, each with a NumPy: the oldest one that is supported, and the newest.
const OTHERS: [(&str, &str); 3] = [("3.10", "numpy==1.26.4"), ("3.12", "numpy"), ("3.13", "numpy")];
/// Least percentage of the package's statements that its tests run.
const COVERAGE: &str = "95";

/// Builds the wheel in the profile of the tests, and tests it with every Python at hand.
///
/// # Errors
///
/// If one of the steps fails, or in CI if there is no Python.
pub fn check(target: &Path) -> Result<()> {
    let Some(python) = usable_python() else {
        ensure!(std::env::var_os("CI").is_none(), "python3: not found, or older than 3.10");
        println!("── skipped: Python 3.10 or later is not installed");
        return Ok(());
    };
    let environments = target.join("python");
    println!("── Python tests with {}", python.display());
    let main = Environment::create(&python, &environments.join("main"), &TOOLS)?;
    let wheels = environments.join("wheels");
    let _ = std::fs::remove_dir_all(&wheels);
    // What CI compiled already; a wheel for others is built with `--release`.
    let build = ["build", "--profile", "dev", "--auditwheel", "skip", "--out"];
    let maturin = main.command("maturin").args(build).arg(&wheels).current_dir(PACKAGE).status();
    ensure!(maturin.context("cannot run maturin")?.success(), "maturin build failed");
    let wheel = std::fs::read_dir(&wheels)?.next().context("maturin wrote no wheel")??.path();
    main.install(&wheel)?;
    let data = environments.join("coverage").display().to_string();
    run(&main, "coverage", &["run", "--data-file", &data, "--source", "lexiform", "-m", "pytest", "tests"])?;
    run(&main, "coverage", &["report", "--data-file", &data, "--fail-under", COVERAGE])?;
    run(&main, "pytest", &["--pyargs", "lexiform"])?;
    run(&main, "mypy", &["--strict", "python", "examples"])?;
    run(&main, "pyright", &["python", "examples"])?;
    run(
        &main,
        "mkdocs",
        &["build", "--quiet", "--site-dir", &environments.join("site").display().to_string()],
    )?;
    for (version, numpy) in OTHERS {
        let python = interpreter(version);
        if python.is_none() {
            println!("── skipped: Python {version} is not installed");
        }
        if let Some(python) = python {
            println!("── Python tests with {}", python.display());
            let other = Environment::create(&python, &environments.join(version), &[numpy, "pytest"])?;
            other.install(&wheel)?;
            run(&other, "pytest", &["tests"])?;
        }
    }
    Ok(())
}

/// Runs a tool in the folder of the package.
fn run(environment: &Environment, tool: &str, arguments: &[&str]) -> Result<()> {
    println!("── {tool} {}", arguments.join(" "));
    let status = environment.command(tool).args(arguments).current_dir(PACKAGE).status();
    ensure!(status.with_context(|| format!("cannot run {tool}"))?.success(), "{tool} failed");
    Ok(())
}

/// The Python of a version: on the path, or one that pyenv has.
fn interpreter(version: &str) -> Option<PathBuf> {
    let runs = |path: &Path| {
        Command::new(path).arg("--version").output().is_ok_and(|output| output.status.success())
    };
    let named = PathBuf::from(format!("python{version}"));
    if runs(&named) {
        return Some(named);
    }
    let versions = Path::new(&std::env::var_os("HOME")?).join(".pyenv/versions");
    let mut found: Vec<PathBuf> =
        std::fs::read_dir(versions).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    found.sort();
    let is_of_version = |folder: &PathBuf| {
        folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&format!("{version}.")))
    };
    found.into_iter().filter(is_of_version).map(|folder| folder.join("bin/python3")).find(|path| runs(path))
}

/// `python3` if it is new enough.
fn usable_python() -> Option<PathBuf> {
    let check = "import sys; sys.exit(sys.version_info < (3, 10))";
    ["python3", "python3.13", "python3.12", "python3.11", "python3.10"]
        .into_iter()
        .find(|name| {
            Command::new(name).args(["-c", check]).output().is_ok_and(|output| output.status.success())
        })
        .map(PathBuf::from)
}
