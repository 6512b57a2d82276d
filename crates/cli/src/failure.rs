//! How the command fails: messages with a hint, exit codes, and no panic on the user's screen.

use std::fmt;
use std::io::{self, Write as _};
use std::panic;
use std::process::ExitCode;
use std::sync::Mutex;

/// How a run that could be carried out ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything went well enough.
    Done,
    /// The run is over, and its result is a failure (already told).
    Failed,
}

/// The command line asks for something that makes no sense.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// What to do about the error below it in the chain.
#[derive(Debug)]
struct Hint {
    hint: String,
    source: anyhow::Error,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)
    }
}

impl std::error::Error for Hint {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The message of `source` is shown by `self`.
        self.source.source()
    }
}

/// Adds to an error what the user can do about it.
pub trait WithHint<T> {
    /// The hint is one sentence, shown on its own line.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> WithHint<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| anyhow::Error::new(Hint { hint: hint.into(), source: error.into() }))
    }
}

/// Where a panic happened and what it said, kept for the report.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// What a shell says of a program that wrote to a reader that was gone: its work may not be done.
const BROKEN_PIPE: u8 = 141;

/// Runs the command and turns whatever happens into an exit code: 0 done, 1 failed, 2 wrong usage, 141 the reader of its output
/// went away.
pub fn guarded(run: impl FnOnce() -> anyhow::Result<Verdict> + panic::UnwindSafe) -> ExitCode {
    // Panics are bugs; a file's are caught where it is read, and none is shown as it is.
    panic::set_hook(Box::new(|info| {
        if let Ok(mut last) = PANIC.lock() {
            *last = Some(info.to_string().replace('\n', " "));
        }
    }));
    match panic::catch_unwind(run) {
        Ok(Ok(Verdict::Done)) => ExitCode::SUCCESS,
        Ok(Ok(Verdict::Failed)) => ExitCode::from(1),
        Ok(Err(error)) if is_broken_pipe(&error) => ExitCode::from(BROKEN_PIPE),
        Ok(Err(error)) => report(&error),
        Err(_) => report_bug(),
    }
}

/// Whether the reader of our output went away (`lexiform … | head`): nothing to tell.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_pipe = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(is_pipe))
}

fn report(error: &anyhow::Error) -> ExitCode {
    let mut text = format!("error: {}\n", message(error));
    if let Some(hint) = hint_of(error) {
        text.push_str(&format!("hint: {hint}\n"));
    }
    tell(&text);
    ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
}

/// The chain of causes on one line, without causes that only repeat what stands before them.
fn message(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, cause| {
        let cause = cause.to_string();
        match text.is_empty() {
            true => cause,
            false if text.contains(&cause) => text,
            false => format!("{text}: {cause}"),
        }
    })
}

fn hint_of(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let given = cause.downcast_ref::<Hint>().map(|h| h.hint.clone());
        let of_search = || cause.downcast_ref::<lexiform_search::Error>()?.hint();
        let of_model = || cause.downcast_ref::<lexiform_model::ModelError>()?.hint();
        let of_data = || cause.downcast_ref::<lexiform_data::DataError>()?.hint();
        let of_eval = || cause.downcast_ref::<lexiform_eval::EvalError>()?.hint();
        let of_training = || cause.downcast_ref::<lexiform_train::FitError>()?.hint();
        given.or_else(of_search).or_else(of_model).or_else(of_data).or_else(of_eval).or_else(of_training)
    })
}

fn report_bug() -> ExitCode {
    let what = PANIC.lock().ok().and_then(|mut last| last.take()).unwrap_or_default();
    tell(&format!(
        "error: internal error: {what}\nhint: this is a bug in lexiform; please report the line above\n"
    ));
    ExitCode::from(1)
}

fn tell(text: &str) {
    // Nothing is left to do when even standard error is closed.
    let _ = io::stderr().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn the_message_is_the_chain_and_the_hint_is_found_inside_it() {
        let error = Err::<(), _>(io::Error::other("disk on fire"))
            .hint("use water")
            .context("reading a")
            .unwrap_err();
        assert_eq!(message(&error), "reading a: disk on fire");
        assert_eq!(hint_of(&error).unwrap(), "use water");
    }

    #[test]
    fn a_broken_pipe_is_recognized_below_context() {
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&anyhow::Error::new(pipe).context("writing")));
    }
}
