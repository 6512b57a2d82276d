//! The patterns by which byte-level tokenizers split texts into words.

use unicode_normalization::char::is_combining_mark;

/// English endings that are tokens of their own.
const CONTRACTIONS: [&str; 7] = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
/// The pattern of Qwen2, with one digit a word, and of Llama 3 and GPT-4, with up to three.
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// How a text is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SplitPattern {
    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
    Gpt2,
    /// [`QWEN2`], with up to this many digits a word.
    Qwen2 {
        /// 1 in Qwen2, 3 in Llama 3.
        digits: usize,
    },
}

impl SplitPattern {
    /// The pattern that a regular expression is, if it is known.
    pub(super) fn of_regex(regex: &str) -> Option<Self> {
        match regex {
            QWEN2 => Some(Self::Qwen2 { digits: 1 }),
            _ if regex == QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|") => Some(Self::Qwen2 { digits: 3 }),
            _ => None,
        }
    }

    /// The words of a text; together, they are the text.
    pub(super) fn split(self, text: &str) -> Vec<&str> {
        let mut words = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let length = match self {
                Self::Gpt2 => first_word_gpt2(rest),
                Self::Qwen2 { digits } => first_word_qwen2(rest, digits),
            };
            let (word, after) = rest.split_at(length);
            words.push(word);
            rest = after;
        }
        words
    }
}

/// The class of a character in the patterns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CharClass {
    Letter,
    Number,
    Space,
    Other,
}

fn class(c: char) -> CharClass {
    // `\p{L}` is "alphabetic" without marks, numerals and circled letters.
    let circled =
        matches!(u32::from(c), 0x24B6..=0x24E9 | 0x1F130..=0x1F149 | 0x1F150..=0x1F169 | 0x1F170..=0x1F189);
    if c.is_whitespace() {
        CharClass::Space
    } else if c.is_numeric() {
        CharClass::Number
    } else if c.is_alphabetic() && !is_combining_mark(c) && !circled {
        CharClass::Letter
    } else {
        CharClass::Other
    }
}

/// Length in bytes of the first word of a text that is not empty.
fn first_word_gpt2(text: &str) -> usize {
    if let Some(ending) = CONTRACTIONS.iter().find(|ending| text.starts_with(**ending)) {
        return ending.len();
    }
    let start = usize::from(text.starts_with(' '));
    let run = |from: usize, wanted: CharClass| run(text, from, wanted);
    match text[start..].chars().next().map(class) {
        Some(wanted) if wanted != CharClass::Space => run(start, wanted),
        _ => spaces(text),
    }
}

/// End of the characters of a class from byte `from`.
fn run(text: &str, from: usize, wanted: CharClass) -> usize {
    let end = text[from..].find(|c| class(c) != wanted);
    end.map_or(text.len(), |end| from + end)
}

/// `\s+(?!\S)|\s+` at the start of a text.
fn spaces(text: &str) -> usize {
    let end = run(text, 0, CharClass::Space);
    let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
    // The last space before a word belongs to that word, unless it is the only one.
    if end < text.len() && last > 0 { last } else { end }
}

/// As [`first_word_gpt2`], by the pattern of Qwen2 with up to `digits` digits a word.
fn first_word_qwen2(text: &str, digits: usize) -> usize {
    let is_contraction =
        |ending: &&&str| text.get(..ending.len()).is_some_and(|start| start.eq_ignore_ascii_case(ending));
    if let Some(ending) = CONTRACTIONS.iter().find(is_contraction) {
        return ending.len();
    }
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return 0 };
    let (second, is_break) = (chars.next().map(class), |c: char| matches!(c, '\r' | '\n'));
    // Any one character but a line break, letter or number may precede the letters of a word.
    let starts_word =
        !is_break(first) && class(first) != CharClass::Number && second == Some(CharClass::Letter);
    if class(first) == CharClass::Letter || starts_word {
        return run(text, first.len_utf8(), CharClass::Letter);
    }
    if class(first) == CharClass::Number {
        let end = run(text, 0, CharClass::Number);
        return text[..end].char_indices().nth(digits).map_or(end, |(at, _)| at);
    }
    let start = usize::from(first == ' ');
    if text[start..].chars().next().map(class) == Some(CharClass::Other) {
        let end = run(text, start, CharClass::Other);
        return text[end..].find(|c| !is_break(c)).map_or(text.len(), |more| end + more);
    }
    // Spaces up to the last line break among them, if there is one.
    let end = run(text, 0, CharClass::Space);
    match text[..end].rfind(is_break) {
        Some(last) => last + 1,
        None => spaces(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_by_the_pattern() {
        // From Python's `regex` with GPT-2's pattern.
        let check =
            |text: &str, words: &[&str]| assert_eq!(SplitPattern::Gpt2.split(text), words, "{text:?}");
        check("a red  chair", &["a", " red", " ", " chair"]);
        check("it's 3d, they'll!", &["it", "'s", " 3", "d", ",", " they", "'ll", "!"]);
        check("tab\tand\n\n new  ", &["tab", "\t", "and", "\n\n", " new", "  "]);
        check("'salt", &["'s", "alt"]);
        check(" \u{a0}x", &[" ", "\u{a0}", "x"]);
    }

    #[test]
    fn words_are_split_as_by_the_patterns_of_qwen2_and_llama_3() {
        let patterns = [QWEN2.to_owned(), QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")];
        let [qwen, llama] = patterns.map(|regex| SplitPattern::of_regex(&regex).unwrap());
        assert_eq!(SplitPattern::of_regex(r"\s+"), None);
        // From Python's `regex`.
        let check = |text: &str, words: &[&str]| {
            assert_eq!(qwen.split(text), words, "{text:?}");
            assert_eq!(llama.split(text), words, "{text:?}");
        };
        check("a red  chair", &["a", " red", " ", " chair"]);
        check("IT'S 3d, they'll!", &["IT", "'S", " ", "3", "d", ",", " they", "'ll", "!"]);
        check("tab\tand\n\n new  ", &["tab", "\tand", "\n\n", " new", "  "]);
        check("(table)_chair\n", &["(table", ")_", "chair", "\n"]);
        check("x !!\n\n?", &["x", " !!\n\n", "?"]);
        assert_eq!(qwen.split(" \u{a0}x 12345"), [" ", "\u{a0}x", " ", "1", "2", "3", "4", "5"]);
        assert_eq!(llama.split(" \u{a0}x 12345"), [" ", "\u{a0}x", " ", "123", "45"]);
    }
}
