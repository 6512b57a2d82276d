//! Rules about source files that no compiler checks.

use std::path::Path;

use anyhow::{Result, bail};

/// Most lines of a file without its tests.
const FILE_CAP: usize = 600;

/// Every Rust file opens with `//!`, has at most [`FILE_CAP`] own lines, and holds no leftovers.
pub fn run() -> Result<()> {
    let mut complaints = Vec::new();
    let mut files = 0;
    for folder in ["crates", "xtask"] {
        visit(Path::new(folder), &mut |path, text| {
            files += 1;
            complaints.extend(complaints_of(text).into_iter().map(|c| format!("{}: {c}", path.display())));
        })?;
    }
    if complaints.is_empty() {
        println!("── {files} files are tidy");
        return Ok(());
    }
    bail!("{}", complaints.join("\n"))
}

fn visit(folder: &Path, see: &mut impl FnMut(&Path, &str)) -> Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && !path.ends_with("target") {
            visit(&path, see)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            see(&path, &std::fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

fn complaints_of(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push("the first line does not say what the file is (`//!`)".to_owned());
    }
    let own = text.lines().take_while(|line| *line != "#[cfg(test)]").count();
    if own > FILE_CAP {
        found.push(format!("{own} own lines, the cap is {FILE_CAP}"));
    }
    // Spelled in two halves so that this file does not find itself.
    for leftover in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
        if let Some(line) = text.lines().position(|line| line.contains(leftover)) {
            found.push(format!("line {}: {leftover}", line + 1));
        }
    }
    if let Some(line) = text.lines().position(|line| line.ends_with(' ')) {
        found.push(format!("line {}: trailing space", line + 1));
    }
    found
}
