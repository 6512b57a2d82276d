//! Writing the report of `eval zero-shot`: a page, its numbers as JSON, and two tables.

use std::path::Path;

use lexiform_eval::protocol::Protocol;
use lexiform_eval::report::{HardCase, Measured, Report, cases_csv, classes_csv, hardest, page};
use lexiform_eval::{Confusion, Prediction};
use lexiform_search::Encoder;

use super::data::Entry;
use super::looks;
use crate::output;

/// Hardest cases shown.
const HARDEST: usize = 24;
/// Bytes of the longest command line that is written down.
const LONGEST_COMMAND: usize = 2000;

/// What the page shows in detail: the first result.
pub struct Shown<'a> {
    /// The model, where there is one.
    pub encoder: Option<&'a dyn Encoder>,
    /// The files.
    pub entries: &'a [Entry],
    /// What was said of them.
    pub predictions: &'a [Prediction],
    /// The labels to choose from.
    pub labels: &'a [String],
    /// Small pictures of shapes that are in no file.
    pub pictures: &'a [Option<Vec<u8>>],
}

/// Writes report.html, report.json, classes.csv and cases.csv.
pub fn write(
    folder: &Path,
    shown: &Shown<'_>,
    results: Vec<Measured>,
    unusable: Vec<(String, String)>,
    protocol: Option<&'static Protocol>,
    mut run: Vec<(String, String)>,
) -> anyhow::Result<()> {
    fs_err::create_dir_all(folder)?;
    if let Some(protocol) = protocol {
        run.push(("protocol".to_owned(), protocol.title()));
        run.push(("note".to_owned(), protocol.note.to_owned()));
    }
    run.retain(|(_, value)| !value.is_empty());
    let names: Vec<String> = shown.entries.iter().map(|e| e.name.clone()).collect();
    let cases = cases_csv(&names, shown.predictions, shown.labels);
    let classes = results.first().map(classes_csv).unwrap_or_default();
    let model =
        results.first().map_or("the model", |r| r.model.split('@').next().unwrap_or(&r.model)).to_owned();
    let report = Report {
        title: format!("Does {model} fit these files?"),
        run,
        labels: shown.labels.to_vec(),
        results,
        published: protocol.map(Protocol::published).unwrap_or_default(),
        hardest: hardest(shown.predictions, HARDEST).into_iter().map(|i| hard_case(shown, i)).collect(),
        unusable,
        confusion: Some(Confusion::of(shown.predictions, shown.labels.len())),
    };
    fs_err::write(folder.join("report.html"), page(&report))?;
    fs_err::write(folder.join("report.json"), serde_json::to_string_pretty(&report)?)?;
    fs_err::write(folder.join("classes.csv"), classes)?;
    fs_err::write(folder.join("cases.csv"), cases)?;
    output::note(format!("wrote {}", folder.join("report.html").display()));
    Ok(())
}

fn hard_case(shown: &Shown<'_>, item: usize) -> HardCase {
    let prediction = &shown.predictions[item];
    let entry = &shown.entries[item];
    let name = |class: Option<&usize>| class.map_or(String::new(), |class| shown.labels[*class].clone());
    let drawn = || shown.encoder.and_then(|encoder| looks::thumbnail(encoder, entry));
    HardCase {
        file: entry.name.clone(),
        label: entry.label.clone(),
        taken_for: name(prediction.best.first()),
        score: prediction.score,
        truth_score: prediction.truth_score,
        rank: prediction.rank,
        thumbnail: shown.pictures.get(item).cloned().flatten().or_else(drawn),
    }
}

/// The command line as it was typed, without the folders before the program's name.
pub fn command() -> String {
    let mut parts = std::env::args();
    let program = parts.next().map_or(String::new(), |p| {
        Path::new(&p).file_name().map_or(p.clone(), |name| name.to_string_lossy().into_owned())
    });
    let quoted = parts.map(|p| if p.contains([' ', '"', '\'']) { format!("{p:?}") } else { p });
    let line = std::iter::once(program).chain(quoted).collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_COMMAND).collect()
}
