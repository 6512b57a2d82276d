//! BERT's uncased word pieces, from a `vocab.txt`: one piece per line, whose number is the id.

use std::collections::BTreeMap;
use std::path::Path;

use fs_err as fs;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::word_piece::{CONTINUATION_PREFIX, longest_match};

/// Special tokens, omitted in text.
const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
/// Replaces words that no pieces spell.
const UNKNOWN: &str = "[UNK]";
/// Longer words are unknown.
const MAX_WORD_CHARS: usize = 100;
/// Largest vocabulary file in bytes; BERT's has 230 KB.
const MAX_VOCAB_BYTES: u64 = 16 << 20;
/// Punctuation and endings that are joined to the word before (`clean_up_tokenization` of `transformers`).
const CLEANUP_RULES: [(&str, &str); 10] = [
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
];

/// BERT's uncased tokenizer ([arXiv 1810.04805](https://arxiv.org/abs/1810.04805)).
#[derive(Clone, Debug)]
pub struct BertTokenizer {
    pieces: Vec<String>,
    ids: BTreeMap<String, u32>,
    unknown: u32,
}

impl BertTokenizer {
    /// Reads a `vocab.txt`.
    ///
    /// # Errors
    /// Describes what is wrong with the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        Self::from_lines(read_bounded(path)?.lines())
    }

    /// Reads the vocabulary of a `tokenizer.json` in the format of Hugging Face's `tokenizers`.
    ///
    /// # Errors
    /// Describes what is wrong with the file.
    pub fn read_json(path: &Path) -> Result<Self, String> {
        let text = read_bounded(path)?;
        let file: TokenizerFile = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let mut pieces: Vec<(u32, String)> =
            file.model.vocab.into_iter().map(|(piece, id)| (id, piece)).collect();
        pieces.sort_unstable();
        if pieces.iter().enumerate().any(|(i, (id, _))| *id as usize != i) {
            return Err("its ids are not consecutive numbers from 0".to_owned());
        }
        Self::from_lines(pieces.iter().map(|(_, piece)| piece.as_str()))
    }

    /// A vocabulary of pieces, whose ids are their positions.
    ///
    /// # Errors
    /// If there is no piece for unknown words, `[UNK]`.
    pub fn from_pieces(pieces: &[String]) -> Result<Self, String> {
        Self::from_lines(pieces.iter().map(String::as_str))
    }

    /// The pieces, in the order of their ids.
    pub fn pieces(&self) -> &[String] {
        &self.pieces
    }

    /// The id of a piece or special token.
    pub fn id(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    fn from_lines<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let pieces: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
        let ids: BTreeMap<String, u32> =
            pieces.iter().enumerate().map(|(id, piece)| (piece.clone(), id as u32)).collect();
        let unknown = *ids.get(UNKNOWN).ok_or_else(|| format!("it has no line {UNKNOWN}"))?;
        Ok(Self { pieces, ids, unknown })
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether the vocabulary is empty.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Token ids of a text, without special tokens around them.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        for word in words(text) {
            let before = ids.len();
            // A word that pieces cannot spell in full is one unknown token, not some of its pieces.
            if word.chars().count() > MAX_WORD_CHARS || !self.encode_word(&word, &mut ids) {
                ids.truncate(before);
                ids.push(self.unknown);
            }
        }
        ids
    }

    /// Repeatedly takes the longest matching piece; returns whether the pieces spell the whole word.
    fn encode_word(&self, word: &str, ids: &mut Vec<u32>) -> bool {
        let mut start = 0;
        while start < word.len() {
            let Some((end, id)) = longest_match(&self.ids, word, start) else { return false };
            ids.push(id);
            start = end;
        }
        true
    }

    /// The text of token ids, as in `transformers`: without special tokens, pieces joined, no space before punctuation. Ids
    /// beyond the vocabulary are special tokens that a model has added.
    pub fn decode(&self, ids: &[u32]) -> String {
        let pieces = ids.iter().filter_map(|id| self.pieces.get(*id as usize));
        let mut text = String::new();
        for piece in pieces.filter(|piece| !SPECIAL_TOKENS.contains(&piece.as_str())) {
            match piece.strip_prefix(CONTINUATION_PREFIX) {
                Some(rest) if !text.is_empty() => text.push_str(rest),
                _ => {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    text.push_str(piece);
                }
            }
        }
        // Rules are applied in order, as `clean_up_tokenization` does.
        CLEANUP_RULES.iter().fold(text, |text, (apart, joined)| text.replace(apart, joined))
    }
}

/// The text of a file of at most [`MAX_VOCAB_BYTES`].
fn read_bounded(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_VOCAB_BYTES {
        return Err(format!("it has {size} bytes, expected at most {MAX_VOCAB_BYTES}"));
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}

/// The part of a `tokenizer.json` that is read.
#[derive(Deserialize)]
struct TokenizerFile {
    model: TokenizerModel,
}

#[derive(Deserialize)]
struct TokenizerModel {
    vocab: BTreeMap<String, u32>,
}

/// Splits into words, in lower case and without accents; punctuation marks and Chinese characters are single words.
fn words(text: &str) -> Vec<String> {
    let small: String = text.chars().flat_map(char::to_lowercase).collect();
    // Lower case before decomposition, as in transformers.
    let bare = small.nfd().filter(|c| !is_combining_mark(*c));
    let mut words = vec![String::new()];
    for c in bare.filter(|c| *c != '\0' && *c != '\u{fffd}') {
        if c.is_whitespace() || c.is_control() {
            words.push(String::new());
        } else if is_punctuation(c) || is_chinese(c) {
            words.extend([c.to_string(), String::new()]);
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// ASCII punctuation and symbols, and the common blocks of Unicode punctuation.
fn is_punctuation(c: char) -> bool {
    let beyond = ['¡', '§', '«', '¶', '·', '»', '¿'];
    let block = matches!(u32::from(c), 0x2010..=0x2027 | 0x2030..=0x205E | 0x3001..=0x3003 | 0x3008..=0x3011);
    c.is_ascii_punctuation() || block || beyond.contains(&c)
}

/// The blocks of ideographs that BERT splits.
fn is_chinese(c: char) -> bool {
    matches!(u32::from(c), 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2CEAF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> BertTokenizer {
        BertTokenizer::from_lines("[PAD] [UNK] [SEP] chair ##s a ' s . red cafe".split(' ')).unwrap()
    }

    #[test]
    fn words_are_spelled_or_unknown() {
        let words = tiny();
        assert_eq!(words.encode("A red CHAIRS."), [5, 9, 3, 4, 8]);
        assert_eq!(words.encode("  Café\tchairx "), [10, 1]);
        assert!(words.encode("").is_empty());
        assert!(BertTokenizer::from_lines("chair".lines()).unwrap_err().contains("[UNK]"));
    }

    #[test]
    fn ids_become_sentences() {
        let words = tiny();
        assert_eq!(words.decode(&[5, 3, 6, 7, 9, 8, 2, 0, 99]), "a chair's red.");
        assert_eq!(words.decode(&[4, 4]), "##ss");
    }
}
