//! Rules about source files and documents that no compiler checks.

use std::path::Path;

use anyhow::{Result, bail};

use crate::words;

/// Most lines of a file without its tests.
const FILE_CAP: usize = 600;

/// Folders with files of ours; the root's own Markdown files come on top.
const FOLDERS: [&str; 7] = [".github", "crates", "docs", "examples", "recipes", "samples", "xtask"];

/// Prose that keeps its words: the log is a record, and the list of refused words must name them.
const EXEMPT: [&str; 2] = ["docs/log.md", "xtask/src/words.rs"];

/// Every Rust file opens with `//!`, has at most [`FILE_CAP`] own lines and holds no leftovers; nothing that a person
/// reads uses a [refused word](words::refused_in).
///
/// # Errors
///
/// If a file cannot be read, or a rule is broken: the message has one line for each place.
pub fn run() -> Result<()> {
    let mut all_violations = Vec::new();
    let mut files = 0;
    let mut see = |path: &Path, text: &str| {
        files += 1;
        let found = match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => [violations(text), refused_words(text)].concat(),
            _ => refused_words(text),
        };
        if !EXEMPT.iter().any(|exempt| path.ends_with(exempt)) {
            all_violations
                .extend(found.into_iter().map(|violation| format!("{}: {violation}", path.display())));
        }
    };
    for folder in FOLDERS.iter().map(Path::new).filter(|folder| folder.is_dir()) {
        visit(folder, &mut see)?;
    }
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"] {
        see(Path::new(document), &fs_text(Path::new(document))?);
    }
    if all_violations.is_empty() {
        println!("── {files} files are tidy");
        return Ok(());
    }
    bail!("{}", all_violations.join("\n"))
}

/// The text of a file; one that does not exist has none.
fn fs_text(path: &Path) -> Result<String> {
    Ok(if path.exists() { std::fs::read_to_string(path)? } else { String::new() })
}

fn refused_words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for (phrase, instead) in words::refused_in(line) {
            found.push(format!("line {}: \"{phrase}\": write {instead}", number + 1));
        }
    }
    found
}

fn visit(folder: &Path, see: &mut impl FnMut(&Path, &str)) -> Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        // Build output may lie below an example or a crate.
        if path.is_dir() && !path.ends_with("target") {
            visit(&path, see)?;
        } else if path.extension().is_some_and(|e| ["rs", "md", "toml"].iter().any(|ours| e == *ours)) {
            see(&path, &fs_text(&path)?);
        }
    }
    Ok(())
}

fn violations(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push("the first line does not say what the file is (`//!`)".to_owned());
    }
    // Unit tests come last in a file and do not count.
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
