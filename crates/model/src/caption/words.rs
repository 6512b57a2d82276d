//! The tokenizers of captioners.

use crate::lm::EndTokens;
use crate::tokenizer::{BytePairTokenizer, WordPieceTokenizer};

/// The words of a captioner.
#[derive(Clone, Debug)]
pub(super) enum CaptionWords {
    /// Those of its training captions.
    Words(WordPieceTokenizer),
    /// Those of a language model of others.
    BytePair(BytePairTokenizer),
}

impl CaptionWords {
    /// Ids of a text, without special tokens around them.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        match self {
            Self::Words(words) => {
                let ids = words.encode(text);
                ids[1..ids.len() - 1].to_vec()
            }
            Self::BytePair(pairs) => pairs.encode(text),
        }
    }

    /// Ids that start every text.
    pub fn start(&self) -> Vec<u32> {
        match self {
            Self::Words(_) => Vec::new(),
            Self::BytePair(pairs) => pairs.start().to_vec(),
        }
    }

    /// The text of ids, without spaces around it.
    pub fn decode(&self, ids: &[u32]) -> String {
        match self {
            Self::Words(words) => words.decode(ids),
            Self::BytePair(pairs) => pairs.decode(ids).trim().to_owned(),
        }
    }

    /// The token that ends a caption: the first of `stated`, or a line break, as in BLIP-2.
    pub fn end(&self, stated: EndTokens) -> Option<u32> {
        match self {
            Self::Words(words) => Some(words.end()),
            Self::BytePair(pairs) => stated.ids().next().or_else(|| pairs.encode("\n").last().copied()),
        }
    }
}
