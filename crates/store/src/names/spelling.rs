//! Repairing misspelled words of a query from the words of a library's names.

/// Shortest word that is repaired: too many words are near a shorter one.
const MIN_LETTERS: usize = 3;
/// Longest word of which only one letter may differ.
const SHORT_WORD: usize = 5;

/// Most edits between a misspelled word and the word it means; `None` for words that are not repaired.
pub(super) fn max_distance(word: &str) -> Option<usize> {
    match word.chars().count() {
        0..MIN_LETTERS => None,
        MIN_LETTERS..=SHORT_WORD => Some(1),
        _ => Some(2),
    }
}

/// Finds the word of a vocabulary that is nearest to a misspelled one.
#[derive(Debug)]
pub struct Spelling {
    typed: Vec<char>,
    max_distance: usize,
    /// The nearest word so far with its distance and number of records; `None` in place of the word if two are equally near.
    best: Option<(usize, u64, Option<String>)>,
}

impl Spelling {
    /// A search for the word meant by `typed`.
    pub(super) fn new(typed: &str, max_distance: usize) -> Self {
        Self { typed: typed.chars().collect(), max_distance, best: None }
    }

    /// Whether a word is near enough to be considered.
    pub fn is_near(&self, word: &str) -> bool {
        let letters: Vec<char> = word.chars().collect();
        letters.len().abs_diff(self.typed.len()) <= self.max_distance
            && damerau_levenshtein(&self.typed, &letters) <= self.max_distance
    }

    /// Considers a word that `records` records have.
    pub fn consider(&mut self, word: &str, records: u64) {
        let letters: Vec<char> = word.chars().collect();
        if letters.len().abs_diff(self.typed.len()) > self.max_distance {
            return;
        }
        let distance = damerau_levenshtein(&self.typed, &letters);
        if distance > self.max_distance {
            return;
        }
        match &mut self.best {
            Some((nearest, most, best)) if *nearest == distance && *most == records => *best = None,
            // Of equally near words, the more frequent one.
            Some((nearest, most, _)) if (*nearest, records) < (distance, *most) => {}
            best => *best = Some((distance, records, Some(word.to_owned()))),
        }
    }

    /// The nearest word; `None` if no word is near, or several are equally near and frequent.
    pub(super) fn into_best(self) -> Option<String> {
        self.best.and_then(|(_, _, word)| word)
    }
}

/// The [Damerau–Levenshtein](https://doi.org/10.1145/363958.363994) distance: insertions, deletions, substitutions and swaps of
/// neighboring letters, none of which edits a letter twice (optimal string alignment).
fn damerau_levenshtein(a: &[char], b: &[char]) -> usize {
    // Rows of the table for one and two letters of `a` less.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_edits() {
        let distance = |a: &str, b: &str| {
            damerau_levenshtein(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>())
        };
        for (a, b, expected) in [
            ("chair", "chair", 0),
            ("chiar", "chair", 1),
            ("hcair", "chair", 1),
            ("chir", "chair", 1),
            ("chaair", "chair", 1),
            ("bycicle", "bicycle", 2),
            ("elefant", "elephant", 2),
            ("", "abc", 3),
            ("table", "lamp", 4),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn the_nearest_and_then_the_most_frequent_word_is_meant() {
        let meant = |typed: &str, vocabulary: &[(&str, u64)]| {
            let mut spelling = Spelling::new(typed, max_distance(typed)?);
            vocabulary.iter().for_each(|(word, records)| spelling.consider(word, *records));
            spelling.into_best()
        };
        let check = |typed: &str, vocabulary: &[(&str, u64)], expected: Option<&str>| {
            assert_eq!(meant(typed, vocabulary).as_deref(), expected, "{typed} {vocabulary:?}");
            let reversed: Vec<(&str, u64)> = vocabulary.iter().rev().copied().collect();
            assert_eq!(meant(typed, &reversed).as_deref(), expected, "{typed} {reversed:?}");
        };
        check("chiar", &[("chair", 1), ("char", 9), ("table", 50)], Some("char"));
        check("chiar", &[("chair", 9), ("char", 1)], Some("chair"));
        check("elefant", &[("elephant", 1), ("element", 9)], Some("element"));
        check("bycicle", &[("bicycle", 1), ("bicycles", 9)], Some("bicycle"));
        check("tabel", &[("label", 2), ("table", 2)], None);
        check("tabel", &[("label", 2), ("table", 2), ("tabel", 1)], Some("tabel"));
        check("chiar", &[("chairs", 9)], None);
        check("ab", &[("abc", 1)], None);
    }
}
