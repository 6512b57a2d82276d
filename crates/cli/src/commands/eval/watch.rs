//! Showing how a measurement goes, and what it refuses, in the words of the command line.

use lexiform_eval::{EvalError, EvalEvent, OnEvent, UnusableFile};

use crate::error::{Outcome, UsageError};
use crate::indexing;
use crate::output;
use crate::progress::Progress;

/// Runs a measurement with a progress bar and notes on standard error.
pub(crate) fn watched<T>(
    measure: impl FnOnce(&mut OnEvent<'_>) -> Result<T, EvalError>,
) -> anyhow::Result<T> {
    let mut bar = None;
    let result = measure(&mut |event| show(&mut bar, event));
    drop(bar);
    result.map_err(in_options)
}

fn show(bar: &mut Option<Progress>, event: EvalEvent<'_>) {
    match event {
        EvalEvent::Started { steps } => *bar = Some(Progress::new(steps)),
        EvalEvent::Step { item } => bar.iter().for_each(|bar| bar.step(item)),
        EvalEvent::Finished => *bar = None,
        EvalEvent::Unusable { files } => {
            let files: Vec<(String, String)> =
                files.iter().map(|file| (file.file.clone(), file.reason.clone())).collect();
            indexing::list_failed(&files);
        }
        EvalEvent::RowsSkipped { listing, rows, example } => {
            let rows = output::quantity(rows, "row");
            output::note(format!("note: {}: {rows} are no 3D files, such as {example}", listing.display()));
        }
        EvalEvent::ShapesWithoutLabel { labeled, shapes } => {
            output::note(format!("note: {labeled} of {shapes} shapes have a label"));
        }
        EvalEvent::LabelCount { expected, found } => {
            output::note(format!("note: the protocol has {expected} labels, found {found}"));
        }
        EvalEvent::FilesInCommon { first, run, files } => {
            let (first, run) = (first.display(), run.display());
            output::note(format!("note: {files} files are in both {first} and {run}"));
        }
        _ => {}
    }
}

/// Names settings as the options they were given by; these errors are wrong usage.
fn in_options(error: EvalError) -> anyhow::Error {
    let text = match &error {
        EvalError::Setting { setting, reason } => format!("--{setting}: {reason}"),
        EvalError::NeedsLabels { file } => format!("this protocol needs --labels-file: {file}"),
        EvalError::NoClasses => {
            "this protocol has captions, no labels: measure by `lexiform eval retrieval`".to_owned()
        }
        EvalError::SeveralModels { .. } => error.to_string(),
        _ => return error.into(),
    };
    UsageError(text).into()
}

/// A run that left files out fails where that is asked for.
pub(crate) fn verdict(strict: bool, unusable: &[UnusableFile]) -> Outcome {
    if strict && !unusable.is_empty() { Outcome::Failed } else { Outcome::Done }
}
