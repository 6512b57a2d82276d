//! Error messages with hints, and exit codes. A panic is reported as an internal error.

use std::fmt;
use std::io::{self, Write as _};
use std::panic;
use std::sync::Mutex;

use crate::output::printable;

/// How a run ended that met no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The run succeeded.
    Done,
    /// The result is a failure, which has been reported.
    Failed,
}

/// An error in the command line: exit code 2.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// An error with a hint on what to do about it.
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
        // `self` displays the message of `source`, which would appear twice in the chain.
        self.source.source()
    }
}

/// Adds a hint to an error.
pub(crate) trait WithHint<T> {
    /// The hint says what the user can do, in one line.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> WithHint<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| anyhow::Error::new(Hint { hint: hint.into(), source: error.into() }))
    }
}

/// Message and location of the last panic.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// The exit code of a program killed by SIGPIPE in a shell: 128 + 13.
const BROKEN_PIPE: u8 = 141;

/// Runs the command and returns its exit code: 0 success, 1 failure, 2 wrong usage, 141 broken pipe.
pub(crate) fn run_to_exit_code(run: impl FnOnce() -> anyhow::Result<Outcome> + panic::UnwindSafe) -> u8 {
    // Keeps the message for the report instead of printing a backtrace. Panics of 3D readers are caught where files are read.
    panic::set_hook(Box::new(|info| {
        if let Ok(mut last) = PANIC.lock() {
            *last = Some(info.to_string().replace('\n', " "));
        }
    }));
    match panic::catch_unwind(run) {
        Ok(Ok(Outcome::Done)) => 0,
        Ok(Ok(Outcome::Failed)) => 1,
        Ok(Err(error)) if is_broken_pipe(&error) => BROKEN_PIPE,
        Ok(Err(error)) => print_error(&error),
        Err(_) => print_internal_error(),
    }
}

/// Whether the reader of our output closed it (`lexiform … | head`), which needs no message.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    // The I/O error may be wrapped in context and hints.
    let is_pipe = |e: &io::Error| e.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(is_pipe))
}

fn print_error(error: &anyhow::Error) -> u8 {
    let mut text = format!("error: {}\n", error_message(error));
    if let Some(hint) = error_hint(error) {
        text.push_str(&format!("hint: {hint}\n"));
    }
    print_stderr(&text);
    if is_usage(error) { 2 } else { 1 }
}

/// Whether the command line is wrong, with a hint or without.
fn is_usage(error: &anyhow::Error) -> bool {
    let hint = error.downcast_ref::<Hint>();
    error.is::<UsageError>() || hint.is_some_and(|hint| is_usage(&hint.source))
}

/// The chain of causes on one line, without causes whose text the message already contains.
pub fn error_message(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |text, cause| {
        let cause = cause.to_string();
        if text.is_empty() {
            cause
        } else if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

/// What the user can do about an error, in one line.
pub fn error_hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let given = cause.downcast_ref::<Hint>().map(|h| h.hint.clone());
        let of_search = || match cause.downcast_ref::<lexiform_search::Error>()? {
            lexiform_search::Error::Model(error) => model_hint(error),
            error => error.hint(),
        };
        let of_model = || model_hint(cause.downcast_ref::<lexiform_model::ModelError>()?);
        let of_data = || cause.downcast_ref::<lexiform_data::DataError>()?.hint();
        let of_eval = || cause.downcast_ref::<lexiform_eval::EvalError>()?.hint();
        let of_tokens = || cause.downcast_ref::<lexiform_server::TokenError>()?.hint();
        let of_training = || cause.downcast_ref::<lexiform_train::FitError>()?.hint();
        let of_recipe = || cause.downcast_ref::<lexiform_train::RecipeError>()?.hint();
        given
            .or_else(of_recipe)
            .or_else(of_search)
            .or_else(of_model)
            .or_else(of_data)
            .or_else(of_eval)
            .or_else(of_tokens)
            .or_else(of_training)
    })
}

/// The hint of a model's error; for a name of a paper's code, ours.
fn model_hint(error: &lexiform_model::ModelError) -> Option<String> {
    let found = match error {
        lexiform_model::ModelError::UnknownModel { name, .. } => lexiform_train::find_reference_name(name),
        _ => None,
    };
    found.map(lexiform_train::ReferenceName::hint).or_else(|| error.hint())
}

fn print_internal_error() -> u8 {
    let what = PANIC.lock().ok().and_then(|mut last| last.take()).unwrap_or_default();
    print_stderr(&format!(
        "error: internal error: {what}\nhint: this is a bug in lexiform; please report the line above\n"
    ));
    1
}

fn print_stderr(text: &str) {
    // If standard error is closed too, only the exit code is left.
    let _ = io::stderr().write_all(printable(text).as_bytes());
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
        assert_eq!(error_message(&error), "reading a: disk on fire");
        assert_eq!(error_hint(&error).unwrap(), "use water");
    }

    #[test]
    fn a_usage_error_with_a_hint_is_one() {
        let usage = || Err::<(), _>(UsageError("no folder".to_owned()));
        assert!(is_usage(&anyhow::Error::new(usage().unwrap_err())));
        assert!(is_usage(&usage().hint("name one").unwrap_err()));
        assert!(!is_usage(&Err::<(), _>(io::Error::other("disk on fire")).hint("use water").unwrap_err()));
    }

    #[test]
    fn a_broken_pipe_is_recognized_below_context() {
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&anyhow::Error::new(pipe).context("writing")));
    }
}
