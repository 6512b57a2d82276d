//! Files that documents name must exist, so that a reader who follows a path finds it.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Documents at the root; those in `docs/` come on top.
const DOCUMENTS: [&str; 5] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "STYLE.md", "fixtures/README.md"];
/// A record, which names files of its day.
const EXEMPT: &str = "docs/log.md";
/// What a path from the root of the repository starts with.
const ROOTS: [&str; 8] =
    ["crates/", "docs/", "examples/", "fixtures/", "recipes/", "samples/", "xtask/", ".ci/"];

/// Every path in backticks, and every relative link, of a document names a file or folder.
///
/// # Errors
///
/// If a document cannot be read, or names a path that does not exist: the message has one line for each.
pub fn run() -> Result<()> {
    let mut documents: Vec<_> = DOCUMENTS.iter().map(|name| Path::new(name).to_owned()).collect();
    for entry in std::fs::read_dir("docs").context("docs/: cannot be listed")? {
        documents.push(entry?.path());
    }
    documents.retain(|path| path.extension().is_some_and(|e| e == "md") && path != Path::new(EXEMPT));
    documents.sort();
    let mut missing = Vec::new();
    for document in &documents {
        let text = std::fs::read_to_string(document).with_context(|| format!("{}", document.display()))?;
        let folder = document.parent().unwrap_or(Path::new(""));
        let links = links(&text).map(|link| (link, folder.join(link)));
        let paths = quoted(&text).map(|path| (path, Path::new(path).to_owned()));
        let absent = links.chain(paths).filter(|(_, path)| !path.exists());
        missing.extend(absent.map(|(name, _)| format!("{}: no such file: {name}", document.display())));
    }
    if !missing.is_empty() {
        bail!("{}", missing.join("\n"));
    }
    println!("── paths in {} documents exist", documents.len());
    Ok(())
}

/// Targets of relative links, without anchors.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let targets = targets.map(|target| target.split('#').next().unwrap_or_default());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

/// Spans in backticks that are paths from the root; those with placeholders, wildcards or spaces are not.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    spans.filter(move |span| ROOTS.iter().any(|root| span.starts_with(root)) && span.chars().all(is_path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_links_and_quoted_paths() {
        let text =
            "see [a](docs/a.md#b), [c](https://d) and `crates/e/src/f.rs`, not `crates/<name>`\n`g` `xtask/`";
        assert_eq!(links(text).collect::<Vec<_>>(), ["docs/a.md"]);
        assert_eq!(quoted(text).collect::<Vec<_>>(), ["crates/e/src/f.rs", "xtask/"]);
    }
}
