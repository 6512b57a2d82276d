//! A line of input on a terminal, with the usual keys and a history.

use std::io;

use console::{Key, Term, measure_text_width};

/// Reads lines from the terminal and keeps them.
#[derive(Debug, Default)]
pub(crate) struct LineEditor {
    history: Vec<String>,
}

/// What a key means for the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edit {
    Continue,
    Done,
    /// Ctrl-D on an empty line.
    EndOfInput,
}

/// Ctrl-D, which terminals send for the end of input.
const END_OF_INPUT: char = '\u{4}';
/// Ctrl-U, which deletes the line up to the cursor.
const DELETE_LINE: char = '\u{15}';

impl LineEditor {
    /// The next line; `None` at the end of input. Lines are added to the history, except empty and repeated ones.
    ///
    /// # Errors
    /// If the terminal cannot be read or written.
    pub(crate) fn read(&mut self, prompt: &str) -> io::Result<Option<String>> {
        // Standard error, so that results on standard output can be redirected.
        let term = Term::stderr();
        let mut line = Line::new(&self.history);
        loop {
            line.draw(&term, prompt)?;
            match line.apply(&term.read_key()?) {
                Edit::Continue => {}
                Edit::Done => break,
                Edit::EndOfInput => {
                    term.write_line("")?;
                    return Ok(None);
                }
            }
        }
        term.write_line("")?;
        let text: String = line.text.iter().collect();
        if !text.trim().is_empty() && self.history.last() != Some(&text) {
            self.history.push(text.clone());
        }
        Ok(Some(text))
    }
}

/// A line that is being edited.
struct Line<'h> {
    text: Vec<char>,
    /// Characters before the cursor.
    cursor: usize,
    history: &'h [String],
    /// The line of the history that is shown; its length for the new one.
    shown: usize,
    /// The new line, while one of the history is shown.
    draft: Vec<char>,
}

impl<'h> Line<'h> {
    fn new(history: &'h [String]) -> Self {
        Self { text: Vec::new(), cursor: 0, history, shown: history.len(), draft: Vec::new() }
    }

    fn apply(&mut self, key: &Key) -> Edit {
        match key {
            Key::Enter => return Edit::Done,
            Key::Char(END_OF_INPUT) if self.text.is_empty() => return Edit::EndOfInput,
            Key::Char(DELETE_LINE) => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::Char(c) if !c.is_control() => {
                self.text.insert(self.cursor, *c);
                self.cursor += 1;
            }
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            Key::Del if self.cursor < self.text.len() => drop(self.text.remove(self.cursor)),
            Key::ArrowLeft => self.cursor = self.cursor.saturating_sub(1),
            Key::ArrowRight => self.cursor = self.text.len().min(self.cursor + 1),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::ArrowUp if self.shown > 0 => self.show(self.shown - 1),
            Key::ArrowDown if self.shown < self.history.len() => self.show(self.shown + 1),
            _ => {}
        }
        Edit::Continue
    }

    /// Shows a line of the history, or the new one.
    fn show(&mut self, index: usize) {
        if self.shown == self.history.len() {
            self.draft = std::mem::take(&mut self.text);
        }
        self.shown = index;
        self.text = match self.history.get(index) {
            Some(line) => line.chars().collect(),
            None => std::mem::take(&mut self.draft),
        };
        self.cursor = self.text.len();
    }

    fn draw(&self, term: &Term, prompt: &str) -> io::Result<()> {
        let text: String = self.text.iter().collect();
        let after: String = self.text[self.cursor..].iter().collect();
        term.clear_line()?;
        term.write_str(&format!("{prompt}{text}"))?;
        // Some characters are two columns wide.
        term.move_cursor_left(measure_text_width(&after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text, and the position of the cursor, after some keys.
    fn typed(history: &[&str], keys: &[Key]) -> (String, usize) {
        let history: Vec<String> = history.iter().map(|line| (*line).to_owned()).collect();
        let mut line = Line::new(&history);
        for key in keys {
            assert_eq!(line.apply(key), Edit::Continue, "{key:?}");
        }
        (line.text.iter().collect(), line.cursor)
    }

    fn keys(text: &str) -> Vec<Key> {
        text.chars().map(Key::Char).collect()
    }

    #[test]
    fn keys_edit_the_line() {
        let all = [keys("rüd chair"), vec![Key::Home, Key::ArrowRight, Key::Del, Key::Char('e'), Key::End]];
        assert_eq!(typed(&[], &all.concat()), ("red chair".to_owned(), 9));
        let all = [keys("ab"), vec![Key::ArrowLeft, Key::Backspace, Key::Backspace, Key::ArrowLeft]];
        assert_eq!(typed(&[], &all.concat()), ("b".to_owned(), 0));
        let all = [keys("abc"), vec![Key::ArrowLeft, Key::Char(DELETE_LINE), Key::Tab]];
        assert_eq!(typed(&[], &all.concat()), ("c".to_owned(), 0));
    }

    #[test]
    fn arrows_go_through_the_history_and_back_to_the_new_line() {
        let history = ["first", "second"];
        let up = |n| vec![Key::ArrowUp; n];
        assert_eq!(typed(&history, &up(1)).0, "second");
        assert_eq!(typed(&history, &up(5)).0, "first");
        let back = [keys("new"), up(2), vec![Key::ArrowDown; 5]].concat();
        assert_eq!(typed(&history, &back), ("new".to_owned(), 3));
        assert_eq!(typed(&[], &up(3)), (String::new(), 0));
    }

    #[test]
    fn enter_and_end_of_input_end_it() {
        let mut line = Line::new(&[]);
        assert_eq!(line.apply(&Key::Char(END_OF_INPUT)), Edit::EndOfInput);
        line.apply(&Key::Char('a'));
        assert_eq!(line.apply(&Key::Char(END_OF_INPUT)), Edit::Continue);
        assert_eq!(line.apply(&Key::Enter), Edit::Done);
        assert_eq!(line.text, ['a']);
    }
}
