//! Tables in CSV, with or without headings.

use csv::StringRecord;

use super::image_name::{shape_and_view, view_of};
use super::table::AnnotationTable;
use crate::Caption;
use crate::shape_csv::{ColumnIndices, CsvRow, for_each_row};

/// Adds the rows of a CSV file to a table; `from` is the source of its captions.
pub(super) fn read(table: &mut AnnotationTable, bytes: &[u8], from: &str) -> Result<(), String> {
    let visit = |line: CsvRow| {
        if !line.shape.is_empty() {
            add(table, line, from);
        }
    };
    for_each_row(bytes, columns, visit).map(drop)
}

fn add(table: &mut AnnotationTable, line: CsvRow, from: &str) {
    // The shape may be named by one of its images; otherwise a column may name the image that the captions describe.
    let (shape, view) = match shape_and_view(&line.shape) {
        Some((shape, view)) => (shape, Some(view)),
        None => (line.shape.as_str(), view_of(&line.image)),
    };
    let annotation = table.at(shape);
    annotation.label(line.label);
    let caption = |text| Caption { view, ..Caption::new(text, from) };
    annotation.captions.extend(line.captions.into_iter().map(caption));
    if let Some(split) = line.split {
        annotation.split = Some(split.to_owned());
    }
}

/// The columns of a table, by its headings or, without headings, by its form.
fn columns(first: &StringRecord) -> Result<ColumnIndices, String> {
    let columns = ColumnIndices::from_header(first);
    // A table with some known headings has headings, so it has none of the forms without.
    let has_none = columns.shape.is_none() && !columns.has_annotations();
    let start = first.get(0).unwrap_or_default().trim();
    // Duoduo CLIP's lvis.csv: class number, class name, uid.
    let class_list = ColumnIndices::of_class_list(first).filter(|_| has_none);
    if let Some(columns) = class_list {
        return Ok(columns);
    }
    match first.len() {
        _ if columns.shape.is_some() && columns.has_annotations() => Ok(columns),
        // Cap3D: uid, caption. An id contains no spaces.
        2.. if has_none && !start.contains(' ') => {
            Ok(ColumnIndices { shape: Some(0), captions: vec![1], ..ColumnIndices::default() })
        }
        _ => {
            let found: Vec<&str> = first.iter().take(8).collect();
            Err(format!("expected headings such as file,label,caption, or id,caption, found {found:?}"))
        }
    }
}
