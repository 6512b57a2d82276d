//! Standard output has results only: text, or JSON lines. Everything else goes to standard error.

use std::io::{self, Write as _};

use serde::Serialize;

/// Writes one line to standard output.
pub(crate) fn line(text: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref().as_bytes())?;
    out.write_all(b"\n")
}

/// Writes one object as one line of JSON.
pub(crate) fn json(object: &impl Serialize) -> anyhow::Result<()> {
    Ok(line(serde_json::to_string(object)?)?)
}

/// Writes a message to standard error.
pub(crate) fn note(text: impl AsRef<str>) {
    // The work continues even if standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// Alignment of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows as aligned text, one line each, without a border. Trailing spaces are removed.
pub(crate) fn table(columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&header).chain(rows).collect();
    // Characters, not bytes: labels and paths need not be ASCII.
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(columns).zip(&widths).map(|((cell, (_, align)), &width)| match align {
            Align::Left => format!("{cell:<width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `1 file`, `2 files`.
pub(crate) fn quantity(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up() {
        let rows = vec![vec!["1".into(), "chair.glb".into()], vec!["10".into(), "é".into()]];
        let text = table(&[("rank", Align::Right), ("path", Align::Left)], &rows);
        assert_eq!(text, "rank  path\n   1  chair.glb\n  10  é");
    }
}
