//! Errors about unknown arguments name ours if they are options, keys or scripts of the papers' own code.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use lexiform_train::find_reference_name;

/// Adds what to use instead to an error about an unknown argument or command.
pub(crate) fn with_reference_name(mut error: clap::Error) -> clap::Error {
    let kind = match error.kind() {
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        ErrorKind::InvalidSubcommand => ContextKind::InvalidSubcommand,
        _ => return error,
    };
    let found = match error.get(kind) {
        Some(ContextValue::String(argument)) => find_reference_name(argument),
        _ => None,
    };
    if let Some(found) = found {
        // Replaces clap's own suggestion, which is only similar.
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::SuggestedSubcommand);
        let tip = ContextValue::StyledStrs(vec![StyledStr::from(found.hint())]);
        error.insert(ContextKind::Suggested, tip);
    }
    error
}
