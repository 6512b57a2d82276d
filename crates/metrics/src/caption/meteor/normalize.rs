//! How METEOR splits captions into words: its normalizer for western languages, with punctuation kept.

use std::borrow::Cow;
use std::collections::HashMap;

use regex::{Captures, Regex};

/// Letters.
const ALPHA: &str = r"A-Za-zÀ-ÖØ-öø-žЀ-ԧ\u{a640}-\u{a66e}\u{a67e}-\u{a697}\u{1d00}-\u{1d7f}";

/// When an abbreviation keeps its full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prefix {
    Always,
    BeforeNumber,
}

/// Splits captions into words.
#[derive(Debug)]
pub(super) struct Normalizer {
    /// Patterns and their replacements, in order, before dots are looked at.
    first: [(Regex, &'static str); 2],
    /// The same, after.
    then: [(Regex, &'static str); 13],
    dots: Regex,
    spaces: Regex,
    is_alpha: Regex,
    prefixes: HashMap<String, Prefix>,
}

impl Normalizer {
    /// Reads METEOR's list of abbreviations: one a line, comments after `#`.
    pub(super) fn new(prefixes: &str) -> Self {
        Self {
            first: [
                (pattern(r"([^0-9{ALPHA}\t\n\x0b\f\r .'`,\-‘’])"), " $1 "),
                (pattern(r"\.(\.+)"), " DOTMULTI$1"),
            ],
            then: [
                (pattern("([^0-9])[,]([^0-9])"), "$1 , $2"),
                (pattern("([0-9])[,]([^0-9])"), "$1 , $2"),
                (pattern("([^0-9])[,]([0-9])"), "$1 , $2"),
                (pattern("[`‘’]"), "'"),
                (pattern("[“”]|''"), " \" "),
                (pattern("–"), "-"),
                (pattern("--"), "-"),
                (pattern(r"([0-9{ALPHA}.])-([0-9{ALPHA}])"), "$1 $2"),
                (pattern("([^{ALPHA}])'([^{ALPHA}])"), "$1 ' $2"),
                (pattern("([^{ALPHA}0-9])'([{ALPHA}])"), "$1 ' $2"),
                (pattern("([{ALPHA}])'([^{ALPHA}])"), "$1 ' $2"),
                (pattern("([{ALPHA}])'([{ALPHA}])"), "$1 '$2"),
                (pattern("([0-9])'(s)"), "$1 '$2"),
            ],
            dots: pattern(r"DOTMULTI\.([^.])"),
            spaces: pattern("[ \u{a0}\u{2000}-\u{200a}\u{202f}\u{205f}\u{3000}]+"),
            is_alpha: pattern("[{ALPHA}]"),
            prefixes: prefixes.lines().filter_map(prefix).collect(),
        }
    }

    /// The words of a caption, in lower case.
    pub(super) fn words(&self, caption: &str) -> Vec<String> {
        let mut text = apply(format!(" {caption} "), &self.first);
        // Dots that follow each other are one word; the marks say how many there were.
        while text.contains("DOTMULTI.") {
            text = self.dots.replace_all(&text, "DOTDOTMULTI $1").replace("DOTMULTI.", "DOTDOTMULTI");
        }
        let text = apply(text, &self.then);
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let mut text = String::new();
        for (place, word) in words.iter().enumerate() {
            text.push_str(&self.with_its_stop(word, words.get(place + 1).copied()));
            text.push(' ');
        }
        while text.contains("DOTDOTMULTI") {
            text = text.replace("DOTDOTMULTI", "DOTMULTI.");
        }
        let text = text.replace("DOTMULTI", ".");
        let text = self.spaces.replace_all(&text, " ").to_lowercase();
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    /// A word whose full stop, if any, is kept, removed, or a word by itself.
    fn with_its_stop<'a>(&self, word: &'a str, next: Option<&str>) -> Cow<'a, str> {
        let Some(stem) = word.strip_suffix('.').filter(|stem| !stem.is_empty()) else { return word.into() };
        let prefix = self.prefixes.get(stem).copied();
        let next_is =
            |test: fn(&char) -> bool| next.and_then(|next| next.chars().next()).is_some_and(|c| test(&c));
        if stem.contains('.') && self.is_alpha.is_match(stem) {
            word.replace('.', "").into()
        } else if prefix == Some(Prefix::Always)
            || next_is(char::is_ascii_lowercase)
            || prefix == Some(Prefix::BeforeNumber) && next_is(char::is_ascii_digit)
        {
            word.into()
        } else {
            format!("{stem} .").into()
        }
    }
}

/// An abbreviation and when it keeps its full stop.
fn prefix(line: &str) -> Option<(String, Prefix)> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next().filter(|name| !name.starts_with('#'))?;
    let kind = if words.next() == Some("#NUMERIC_ONLY#") { Prefix::BeforeNumber } else { Prefix::Always };
    Some((name.to_owned(), kind))
}

fn apply(text: String, replacements: &[(Regex, &str)]) -> String {
    replacements.iter().fold(text, |text, (pattern, replacement)| {
        let replaced = pattern.replace_all(&text, |found: &Captures<'_>| {
            let mut words = String::new();
            found.expand(replacement, &mut words);
            words
        });
        replaced.into_owned()
    })
}

/// A constant pattern, in which `{ALPHA}` stands for letters.
fn pattern(text: &str) -> Regex {
    match Regex::new(&text.replace("{ALPHA}", ALPHA)) {
        Ok(pattern) => pattern,
        Err(error) => unreachable!("the pattern is constant: {error}"),
    }
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
