//! Timings beside the peers, in one run: ours and theirs in turn, medians and their ratio.
//!
//! Peers come from PyPI into a scratch environment outside the repository (`LEXIFORM_PEERS`, else a folder in the
//! system's temporary one). A peer that does not install is named and left out.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde::Deserialize;

/// A timing that can be asked for by name.
struct Bench {
    name: &'static str,
    about: &'static str,
    /// Example of ours; it prints one JSON line a measurement.
    ours: &'static str,
    /// Whether that runs the command `lexiform`.
    runs_command: bool,
    peers: &'static [Peer],
}

/// A script in `xtask/peers/`, the environment it runs in, and what that needs from PyPI.
struct Peer {
    script: &'static str,
    environment: &'static str,
    needs: &'static [&'static str],
}

const BENCHES: &[Bench] = &[
    Bench {
        name: "render",
        about: "12 views at 224² of a textured mesh of 100k triangles",
        ours: "bench_render",
        runs_command: false,
        peers: &[
            Peer {
                script: "render.py",
                environment: "render",
                needs: &["numpy", "trimesh", "pyrender", "PyOpenGL==3.1.0"],
            },
            Peer { script: "blender.py", environment: "blender", needs: &["numpy", "bpy"] },
        ],
    },
    Bench {
        name: "points",
        about: "10k surface points; farthest point sampling 10k → 512",
        ours: "bench_render",
        runs_command: false,
        peers: &[Peer { script: "points.py", environment: "points", needs: &["numpy", "open3d", "torch"] }],
    },
    Bench {
        name: "clip",
        about: "ViT-B/32, 12 views of one shape, and one text",
        ours: "bench_clip",
        runs_command: false,
        peers: &[Peer {
            script: "clip.py",
            environment: "clip",
            needs: &["numpy", "torch", "open_clip_torch"],
        }],
    },
    Bench {
        name: "encoders",
        about: "point encoders from cloud to features, batches of 1 and 16",
        ours: "bench_points",
        runs_command: false,
        peers: &[Peer {
            script: "point_encoders.py",
            environment: "clip",
            needs: &["numpy", "torch", "open_clip_torch"],
        }],
    },
    Bench {
        name: "step",
        about: "one step of training: Duoduo CLIP, PointBERT, nano; milliseconds, and peak memory in MB",
        ours: "bench_step",
        runs_command: false,
        peers: &[Peer {
            script: "steps.py",
            environment: "clip",
            needs: &["numpy", "torch", "open_clip_torch"],
        }],
    },
    Bench {
        name: "scan",
        about: "exact scan of stored vectors",
        ours: "bench_scan",
        runs_command: false,
        peers: &[Peer { script: "scan.py", environment: "scan", needs: &["numpy", "faiss-cpu"] }],
    },
    Bench {
        name: "data",
        about: "data sets: making one of the gallery's meshes, reading random views of it",
        ours: "bench_read",
        runs_command: true,
        peers: &[
            Peer {
                script: "prepare.py",
                environment: "render",
                needs: &["numpy", "trimesh", "pyrender", "PyOpenGL==3.1.0"],
            },
            Peer { script: "h5.py", environment: "h5", needs: &["numpy", "h5py"] },
        ],
    },
    Bench {
        name: "metrics",
        about: "zero-shot and retrieval from features",
        ours: "bench_metrics",
        runs_command: false,
        peers: &[Peer { script: "eval.py", environment: "points", needs: &["numpy", "open3d", "torch"] }],
    },
];

/// One line that a program of ours or a peer prints.
#[derive(Deserialize)]
struct Measurement {
    what: String,
    milliseconds: f64,
    /// Time of all processors, milliseconds, where the program tells it.
    cpu: Option<f64>,
}

/// What was measured of one thing in all rounds.
struct Row {
    is_ours: bool,
    what: String,
    milliseconds: Vec<f64>,
    cpu: Vec<f64>,
}

/// Rounds in which ours and theirs take turns.
const ROUNDS: usize = 3;

/// Runs the named timings, or all.
pub fn run(names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|b| b.name != **name)) {
        let known: Vec<_> = BENCHES.iter().map(|b| format!("{:8} {}", b.name, b.about)).collect();
        bail!("no benchmark is called {unknown:?}; there are\n{}", known.join("\n"));
    }
    for bench in BENCHES.iter().filter(|b| names.is_empty() || names.contains(&b.name)) {
        one(bench)?;
    }
    Ok(())
}

fn one(bench: &Bench) -> Result<()> {
    println!("\n## {} — {}\n", bench.name, bench.about);
    let ours = built(bench.ours)?;
    if bench.runs_command {
        build(&["--bin", "lexiform"])?;
    }
    let mut peers: Vec<_> = bench.peers.iter().filter_map(ready).collect();
    let mut rows = Vec::new();
    for _ in 0..ROUNDS {
        collect(true, &mut Command::new(&ours), &mut rows)?;
        peers.retain(|(python, script)| {
            collect(false, Command::new(python).arg(script), &mut rows)
                .inspect_err(|error| println!("(left out: {} fails: {error:#})", script.display()))
                .is_ok()
        });
    }
    show(&mut rows);
    Ok(())
}

/// Medians; of peers that measure the same thing as ours also the ratio to it.
fn show(rows: &mut [Row]) {
    println!(
        "| what | median ms | smallest | largest | CPU ms | peer / ours | CPU |\n|---|---|---|---|---|---|---|"
    );
    for row in rows.iter_mut() {
        row.milliseconds.sort_by(f64::total_cmp);
        row.cpu.sort_by(f64::total_cmp);
    }
    for row in rows.iter() {
        let who = if row.is_ours { "lexiform" } else { "peer" };
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

/// The middle of sorted numbers.
fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}

/// The Python and the script of a peer, or a line that says why there is none.
fn ready(peer: &Peer) -> Option<(PathBuf, PathBuf)> {
    match environment(peer.environment, peer.needs) {
        Ok(python) => Some((python, Path::new("xtask/peers").join(peer.script))),
        Err(error) => {
            println!("(left out: {}: {error:#})", peer.script);
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
    for measured in text.lines().filter_map(|line| serde_json::from_str::<Measurement>(line).ok()) {
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

/// Builds an example in release and gives its path.
pub(crate) fn built(example: &str) -> Result<PathBuf> {
    build(&["--example", example])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Ok(target.join("release").join("examples").join(example))
}

/// Builds in release. The whole workspace is named, since one package alone would choose other features of shared
/// dependencies and build them all again.
fn build(what: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--workspace"])
        .args(what)
        .status()?;
    ensure!(status.success(), "{} does not build", what.join(" "));
    Ok(())
}

/// A Python with these packages, made once.
pub(crate) fn environment(name: &str, needs: &[&str]) -> Result<PathBuf> {
    let root = std::env::var_os("LEXIFORM_PEERS")
        .map_or_else(|| std::env::temp_dir().join("lexiform-peers"), PathBuf::from);
    let folder = root.join(name);
    let python = folder.join("bin").join("python");
    if folder.join("ready").exists() {
        return Ok(python);
    }
    let venv = Command::new("python3").args(["-m", "venv"]).arg(&folder).status().context("no python3")?;
    ensure!(venv.success(), "python3 -m venv failed");
    let pip = Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(needs).status()?;
    ensure!(pip.success(), "pip install {} failed", needs.join(" "));
    std::fs::write(folder.join("ready"), "")?;
    Ok(python)
}
