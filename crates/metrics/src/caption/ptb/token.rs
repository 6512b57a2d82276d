//! From a match to a token: where it ends, and how it is written.

use super::alphabet::{APOSTROPHE, NO_BREAK_SPACE, SOFT_HYPHEN};
use super::grammar::Action;

/// Characters of a match, and their classes.
#[derive(Clone, Copy)]
pub(super) struct Match<'a> {
    /// The characters.
    pub(super) characters: &'a [char],
    /// Their classes.
    pub(super) classes: &'a [u8],
}

impl Match<'_> {
    /// How many characters the token takes, and its text.
    pub(super) fn apply(self, action: Action) -> (usize, Option<String>) {
        let all = self.classes.len();
        let taken = match action {
            Action::Before(after) | Action::ContractionBefore(after) => all - after,
            Action::BeforeApostrophe => self.last_apostrophe(),
            Action::BeforeNot if self.classes[all - 2] == b';' => all - "n&apos;t".len(),
            Action::BeforeNot => all - "n't".len(),
            Action::BeforeStop => self.first_stop(),
            Action::ThroughStop => self.first_stop() + 1,
            Action::Token | Action::Contraction | Action::Text(_) | Action::Skip => all,
        };
        let text = match action {
            Action::Skip => None,
            Action::Text(text) => Some(text.to_owned()),
            Action::Contraction | Action::ContractionBefore(_) => {
                Some(with_plain_quotes(&self.first(taken).text()))
            }
            _ => Some(self.first(taken).text()),
        };
        (taken, text)
    }

    /// Its first characters.
    fn first(self, count: usize) -> Self {
        // A rule may look at the end of the line, which is no character.
        let count = count.min(self.characters.len());
        Self { characters: &self.characters[..count], classes: &self.classes[..count] }
    }

    fn first_stop(self) -> usize {
        self.classes.iter().position(|class| *class == b'.').unwrap_or(0)
    }

    /// Where the last apostrophe begins.
    fn last_apostrophe(self) -> usize {
        let is_apostrophe = |class: &u8| matches!(*class, b'\'' | APOSTROPHE | b';');
        let last = self.classes.iter().rposition(is_apostrophe).unwrap_or(0);
        if self.classes[last] == b';' { last + 1 - "&apos;".len() } else { last }
    }

    /// How the reference writes it.
    fn text(self) -> String {
        if let [character] = self.characters {
            return single(*character);
        }
        let is_markup = self.classes.first() == Some(&b'<') && self.classes.last() == Some(&b'>');
        let characters = self.characters.iter().zip(self.classes);
        let text: String = characters.flat_map(|(c, class)| written(*c, *class, is_markup)).collect();
        if text.contains('&') && !is_markup {
            text.replace("&amp;", "&").replace("&apos;", "'")
        } else {
            text
        }
    }
}

/// With the quotation marks of ASCII.
fn with_plain_quotes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\u{92}' | '\u{2019}' | '›' => plain.push('\''),
            '\u{91}' | '\u{2018}' | '\u{201b}' | '‹' => plain.push('`'),
            '\u{93}' | '\u{201c}' | '«' => plain.push_str("``"),
            '\u{94}' | '\u{201d}' | '»' => plain.push_str("''"),
            _ => plain.push(character),
        }
    }
    plain
}

/// A token of one character.
fn single(character: char) -> String {
    let name = match character {
        '(' => "-LRB-",
        ')' => "-RRB-",
        '[' => "-LSB-",
        ']' => "-RSB-",
        '{' => "-LCB-",
        '}' => "-RCB-",
        '\u{ad}' => "-",
        '\u{80}' | '\u{a4}' | '\u{20a0}' | '€' => "$",
        '¢' => "cents",
        '£' => "#",
        '¼' => "1/4",
        '½' => "1/2",
        '¾' => "3/4",
        '⅓' => "1/3",
        '⅔' => "2/3",
        _ => return character.to_string(),
    };
    name.to_owned()
}

/// A character of a longer token.
fn written(character: char, class: u8, is_markup: bool) -> Vec<char> {
    match class {
        SOFT_HYPHEN => Vec::new(),
        b'(' if !is_markup => "-LRB-".chars().collect(),
        b')' if !is_markup => "-RRB-".chars().collect(),
        // Tokens are separated by spaces and so have none of those.
        b' ' | b'\t' | NO_BREAK_SPACE => vec!['\u{a0}'],
        _ => vec![character],
    }
}
