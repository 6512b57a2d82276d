//! Measures of the source code that keep it readable, and the limits they must keep.
//!
//! `cargo xtask structure` prints them; `cargo xtask check` fails where a limit is exceeded. Lengths, comments and
//! examples come from the text, functions and imports from its syntax tree.

mod cycles;
mod source;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};

use self::source::SourceFile;

/// Files that are mostly tables of data: builders of shape categories and the bitmap font.
const TABLES: [&str; 2] = ["crates/shapes/src/families/", "crates/render/src/contact_sheet/font.rs"];

/// 90th percentile of a file's own lines.
const FILE_LINES_P90: usize = 330;
/// 99th percentile of a function's lines.
const FUNCTION_LINES_P99: usize = 60;
/// Fewest inline comments per line of code, outside tables.
const COMMENT_RATIO: f64 = 0.02;
/// What programs with the command built in call: `run`, and the text and hint of errors, with their exports.
const PUBLIC_IN_CLI: usize = 4;
/// Fewest compiled examples in the documentation of all crates; each has at least one.
const DOC_EXAMPLES: usize = 30;

/// The measures of the whole workspace.
struct Measures {
    file_lines: Vec<usize>,
    function_lines: Vec<(usize, String)>,
    comments: usize,
    code_lines: usize,
    examples: BTreeMap<String, usize>,
    public_in_cli: usize,
    cycles: Vec<String>,
}

/// Prints the measures and fails where one exceeds its limit.
///
/// # Errors
///
/// If a source file cannot be read or parsed, or a limit is exceeded.
pub fn run() -> Result<()> {
    let measures = measure(Path::new("."))?;
    measures.print();
    measures.check()
}

fn measure(root: &Path) -> Result<Measures> {
    let mut measures = Measures {
        file_lines: Vec::new(),
        function_lines: Vec::new(),
        comments: 0,
        code_lines: 0,
        examples: BTreeMap::new(),
        public_in_cli: 0,
        cycles: Vec::new(),
    };
    for name in source::crates(root)? {
        let files = source::read_crate(root, &name)?;
        measures.cycles.extend(cycles::find(&files).into_iter().map(|cycle| format!("{name}: {cycle}")));
        for file in &files {
            measures.add(&name, file);
        }
    }
    measures.file_lines.sort_unstable();
    measures.function_lines.sort();
    Ok(measures)
}

impl Measures {
    fn add(&mut self, name: &str, file: &SourceFile) {
        self.file_lines.push(file.own_lines);
        self.function_lines.extend(file.functions.iter().cloned());
        if !TABLES.iter().any(|table| file.path.starts_with(table)) {
            self.comments += file.comments;
            self.code_lines += file.code_lines;
        }
        // Commands and tasks have no library whose documentation could be compiled.
        if !["cli", "python", "xtask"].contains(&name) {
            *self.examples.entry(name.to_owned()).or_default() += file.examples;
        }
        if name == "cli" {
            self.public_in_cli += file.public_items;
        }
    }

    fn comment_ratio(&self) -> f64 {
        self.comments as f64 / self.code_lines.max(1) as f64
    }

    fn print(&self) {
        let lines: Vec<usize> = self.function_lines.iter().map(|(lines, _)| *lines).collect();
        let (longest, name) = self.function_lines.last().cloned().unwrap_or_default();
        println!(
            "files          {:6}   lines p50 {}, p90 {}, max {}",
            self.file_lines.len(),
            percentile(&self.file_lines, 50),
            percentile(&self.file_lines, 90),
            percentile(&self.file_lines, 100)
        );
        println!(
            "functions      {:6}   lines p50 {}, p90 {}, p99 {}, max {longest} ({name})",
            lines.len(),
            percentile(&lines, 50),
            percentile(&lines, 90),
            percentile(&lines, 99)
        );
        println!("comments       {:6.4}   inline, per line of code outside tables", self.comment_ratio());
        let each: Vec<String> = self.examples.iter().map(|(name, n)| format!("{name} {n}")).collect();
        println!("doc examples   {:6}   {}", self.examples.values().sum::<usize>(), each.join(", "));
        println!("public in cli  {:6}", self.public_in_cli);
        println!("module cycles  {:6}", self.cycles.len());
        self.cycles.iter().for_each(|cycle| println!("  {cycle}"));
    }

    fn check(&self) -> Result<()> {
        let lines: Vec<usize> = self.function_lines.iter().map(|(lines, _)| *lines).collect();
        ensure!(
            percentile(&self.file_lines, 90) <= FILE_LINES_P90,
            "p90 of lines per file exceeds {FILE_LINES_P90}"
        );
        ensure!(
            percentile(&lines, 99) <= FUNCTION_LINES_P99,
            "p99 of lines per function exceeds {FUNCTION_LINES_P99}"
        );
        ensure!(
            self.comment_ratio() >= COMMENT_RATIO,
            "fewer than {COMMENT_RATIO} inline comments per line of code"
        );
        for (name, count) in &self.examples {
            ensure!(*count > 0, "crate {name} has no compiled example in its documentation");
        }
        ensure!(
            self.examples.values().sum::<usize>() >= DOC_EXAMPLES,
            "fewer than {DOC_EXAMPLES} examples in the documentation"
        );
        ensure!(
            self.public_in_cli <= PUBLIC_IN_CLI,
            "`cli` is a command: all but {PUBLIC_IN_CLI} of its items are at most `pub(crate)`"
        );
        ensure!(self.cycles.is_empty(), "modules import each other in a cycle");
        Ok(())
    }
}

/// Value at a percentile of sorted values, by the nearest rank.
fn percentile(sorted: &[usize], percent: usize) -> usize {
    // Nearest rank, so that the value is one of the measured ones.
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentile_is_the_nearest_rank() {
        let values: Vec<usize> = (1..=10).collect();
        assert_eq!([50, 90, 99, 100].map(|p| percentile(&values, p)), [5, 9, 10, 10]);
        assert_eq!(percentile(&[], 50), 0);
    }
}
