//! Text → token ids.

mod bert;
mod clean;
mod words;

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

pub use bert::BertWords;
pub use clean::clean;
pub use words::WordPieces;

/// Longer texts are cut before tokenizing; no context is near this long.
const MAX_CHARACTERS: usize = 10_000;

/// Rows of token ids of one length, padded with 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    ids: Vec<u32>,
    length: usize,
}

impl Tokens {
    /// Rows of one length; every row is at least one token long.
    pub fn new(ids: Vec<u32>, length: usize) -> Self {
        assert!(length > 0 && ids.len().is_multiple_of(length), "{} ids are no rows of {length}", ids.len());
        Self { ids, length }
    }

    /// All ids, row by row.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Tokens in a row.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Number of texts.
    pub fn rows(&self) -> usize {
        self.ids.len() / self.length
    }

    /// Where a row is read out: its first largest id, which is the end of the text.
    pub fn end(&self, row: usize) -> usize {
        let ids = &self.ids[row * self.length..(row + 1) * self.length];
        (0..ids.len()).rev().max_by_key(|i| ids[*i]).unwrap_or(0)
    }

    /// The rows without the padding that all of them share. Attention is causal, so nothing else changes.
    pub fn trimmed(&self) -> Self {
        let length = (0..self.rows()).map(|row| self.end(row) + 1).max().unwrap_or(1);
        let ids = self.ids.chunks(self.length).flat_map(|row| row[..length].iter().copied()).collect();
        Self { ids, length }
    }
}

/// The tokenizer of a text tower.
#[derive(Clone, Debug, Serialize, Deserialize)]
// Tagged beside the content: a list of words has no place inside the tag's own table.
#[serde(tag = "kind", content = "words", rename_all = "kebab-case")]
pub enum Tokenizer {
    /// CLIP's byte-pair encoding.
    Clip,
    /// Whole words and word pieces of a small vocabulary.
    Words(WordPieces),
}

/// Ids of CLIP's vocabulary.
const CLIP_VOCABULARY: usize = 49_408;

impl Tokenizer {
    /// Number of different ids.
    pub fn vocabulary(&self) -> usize {
        match self {
            Self::Clip => CLIP_VOCABULARY,
            Self::Words(words) => words.len(),
        }
    }

    /// Texts → rows of `context` ids: start, text, end, padding. Longer texts are cut and still end.
    pub fn encode(&self, texts: &[&str], context: usize) -> Tokens {
        let ids = texts.iter().flat_map(|text| {
            let text: String = text.chars().take(MAX_CHARACTERS).collect();
            let mut row = match self {
                Self::Clip => encode_clip(&text),
                Self::Words(words) => words.encode(&text),
            };
            let end = *row.last().expect("every text has an end");
            if row.len() > context {
                row.truncate(context);
                row[context - 1] = end;
            }
            row.resize(context, 0);
            row
        });
        Tokens::new(ids.collect(), context)
    }
}

/// The vocabulary is parsed once a process.
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
    fn a_text_that_is_too_long_still_ends() {
        let tokens = Tokenizer::Clip.encode(&["chair ".repeat(200).as_str()], 77);
        assert_eq!(tokens.ids()[76], 49407);
        assert_eq!(tokens.end(0), 76);
    }

    #[test]
    fn every_tokenizer_survives_json() {
        for tokenizer in [Tokenizer::Clip, Tokenizer::Words(WordPieces::from_texts(["a red chair"]))] {
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
    fn trimming_keeps_every_end() {
        let tokens = Tokenizer::Clip.encode(&["a chair", "a"], 77).trimmed();
        assert_eq!((tokens.rows(), tokens.length()), (2, 4));
        assert_eq!((tokens.end(0), tokens.end(1)), (3, 2));
    }
}
