//! A small vocabulary of words and word pieces, for models trained on captions with few different words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::clean;

/// Greedy longest-match word pieces. Ids: 0 is padding, 1 the start, then the vocabulary, and the end of text last (the largest
/// id, as in CLIP).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct WordPieceTokenizer {
    vocabulary: Vec<String>,
    ids: BTreeMap<String, u32>,
}

/// Marks a piece that continues a word.
pub(super) const CONTINUATION_PREFIX: &str = "##";

/// Common endings of inflected words.
const SUFFIXES: [&str; 8] = ["##s", "##es", "##ed", "##ing", "##y", "##er", "##en", "##ish"];

impl WordPieceTokenizer {
    /// A vocabulary of the words of `texts`, with single characters and common endings, so that any word can be spelled.
    pub fn from_texts(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut words: std::collections::BTreeSet<String> = SUFFIXES.map(str::to_owned).into();
        // Single characters guarantee that every ASCII word can be spelled.
        for letter in ('a'..='z').chain('0'..='9') {
            words.insert(letter.to_string());
            words.insert(format!("{CONTINUATION_PREFIX}{letter}"));
        }
        for text in texts {
            words.extend(split(&clean(text.as_ref())).map(str::to_owned));
        }
        words.into_iter().collect::<Vec<_>>().into()
    }

    /// Number of ids, including three special ones.
    pub fn len(&self) -> usize {
        self.vocabulary.len() + 3
    }

    /// Always false: there are special ids.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Id of the token that ends a text, the largest.
    pub fn end(&self) -> u32 {
        self.len() as u32 - 1
    }

    /// The words of ids, with spaces between them, without start, end and padding.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut text = String::new();
        let piece = |id: &u32| self.vocabulary.get((*id as usize).checked_sub(2)?);
        for piece in ids.iter().filter_map(piece) {
            match piece.strip_prefix(CONTINUATION_PREFIX) {
                Some(rest) => text.push_str(rest),
                None if text.is_empty() => text.push_str(piece),
                None => text.extend([" ", piece]),
            }
        }
        text
    }

    /// Start, pieces, end.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut row = vec![1];
        for word in split(&clean(text)) {
            self.encode_word(word, &mut row);
        }
        // The end token has the largest id, as in CLIP: pooling finds it by argmax.
        row.push(self.end());
        row
    }

    /// Repeatedly takes the longest matching piece; characters without a piece are skipped.
    fn encode_word(&self, word: &str, row: &mut Vec<u32>) {
        let mut start = 0;
        while start < word.len() {
            match longest_match(&self.ids, word, start) {
                Some((end, id)) => {
                    row.push(id);
                    start = end;
                }
                None => start += word[start..].chars().next().map_or(1, char::len_utf8),
            }
        }
    }
}

/// The longest piece of a word from byte `start`: its end, and its id.
pub(super) fn longest_match(ids: &BTreeMap<String, u32>, word: &str, start: usize) -> Option<(usize, u32)> {
    let prefix = if start == 0 { "" } else { CONTINUATION_PREFIX };
    let ends = word[start..].char_indices().map(|(i, c)| start + i + c.len_utf8());
    ends.rev().find_map(|end| {
        let id = ids.get(&format!("{prefix}{}", &word[start..end]))?;
        Some((end, *id))
    })
}

/// Splits into runs of letters and digits, each truncated to 64 characters.
fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(|word| {
        let end = word.char_indices().nth(64).map_or(word.len(), |(i, _)| i);
        &word[..end]
    })
}

impl From<Vec<String>> for WordPieceTokenizer {
    fn from(vocabulary: Vec<String>) -> Self {
        // Ids 0 and 1 are padding and start.
        let ids = vocabulary.iter().enumerate().map(|(i, word)| (word.clone(), i as u32 + 2)).collect();
        Self { vocabulary, ids }
    }
}

impl From<WordPieceTokenizer> for Vec<String> {
    fn from(words: WordPieceTokenizer) -> Self {
        words.vocabulary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_are_spelled_with_pieces() {
        let words = WordPieceTokenizer::from_texts(["a red chair"]);
        let id = |piece: &str| words.ids[piece];
        assert_eq!(words.encode("Red chairs!")[1..4], [id("red"), id("chair"), id("##s")]);
        assert_eq!(words.encode("redo")[1..3], [id("red"), id("##o")]);
        assert_eq!(words.decode(&words.encode("Redo a chair!")), "redo a chair");
    }

    #[test]
    fn characters_without_a_piece_are_skipped() {
        let words = WordPieceTokenizer::from_texts(["chair"]);
        assert_eq!(words.encode("椅子").len(), 2);
    }

    #[test]
    fn the_end_is_the_largest_id() {
        let words = WordPieceTokenizer::from_texts(["a red chair"]);
        let row = words.encode("chair");
        assert_eq!(row.last(), row.iter().max());
    }
}
