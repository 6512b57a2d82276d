//! Tokenizers: text → token ids.

mod bert;
mod byte_pair;
mod characters;
mod clean;
mod sentence_piece;
mod split;
mod word_piece;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

pub use bert::BertTokenizer;
pub use byte_pair::BytePairTokenizer;
pub use clean::clean;
pub use word_piece::WordPieceTokenizer;

/// Longer texts are truncated before tokenizing; no context is nearly as long.
const MAX_CHARACTERS: usize = 10_000;

/// Token ids of a batch of texts, `[texts, length]`, padded with 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    ids: Vec<u32>,
    length: usize,
}

impl Tokens {
    /// Rows of `length` ids, at least one. Panics if the number of ids is not a multiple of it.
    pub fn new(ids: Vec<u32>, length: usize) -> Self {
        assert!(length > 0 && ids.len().is_multiple_of(length), "{} ids are no rows of {length}", ids.len());
        Self { ids, length }
    }

    /// All ids, row by row.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Tokens per row.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Number of texts.
    pub fn rows(&self) -> usize {
        self.ids.len() / self.length
    }

    /// Position of the end-of-text token of a row, which is its first largest id.
    pub fn end(&self, row: usize) -> usize {
        let ids = &self.ids[row * self.length..(row + 1) * self.length];
        // `max_by_key` returns the last of equals; reversed, that is the first.
        (0..ids.len()).rev().max_by_key(|i| ids[*i]).unwrap_or(0)
    }

    /// Removes the padding that all rows share. Attention is causal, so features do not change.
    pub fn trimmed(&self) -> Self {
        let length = (0..self.rows()).map(|row| self.end(row) + 1).max().unwrap_or(1);
        let ids = self.ids.chunks(self.length).flat_map(|row| row[..length].iter().copied()).collect();
        Self { ids, length }
    }
}

/// The tokenizer of a text tower.
///
/// ```
/// use lexiform_model::tokenizer::Tokenizer;
///
/// let tokens = Tokenizer::Clip.encode(&["a chair"], 77);
/// assert_eq!(tokens.ids()[..4], [49406, 320, 4269, 49407]);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
// Adjacently tagged: a list of words cannot be part of the tag's own table.
#[serde(tag = "kind", content = "words", rename_all = "kebab-case")]
pub enum Tokenizer {
    /// CLIP's byte-pair encoding ([arXiv 1508.07909](https://arxiv.org/abs/1508.07909)).
    Clip,
    /// Whole words and word pieces of a small vocabulary.
    #[serde(rename = "words")]
    WordPiece(WordPieceTokenizer),
}

/// Endings of inflected words that [`Tokenizer::has_word`] looks past.
const INFLECTIONS: [&str; 4] = ["s", "es", "ed", "ing"];

/// Size of CLIP's vocabulary.
const CLIP_VOCABULARY: usize = 49_408;

impl Tokenizer {
    /// Size of the vocabulary.
    pub fn vocabulary(&self) -> usize {
        match self {
            Self::Clip => CLIP_VOCABULARY,
            Self::WordPiece(words) => words.len(),
        }
    }

    /// Whether a word in lower case, or the word that it inflects, is one token. Other words are spelled in pieces.
    pub fn has_word(&self, word: &str) -> bool {
        let is_token = |word: &str| {
            let tokens = match self {
                Self::Clip => encode_clip(word),
                Self::WordPiece(words) => words.encode(word),
            };
            // Start, word, end. Tokens of single letters spell any word.
            tokens.len() == 3 && word.chars().count() > 1
        };
        is_token(word) || INFLECTIONS.iter().any(|ending| word.strip_suffix(ending).is_some_and(is_token))
    }

    /// Texts → token ids `[texts, context]`: start, text, end, padding. Longer texts are truncated before the end token.
    pub fn encode(&self, texts: &[&str], context: usize) -> Tokens {
        let ids = texts.iter().flat_map(|text| {
            let text: String = text.chars().take(MAX_CHARACTERS).collect();
            let mut row = match self {
                Self::Clip => encode_clip(&text),
                Self::WordPiece(words) => words.encode(&text),
            };
            let end = *row.last().expect("every text has an end");
            if row.len() > context {
                row.truncate(context);
                // A truncated text must still end: features are read at the end token.
                row[context - 1] = end;
            }
            row.resize(context, 0);
            row
        });
        Tokens::new(ids.collect(), context)
    }
}

/// The vocabulary, parsed once per process.
fn clip_vocabulary() -> &'static instant_clip_tokenizer::Tokenizer {
    static VOCABULARY: OnceLock<instant_clip_tokenizer::Tokenizer> = OnceLock::new();
    VOCABULARY.get_or_init(instant_clip_tokenizer::Tokenizer::new)
}

fn encode_clip(text: &str) -> Vec<u32> {
    let vocabulary = clip_vocabulary();
    let mut tokens = vec![vocabulary.start_of_text()];
    vocabulary.encode(&clean(text), &mut tokens);
    tokens.push(vocabulary.end_of_text());
    tokens.into_iter().map(|token| u32::from(token.to_u16())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncated_texts_keep_the_end_token() {
        let tokens = Tokenizer::Clip.encode(&["chair ".repeat(200).as_str()], 77);
        assert_eq!(tokens.ids()[76], 49407);
        assert_eq!(tokens.end(0), 76);
    }

    #[test]
    fn every_tokenizer_survives_json() {
        for tokenizer in
            [Tokenizer::Clip, Tokenizer::WordPiece(WordPieceTokenizer::from_texts(["a red chair"]))]
        {
            let text = serde_json::to_string(&tokenizer).unwrap();
            let read: Tokenizer = serde_json::from_str(&text).unwrap();
            assert_eq!(
                read.encode(&["red chair"], 9).ids(),
                tokenizer.encode(&["red chair"], 9).ids(),
                "{text}"
            );
        }
    }

    #[test]
    fn words_of_one_token_are_known() {
        let words = Tokenizer::WordPiece(WordPieceTokenizer::from_texts(["a red chair"]));
        for tokenizer in [Tokenizer::Clip, words] {
            for (word, is_known) in [("chair", true), ("chairs", true), ("chiar", false), ("elefant", false)]
            {
                assert_eq!(tokenizer.has_word(word), is_known, "{word}");
            }
            assert!(!tokenizer.has_word("") && !tokenizer.has_word("s"));
        }
    }

    #[test]
    fn trimming_keeps_every_end() {
        let tokens = Tokenizer::Clip.encode(&["a chair", "a"], 77).trimmed();
        assert_eq!((tokens.rows(), tokens.length()), (2, 4));
        assert_eq!((tokens.end(0), tokens.end(1)), (3, 2));
    }
}
