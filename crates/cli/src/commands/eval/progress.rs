//! Progress bars and notes of an evaluation, and its errors in terms of command-line options.

use lexiform_eval::{EvalError, EvalEvent, OnEvent, UnusableFile};

use crate::error::{Outcome, UsageError};
use crate::indexing;
use crate::output;
use crate::progress::Progress;

/// Runs an evaluation with a progress bar and notes on standard error.
pub(crate) fn with_progress<T>(
    measure: impl FnOnce(&mut OnEvent<'_>) -> Result<T, EvalError>,
) -> anyhow::Result<T> {
    let mut bar = None;
    let result = measure(&mut |event| show(&mut bar, event));
    // Remove the bar before an error is printed.
    drop(bar);
    result.map_err(usage_error)
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
            output::note(format!(
                "note: {}: skipped {rows} that do not name a 3D file, such as {example}",
                listing.display()
            ));
        }
        EvalEvent::ShapesWithoutLabel { labeled, shapes } => {
            output::note(format!("note: {labeled} of {shapes} shapes have a label"));
        }
        EvalEvent::LabelCount { expected, found } => {
            output::note(format!("note: the protocol has {expected} labels, found {found}"));
        }
        EvalEvent::SampledInStoredOrder => output::note(
            "note: views are sampled in the order of the data set; for a published run give its list of shapes too, such as --labels \
             lvis.csv",
        ),
        EvalEvent::FilesInCommon { first, run, files } => {
            let (first, run) = (first.display(), run.display());
            output::note(format!("note: {files} files are in both {first} and {run}"));
        }
        EvalEvent::ReferencesWithoutPrediction { references, without } => {
            let references = output::quantity(references, "item");
            output::note(format!(
                "note: {without} of {references} with references have no prediction and are not evaluated"
            ));
        }
        // The enum is non-exhaustive.
        _ => {}
    }
}

/// Turns errors about settings into usage errors that name the option.
fn usage_error(error: EvalError) -> anyhow::Error {
    let text = match &error {
        EvalError::Setting { setting, reason } => format!("--{setting}: {reason}"),
        EvalError::NeedsLabels { file } => format!(
            "this protocol needs --labels-file (or --labels lvis.csv, which numbers its classes): {file}"
        ),
        EvalError::NoClasses => {
            "this protocol has captions instead of labels: use `lexiform eval retrieval`".to_owned()
        }
        EvalError::SeveralModels { .. } => error.to_string(),
        // Everything else is a failure, not wrong usage: exit code 1, not 2.
        _ => return error.into(),
    };
    UsageError(text).into()
}

/// With `--strict`, a run that skipped files fails.
pub(crate) fn verdict(strict: bool, unusable: &[UnusableFile]) -> Outcome {
    if strict && !unusable.is_empty() { Outcome::Failed } else { Outcome::Done }
}
