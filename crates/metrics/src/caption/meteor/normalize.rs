//! How METEOR splits captions into words: its normalizer for western languages, with punctuation kept.
//!
//! Its steps look at a character and its two neighbors, from left to right. A neighbor on the right is not a neighbor of the next mark any
//! more, which is why the second hyphen of "a-b-c" stays.

use std::collections::HashMap;

/// Letters beyond ASCII: Latin-1, Latin Extended-A, Cyrillic and phonetic extensions.
const LETTERS: [(char, char); 7] = [
    ('À', 'Ö'),
    ('Ø', 'ö'),
    ('ø', 'ž'),
    ('Ѐ', 'ԧ'),
    ('\u{a640}', '\u{a66e}'),
    ('\u{a67e}', '\u{a697}'),
    ('\u{1d00}', '\u{1d7f}'),
];

/// When an abbreviation keeps its full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    Always,
    BeforeNumber,
}

/// Splits captions into words.
#[derive(Debug)]
pub(super) struct Normalizer {
    prefixes: HashMap<String, Prefix>,
}

/// What a neighbor must be.
type Test = fn(char) -> bool;

/// A mark between two neighbors, and what takes its place.
type Split = (Test, char, Test, &'static str);

/// Commas are words, except within numbers.
const COMMAS: [Split; 3] = [
    (not_digit, ',', not_digit, " , "),
    (is_digit, ',', not_digit, " , "),
    (not_digit, ',', is_digit, " , "),
];
/// Hyphenated words are several.
const HYPHENS: [Split; 1] = [(is_letter_digit_or_dot, '-', is_letter_or_digit, " ")];
/// Quotes are words; what follows an apostrophe is a word with it.
const APOSTROPHES: [Split; 5] = [
    (not_letter, '\'', not_letter, " ' "),
    (not_letter_or_digit, '\'', is_letter, " ' "),
    (is_letter, '\'', not_letter, " ' "),
    (is_letter, '\'', is_letter, " '"),
    (is_digit, '\'', |c| c == 's', " '"),
];

impl Normalizer {
    /// Reads METEOR's list of abbreviations: one a line, comments after `#`.
    pub(super) fn new(prefixes: &str) -> Self {
        Self { prefixes: prefixes.lines().filter_map(prefix).collect() }
    }

    /// The words of a caption, in lower case.
    pub(super) fn words(&self, caption: &str) -> Vec<String> {
        let mut text: Vec<char> = Vec::new();
        text.push(' ');
        caption.chars().for_each(|c| if stays(c) { text.push(c) } else { text.extend([' ', c, ' ']) });
        text.push(' ');
        let text = COMMAS.iter().fold(with_ellipses(&text), split);
        let text = HYPHENS.iter().fold(with_plain_marks(&text), split);
        let text: String = APOSTROPHES.iter().fold(text, split).into_iter().collect();
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let stopped = words.iter().enumerate().map(|(at, word)| self.with_its_stop(word, words.get(at + 1)));
        // Spaces of typesetting, which no step before has looked for.
        let text = stopped.collect::<Vec<_>>().join(" ").replace(is_wide_space, " ").to_lowercase();
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// A word whose full stop, if any, is kept, removed, or a word by itself.
    fn with_its_stop(&self, word: &str, next: Option<&&str>) -> String {
        let stem = word.strip_suffix('.').filter(|stem| !stem.is_empty() && !is_ellipsis(word));
        let Some(stem) = stem else { return word.to_owned() };
        let prefix = self.prefixes.get(stem).copied();
        let next_is =
            |test: fn(&char) -> bool| next.and_then(|next| next.chars().next()).is_some_and(|c| test(&c));
        if stem.contains('.') && stem.chars().any(is_letter) {
            return word.replace('.', "");
        }
        let stays = prefix == Some(Prefix::Always)
            || next_is(char::is_ascii_lowercase)
            || prefix == Some(Prefix::BeforeNumber) && next_is(char::is_ascii_digit);
        if stays { word.to_owned() } else { format!("{stem} .") }
    }
}

/// An abbreviation and when it keeps its full stop.
fn prefix(line: &str) -> Option<(String, Prefix)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next().filter(|name| !name.starts_with('#'))?;
    let kind = if words.next() == Some("#NUMERIC_ONLY#") { Prefix::BeforeNumber } else { Prefix::Always };
    Some((name.to_owned(), kind))
}

/// Replaces a mark wherever its neighbors are as they must be.
fn split(text: Vec<char>, (left, mark, right, replacement): &Split) -> Vec<char> {
    let mut split = Vec::with_capacity(text.len());
    let mut rest = &text[..];
    while let [first, after @ ..] = rest {
        split.push(*first);
        rest = after;
        if let [found, next, after @ ..] = after
            && found == mark
            && left(*first)
            && right(*next)
        {
            split.extend(replacement.chars());
            split.push(*next);
            rest = after;
        }
    }
    split
}

/// Dots that follow each other as a word by itself.
fn with_ellipses(text: &[char]) -> Vec<char> {
    let mut split = Vec::with_capacity(text.len());
    for run in text.chunk_by(|a, b| *a == '.' && *b == '.') {
        let is_ellipsis = run.len() > 1;
        split.extend(is_ellipsis.then_some(' '));
        split.extend(run);
        split.extend(is_ellipsis.then_some(' '));
    }
    split
}

/// One kind of apostrophe, quotation mark and hyphen.
fn with_plain_marks(text: &[char]) -> Vec<char> {
    let text: String = text.iter().map(|c| if matches!(c, '`' | '‘' | '’') { '\'' } else { *c }).collect();
    let text = text.replace(['“', '”'], " \" ").replace("''", " \" ");
    text.replace('–', "-").replace("--", "-").chars().collect()
}

fn is_ellipsis(word: &str) -> bool {
    word.len() > 1 && word.chars().all(|c| c == '.')
}

/// Whether a character is no word by itself before its neighbors are looked at.
fn stays(c: char) -> bool {
    is_letter_or_digit(c) || "\t\n\u{b}\u{c}\r .'`,-‘’".contains(c)
}

fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || LETTERS.iter().any(|(first, last)| (*first..=*last).contains(&c))
}

fn not_letter(c: char) -> bool {
    !is_letter(c)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn not_digit(c: char) -> bool {
    !is_digit(c)
}

fn is_letter_or_digit(c: char) -> bool {
    is_letter(c) || is_digit(c)
}

fn not_letter_or_digit(c: char) -> bool {
    !is_letter_or_digit(c)
}

fn is_letter_digit_or_dot(c: char) -> bool {
    is_letter_or_digit(c) || c == '.'
}

fn is_wide_space(c: char) -> bool {
    matches!(c, '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let normalizer = Normalizer::new("# comment\nvs\nNo #NUMERIC_ONLY#\n");
        let check = |caption: &str, expected: &str| {
            assert_eq!(normalizer.words(caption).join(" "), expected, "{caption}");
        };
        check("a t-shirt do n't", "a t shirt do n 't");
        check("a vs. b, c", "a vs. b , c");
        check("u.s.", "us");
        check("No. 5 No. x No.", "no. 5 no. x no .");
        check("a... b", "a ... b");
        check("", "");
        // Each match takes its letters: the second hyphen stays.
        check("a-b-c", "a b-c");
    }
}
