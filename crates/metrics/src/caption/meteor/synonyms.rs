//! Meanings of words: the synsets of WordNet, with its rules for base forms.

use std::collections::{HashMap, HashSet};

use crate::MetricsError;

/// Endings of inflected words, and what base forms have instead.
const ENDINGS: [(&str, &str); 20] = [
    ("s", ""),
    ("ses", "s"),
    ("xes", "x"),
    ("zes", "z"),
    ("ches", "ch"),
    ("shes", "sh"),
    ("men", "man"),
    ("ies", "y"),
    ("s", ""),
    ("ies", "y"),
    ("es", "e"),
    ("es", ""),
    ("ed", "e"),
    ("ed", ""),
    ("ing", "e"),
    ("ing", ""),
    ("er", ""),
    ("est", ""),
    ("er", "e"),
    ("est", "e"),
];

/// Words and their meanings.
#[derive(Debug)]
pub(super) struct Synonyms {
    /// Base forms of irregular words.
    bases: HashMap<String, Vec<String>>,
    /// Numbers of the meanings of base forms.
    synsets: HashMap<String, Vec<u32>>,
}

impl Synonyms {
    /// Reads METEOR's tables: a line with a word, then a line with its irregular forms, or with the numbers of its meanings.
    pub(super) fn new(exceptions: &str, synsets: &str) -> Result<Self, MetricsError> {
        let mut bases: HashMap<String, Vec<String>> = HashMap::new();
        for (_, base, forms) in pairs_of_lines(exceptions, "irregular forms")? {
            for form in forms.split_whitespace() {
                bases.entry(form.to_owned()).or_default().push(base.to_owned());
            }
        }
        let mut meanings = HashMap::new();
        for (line, word, numbers) in pairs_of_lines(synsets, "synsets")? {
            let numbers: Result<Vec<u32>, _> = numbers.split_whitespace().map(str::parse).collect();
            let numbers = numbers.map_err(|_| {
                MetricsError::InvalidTable(format!("synsets, line {}: expected numbers of synsets", line + 1))
            })?;
            meanings.insert(word.to_owned(), numbers);
        }
        Ok(Self { bases, synsets: meanings })
    }

    /// Numbers of a word's meanings and of those of its base forms.
    pub(super) fn meanings(&self, word: &str) -> HashSet<u32> {
        let mut meanings: HashSet<u32> = self.of(word).collect();
        match self.bases.get(word) {
            Some(bases) => bases.iter().for_each(|base| meanings.extend(self.of(base))),
            None => meanings
                .extend(self.base(word).into_iter().flat_map(|base| self.of(&base).collect::<Vec<_>>())),
        }
        meanings
    }

    fn of(&self, word: &str) -> impl Iterator<Item = u32> {
        self.synsets.get(word).into_iter().flatten().copied()
    }

    /// The base form of a regular word: the first that is a word.
    fn base(&self, word: &str) -> Option<String> {
        if word.ends_with("ss") || word.encode_utf16().count() <= 2 {
            // The word itself, whose meanings are known already.
            return None;
        }
        let base = ENDINGS.iter().find_map(|(ending, replacement)| {
            let base = format!("{}{replacement}", word.strip_suffix(ending)?);
            self.synsets.contains_key(&base).then_some(base)
        })?;
        // A quirk of the reference: words in "-ful" would get the ending back, although it was never removed. None of the
        // endings above follows "ful", so there is no such word.
        Some(base)
    }
}

/// Each line with an even index, the next one, and the index.
fn pairs_of_lines<'a>(text: &'a str, what: &str) -> Result<Vec<(usize, &'a str, &'a str)>, MetricsError> {
    let lines: Vec<&str> = text.lines().collect();
    let (pairs, rest) = lines.as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        let message = format!("{what}: expected pairs of lines, found {} lines", lines.len());
        return Err(MetricsError::InvalidTable(message));
    }
    Ok(pairs.iter().enumerate().map(|(i, [word, values])| (2 * i + 1, *word, *values)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_forms_are_words_or_exceptions() {
        let synonyms =
            Synonyms::new("man\nmen\n", "couch\n7 8\nsofa\n8\nman\n1\nbox\n2\nglass\n3\n").unwrap();
        let check = |word, expected: &[u32]| {
            assert_eq!(synonyms.meanings(word), expected.iter().copied().collect(), "{word}");
        };
        check("couches", &[7, 8]);
        check("men", &[1]);
        check("boxed", &[2]);
        check("glass", &[3]);
        check("as", &[]);
        check("unknown", &[]);
    }

    #[test]
    fn broken_tables_are_errors() {
        assert!(Synonyms::new("a\n", "a\n1\n").is_err());
        assert!(Synonyms::new("a\nb\n", "a\none\n").is_err());
        assert!(Synonyms::new("a\nb\n", "").is_err());
    }
}
