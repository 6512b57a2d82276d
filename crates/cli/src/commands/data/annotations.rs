//! What `data prepare` and `data import` both read from the command line: annotation tables and fractions.

use std::path::PathBuf;

use lexiform_data::annotations::AnnotationTable;

/// Parses a fraction from 0 to 1.
pub(crate) fn parse_fraction(text: &str) -> Result<f64, String> {
    let fraction = text.parse::<f64>().ok().filter(|fraction| (0.0..=1.0).contains(fraction));
    fraction.ok_or_else(|| format!("expected a fraction from 0 to 1, found {text:?}"))
}

/// Reads tables of labels, captions and splits as one.
pub(crate) fn read_annotations(files: &[PathBuf]) -> anyhow::Result<AnnotationTable> {
    let mut all = AnnotationTable::default();
    for file in files {
        all.extend(AnnotationTable::read(file)?);
    }
    Ok(all)
}
