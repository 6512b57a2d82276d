//! Queries one after another: typed at a prompt on a terminal, otherwise one per line of standard input.

use std::io::{self, BufRead as _, IsTerminal as _};

use crate::error::error_message;
use crate::line_editor::LineEditor;
use crate::output;

const PROMPT: &str = "search> ";

/// Where queries come from.
pub(crate) enum Queries {
    /// Typed by a user.
    Terminal(LineEditor),
    /// Lines of a file or pipe; the first one has been read.
    Lines(Option<String>),
}

impl Queries {
    /// Standard input; `None` if it has no line.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn open() -> io::Result<Option<Self>> {
        if io::stdin().is_terminal() {
            output::note("Enter a description to search for, or `exit` to quit.");
            return Ok(Some(Self::Terminal(LineEditor::default())));
        }
        Ok(next_line()?.map(|first| Self::Lines(Some(first))))
    }

    /// Calls `answer` with every query until `exit` or the end. At a prompt, an error is shown and the next query is read.
    ///
    /// # Errors
    /// If standard input cannot be read; and the first error of `answer`, unless a user can try again.
    pub(crate) fn for_each(
        mut self,
        mut answer: impl FnMut(&str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        while let Some(query) = self.next()? {
            match answer(&query) {
                Err(error) if matches!(self, Self::Terminal(_)) => {
                    output::note(format!("error: {}", error_message(&error)));
                }
                result => result?,
            }
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<String>> {
        let line = match self {
            Self::Lines(first) => match first.take() {
                Some(first) => Some(first),
                None => next_line()?,
            },
            Self::Terminal(editor) => loop {
                match editor.read(PROMPT)? {
                    Some(line) if line.trim().is_empty() => {}
                    line => break line,
                }
            },
        };
        // As the prompt of Duoduo CLIP's `text_retrieval.py`.
        Ok(line.filter(|line| !line.trim().eq_ignore_ascii_case("exit")))
    }
}

/// The next line that is not empty.
fn next_line() -> io::Result<Option<String>> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        if !line.trim().is_empty() {
            return Ok(Some(line));
        }
    }
    Ok(None)
}
