//! Cells of CSV files.

/// A cell, quoted if necessary ([RFC 4180](https://www.rfc-editor.org/rfc/rfc4180)).
///
/// ```
/// use lexiform_formats::csv_cell;
///
/// assert_eq!(csv_cell("office chair"), "office chair");
/// assert_eq!(csv_cell("a \"red\", round table"), "\"a \"\"red\"\", round table\"");
/// ```
pub fn csv_cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
