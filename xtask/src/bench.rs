//! Benchmarks against other libraries: both run alternately, medians and their ratio are printed.
//!
//! Baselines are Python scripts; their packages come from PyPI into virtual environments outside the repository
//! (`LEXIFORM_BASELINES`, by default a folder in the system's temporary one). A baseline that cannot be installed is
//! reported and skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

use crate::environment::Environment;
use crate::target;

/// A benchmark, run by its name.
struct Bench {
    name: &'static str,
    description: &'static str,
    /// Our cargo example; it prints one JSON line per measurement.
    example: &'static str,
    /// Whether the example runs the `lexiform` binary, which must then be built first.
    runs_command: bool,
    baselines: &'static [Baseline],
}

/// A script in `xtask/baselines/`, its virtual environment, and the PyPI packages to install there.
struct Baseline {
    script: &'static str,
    environment: &'static str,
    packages: &'static [&'static str],
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "render",
        description: "12 views at 224² of a textured mesh of 100k triangles",
        example: "bench_render",
        runs_command: false,
        baselines: &[
            Baseline {
                script: "render.py",
                environment: "render",
                packages: &["numpy", "trimesh", "pyrender", "PyOpenGL==3.1.0"],
            },
            Baseline { script: "blender.py", environment: "blender", packages: &["numpy", "bpy"] },
        ],
    },
    Bench {
        name: "points",
        description: "10k surface points; farthest point sampling 10k → 512",
        example: "bench_render",
        runs_command: false,
        baselines: &[Baseline {
            script: "points.py",
            environment: "points",
            packages: &["numpy", "open3d", "torch"],
        }],
    },
    Bench {
        name: "lm",
        description: "a language model of GPT-2's size, 64 tokens one after another",
        example: "bench_lm",
        runs_command: false,
        baselines: &[Baseline {
            script: "lm.py",
            environment: "lm",
            packages: &["numpy", "torch", "transformers"],
        }],
    },
    Bench {
        name: "clip",
        description: "ViT-B/32, 12 views of one shape, and one text",
        example: "bench_clip",
        runs_command: false,
        baselines: &[Baseline {
            script: "clip.py",
            environment: "clip",
            packages: &["numpy", "torch", "open_clip_torch"],
        }],
    },
    Bench {
        name: "encoders",
        description: "point encoders from cloud to features, batches of 1 and 16",
        example: "bench_points",
        runs_command: false,
        baselines: &[Baseline {
            script: "point_encoders.py",
            environment: "clip",
            packages: &["numpy", "torch", "open_clip_torch"],
        }],
    },
    Bench {
        name: "step",
        description: "one step of training: Duoduo CLIP, PointBERT, nano; milliseconds, and peak memory in MB",
        example: "bench_step",
        runs_command: false,
        baselines: &[Baseline {
            script: "train_step.py",
            environment: "clip",
            packages: &["numpy", "torch", "open_clip_torch"],
        }],
    },
    Bench {
        name: "scan",
        description: "exact scan of stored vectors",
        example: "bench_scan",
        runs_command: false,
        baselines: &[Baseline { script: "scan.py", environment: "scan", packages: &["numpy", "faiss-cpu"] }],
    },
    Bench {
        name: "data",
        description: "data sets: making one of the gallery's meshes, reading random views of it",
        example: "bench_read",
        runs_command: true,
        baselines: &[
            Baseline {
                script: "prepare.py",
                environment: "render",
                packages: &["numpy", "trimesh", "pyrender", "PyOpenGL==3.1.0"],
            },
            Baseline { script: "hdf5_reads.py", environment: "h5", packages: &["numpy", "h5py"] },
        ],
    },
    Bench {
        name: "metrics",
        description: "zero-shot and retrieval from features",
        example: "bench_metrics",
        runs_command: false,
        baselines: &[Baseline {
            script: "eval.py",
            environment: "points",
            packages: &["numpy", "open3d", "torch"],
        }],
    },
];

/// One line of output of our example or of a baseline.
#[derive(Deserialize)]
struct Measurement {
    what: String,
    milliseconds: f64,
    /// CPU time over all cores in milliseconds, if the program reports it.
    cpu: Option<f64>,
}

/// All rounds of one measurement.
struct Row {
    is_ours: bool,
    what: String,
    milliseconds: Vec<f64>,
    cpu: Vec<f64>,
}

/// Ours and the baselines run alternately this often, so that a busy machine slows both.
const ROUNDS: usize = 3;

/// Runs the named benchmarks, or all.
///
/// # Errors
///
/// If a name is unknown, or one of our examples does not build or run.
pub fn run(names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|b| b.name != **name)) {
        let known: Vec<_> = BENCHES.iter().map(|b| format!("{:8} {}", b.name, b.description)).collect();
        bail!("unknown benchmark {unknown:?}, expected one of\n{}", known.join("\n"));
    }
    for bench in BENCHES.iter().filter(|b| names.is_empty() || names.contains(&b.name)) {
        run_bench(bench)?;
    }
    Ok(())
}

fn run_bench(bench: &Bench) -> Result<()> {
    println!("\n## {} — {}\n", bench.name, bench.description);
    let ours = build_example(bench.example)?;
    if bench.runs_command {
        build(&["--bin", "lexiform"])?;
    }
    let mut baselines: Vec<_> = bench.baselines.iter().filter_map(prepare_baseline).collect();
    let mut rows = Vec::new();
    for _ in 0..ROUNDS {
        collect(true, &mut Command::new(&ours), &mut rows)?;
        // A baseline that fails once is dropped from the following rounds.
        baselines.retain(|(python, script)| {
            collect(false, Command::new(python).arg(script), &mut rows)
                .inspect_err(|error| println!("(skipped: {} fails: {error:#})", script.display()))
                .is_ok()
        });
    }
    print_table(&mut rows);
    Ok(())
}

/// Medians, and for baselines the ratio to our measurement of the same name.
fn print_table(rows: &mut [Row]) {
    println!(
        "| what | median ms | min | max | CPU ms | baseline / ours | CPU |\n|---|---|---|---|---|---|---|"
    );
    for row in rows.iter_mut() {
        row.milliseconds.sort_by(f64::total_cmp);
        row.cpu.sort_by(f64::total_cmp);
    }
    for row in rows.iter() {
        let who = if row.is_ours { "lexiform" } else { "baseline" };
        let ours = rows.iter().find(|other| !row.is_ours && other.is_ours && other.what == row.what);
        let ratio = |of: fn(&Row) -> &[f64]| {
            let ratio = ours.and_then(|ours| Some(median(of(row))? / median(of(ours))?));
            ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}×"))
        };
        let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.2}"));
        println!(
            "| {who}: {} | {} | {} | {} | {} | {} | {} |",
            row.what,
            number(median(&row.milliseconds)),
            number(row.milliseconds.first().copied()),
            number(row.milliseconds.last().copied()),
            number(median(&row.cpu)),
            ratio(|row| &row.milliseconds),
            ratio(|row| &row.cpu),
        );
    }
}

/// The (upper) median of sorted values.
fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

/// The Python interpreter and the script of a baseline; prints why and returns `None` if it cannot be installed.
fn prepare_baseline(baseline: &Baseline) -> Option<(PathBuf, PathBuf)> {
    match environment(baseline.environment, baseline.packages) {
        Ok(python) => Some((python, Path::new("xtask/baselines").join(baseline.script))),
        Err(error) => {
            println!("(skipped: {}: {error:#})", baseline.script);
            None
        }
    }
}

fn collect(is_ours: bool, command: &mut Command, rows: &mut Vec<Row>) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr).trim().lines().last().unwrap_or("")
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Other output of the programs is ignored.
    for measured in text.lines().filter_map(|line| serde_json::from_str::<Measurement>(line).ok()) {
        // Rounds of the same measurement are collected in one row.
        let same = |row: &Row| row.is_ours == is_ours && row.what == measured.what;
        let at = rows.iter().position(same).unwrap_or_else(|| {
            let what = measured.what.clone();
            rows.push(Row { is_ours, what, milliseconds: Vec::new(), cpu: Vec::new() });
            rows.len() - 1
        });
        rows[at].milliseconds.push(measured.milliseconds);
        rows[at].cpu.extend(measured.cpu);
    }
    Ok(())
}

/// Builds an example in release mode and returns its path.
///
/// # Errors
///
/// If it does not build.
pub(crate) fn build_example(example: &str) -> Result<PathBuf> {
    build(&["--example", example])?;
    Ok(target::folder()?.join("release").join("examples").join(example))
}

/// Builds in release mode, always with `--workspace`: a single package would select other features of shared
/// dependencies and rebuild them all.
fn build(what: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--workspace"])
        .args(what)
        .status()?;
    ensure!(status.success(), "{} does not build", what.join(" "));
    Ok(())
}

/// The Python interpreter of a virtual environment with these packages, which is created once.
///
/// # Errors
///
/// If Python is missing or a package cannot be installed.
pub(crate) fn environment(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let root = std::env::var_os("LEXIFORM_BASELINES")
        .map_or_else(|| std::env::temp_dir().join("lexiform-baselines"), PathBuf::from);
    Ok(Environment::create(Path::new("python3"), &root.join(name), packages)?.path("python"))
}
