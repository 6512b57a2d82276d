//! Tables in CSV, with or without headings.

use csv::StringRecord;

use super::by_name::Table;
use crate::Caption;
use crate::listing::{Columns, Line, each_line};

/// Adds the rows of a CSV file to a table; `from` is the source of its captions.
pub(super) fn read(table: &mut Table, bytes: &[u8], from: &str) -> Result<(), String> {
    let see = |line: Line| {
        if !line.shape.is_empty() {
            add(table, line, from);
        }
    };
    each_line(bytes, columns, see).map(drop)
}

fn add(table: &mut Table, line: Line, from: &str) {
    let facts = table.at(&line.shape);
    facts.label(line.label);
    facts.captions.extend(line.captions.into_iter().map(|text| Caption::new(text, from)));
    if let Some(split) = line.split {
        facts.split = Some(split.to_owned());
    }
}

/// The columns of a table, by its headings or, without headings, by its form.
fn columns(first: &StringRecord) -> Result<Columns, String> {
    let columns = Columns::of(first);
    // A table with some known headings has headings, so it has none of the forms without.
    let has_none = columns.shape.is_none() && !columns.says();
    let start = first.get(0).unwrap_or_default().trim();
    match first.len() {
        _ if columns.shape.is_some() && columns.says() => Ok(columns),
        3 if has_none && start.parse::<u32>().is_ok() => {
            Ok(Columns { shape: Some(2), label: Some(1), ..Columns::default() })
        }
        2.. if has_none && !start.contains(' ') => {
            Ok(Columns { shape: Some(0), captions: vec![1], ..Columns::default() })
        }
        _ => {
            let found: Vec<&str> = first.iter().take(8).collect();
            Err(format!("expected headings such as file,label,caption, or id,caption, found {found:?}"))
        }
    }
}
