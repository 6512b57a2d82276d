//! Finds unused dependencies: listed in a manifest, but named in no source file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// Exceptions, needed only for their features or build scripts: (package, dependency).
const UNNAMED: [(&str, &str); 2] = [("data", "reqwest"), ("xtask", "proc-macro2")];

/// Fails if a crate lists a dependency that its sources do not name.
///
/// # Errors
///
/// If a manifest or source file cannot be read, or a dependency is unused: the message has one line for each.
pub fn run() -> Result<()> {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir("crates")?.flatten().map(|entry| entry.path()).collect();
    folders.push("xtask".into());
    folders.sort();
    let mut unused = Vec::new();
    for folder in &folders {
        unused.extend(unused_in(folder)?);
    }
    if !unused.is_empty() {
        bail!("unused dependencies:\n{}", unused.join("\n"));
    }
    println!("── every dependency of {} packages is used", folders.len());
    Ok(())
}

fn unused_in(folder: &Path) -> Result<Vec<String>> {
    let manifest = folder.join("Cargo.toml");
    let text = std::fs::read_to_string(&manifest)?;
    let manifest: toml::Table =
        text.parse().with_context(|| format!("cannot parse {}", manifest.display()))?;
    let library = source_text(&folder.join("src"))?;
    let others: Vec<String> = ["tests", "examples", "benches"]
        .iter()
        .map(|part| source_text(&folder.join(part)))
        .collect::<Result<_>>()?;
    // Dev-dependencies may be used by unit tests in `src/`, too.
    let whole = format!("{library}{}", others.concat());
    let package = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut unused = Vec::new();
    for (table, sources) in [("dependencies", &library), ("dev-dependencies", &whole)] {
        let names = manifest.get(table).and_then(toml::Value::as_table).map(toml::Table::keys);
        for name in names.into_iter().flatten() {
            if !is_named(sources, &name.replace('-', "_")) && !UNNAMED.contains(&(&*package, &**name)) {
                unused.push(format!("{package}: {name} ({table})"));
            }
        }
    }
    Ok(unused)
}

/// All Rust sources below a folder, concatenated; empty if the folder does not exist.
fn source_text(folder: &Path) -> Result<String> {
    let mut text = String::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(text) };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            text += &source_text(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text += &std::fs::read_to_string(&path)?;
        }
    }
    Ok(text)
}

fn is_named(sources: &str, ident: &str) -> bool {
    // `half` must not match in `halfway`.
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    sources.match_indices(ident).any(|(at, _)| {
        let before = sources[..at].chars().next_back();
        let after = sources[at + ident.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words() {
        assert!(is_named("use half::f16;", "half"));
        assert!(!is_named("let halfway = behalf;", "half"));
    }
}
