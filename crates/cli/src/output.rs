//! Standard output has results only: text, or JSON lines. Everything else goes to standard error.
//!
//! Names of files, and names inside files, may hold anything. Text is written with control characters escaped, so that no name can
//! move the cursor, hide a line or change the terminal.

use std::borrow::Cow;
use std::io::{self, Write as _};

use serde::Serialize;

/// Writes a line, or several, to standard output.
pub(crate) fn line(text: impl AsRef<str>) -> io::Result<()> {
    write_line(&printable(text.as_ref()))
}

fn write_line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")
}

/// Writes one object as one line of JSON.
pub(crate) fn json(object: &impl Serialize) -> anyhow::Result<()> {
    // JSON has escapes of its own.
    Ok(write_line(&serde_json::to_string(object)?)?)
}

/// Writes one message of a protocol, which is JSON on one line, and sends it.
pub(crate) fn protocol_line(message: &str) -> io::Result<()> {
    write_line(message)?;
    io::stdout().lock().flush()
}

/// Writes a message to standard error.
pub(crate) fn note(text: impl AsRef<str>) {
    // The work continues even if standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{}", printable(text.as_ref()));
}

/// Text with control characters escaped, except line breaks and tabs.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_control(c) && !matches!(c, '\n' | '\t'))
}

/// Text on one line: with all control characters escaped. For names, which would otherwise begin a line of their own.
pub(crate) fn single_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_control)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if is_escaped(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Control characters, and marks that break lines or reverse the direction of the text after them.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Alignment of a column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows as aligned text, one line each, without a border. Control characters are escaped, trailing spaces removed.
pub(crate) fn table(columns: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let header = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
    let cells = |row: &Vec<String>| -> Vec<String> {
        row.iter().map(|cell| single_line(cell).into_owned()).collect()
    };
    let all: Vec<Vec<String>> = std::iter::once(header).chain(rows.iter().map(cells)).collect();
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
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `1 file`, `2 files`.
pub(crate) fn quantity(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// A size for people: `124 bytes`, `1.2 kB`, `3.4 MB`.
pub(crate) fn byte_size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return quantity(bytes as usize, "byte");
    }
    let mut size = bytes as f64 / 1000.0;
    let mut unit = 0;
    // Rounded to one digit, 999.95 would be 1000.0.
    while size >= 999.95 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    format!("{size:.1} {}", UNITS[unit])
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

    #[test]
    fn names_cannot_control_the_terminal() {
        assert_eq!(single_line("a\u{1b}[2Jb\nc\td"), "a\\u{1b}[2Jb\\nc\\td");
        assert_eq!(printable("a\u{9b}b\r\nc\td\u{202e}"), "a\\u{9b}b\\r\nc\td\\u{202e}");
        assert!(matches!(printable("Stühle, 椅子 …"), Cow::Borrowed(_)));
        let rows = [vec!["x\n1  fake".to_owned()]];
        assert_eq!(table(&[("path", Align::Left)], &rows), "path\nx\\n1  fake");
    }

    #[test]
    fn sizes_have_the_unit_that_suits_them() {
        let found = [1, 124, 1249, 999_960, 12_000_000].map(byte_size);
        assert_eq!(found, ["1 byte", "124 bytes", "1.2 kB", "1.0 MB", "12.0 MB"]);
    }
}
