//! The tokenizers of BLIP and BLIP-2, from the file next to the weights.

use crate::tokenizer::{BertTokenizer, BytePairTokenizer};
use crate::weights::{WeightFile, WeightsError};

/// The vocabulary file of BLIP.
const VOCAB_FILE: &str = "vocab.txt";
/// The vocabulary file of BLIP-2's language models.
const TOKENIZER_FILE: &str = "tokenizer.json";

/// The tokenizer of a captioner.
#[derive(Clone, Debug)]
pub enum CaptionTokenizer {
    /// BERT's word pieces (BLIP).
    Bert(BertTokenizer),
    /// Byte pairs (BLIP-2 with OPT).
    BytePair(BytePairTokenizer),
}

impl CaptionTokenizer {
    /// Reads `vocab.txt` or, for BLIP-2, `tokenizer.json` in the folder of the weights; the network knows `vocabulary` ids.
    pub(super) fn read(file: &WeightFile, is_blip_2: bool, vocabulary: usize) -> Result<Self, WeightsError> {
        let name = if is_blip_2 { TOKENIZER_FILE } else { VOCAB_FILE };
        let path = file.path().with_file_name(name);
        let failed = |message: String| WeightsError::CompanionFile {
            path: file.path().to_owned(),
            file: name.to_owned(),
            message,
        };
        let tokenizer = match is_blip_2 {
            true => BytePairTokenizer::read(&path).map(Self::BytePair),
            false => BertTokenizer::read(&path).map(Self::Bert),
        };
        let tokenizer = tokenizer.map_err(failed)?;
        match tokenizer.len() <= vocabulary {
            true => Ok(tokenizer),
            false => Err(failed(format!("it has {} words, the network knows {vocabulary}", tokenizer.len()))),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Bert(words) => words.len(),
            Self::BytePair(pairs) => pairs.len(),
        }
    }

    /// Token ids of a text, without special tokens around them.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        match self {
            Self::Bert(words) => words.encode(text),
            Self::BytePair(pairs) => pairs.encode(text),
        }
    }

    /// The text of token ids, without special tokens and without spaces around it.
    pub fn decode(&self, ids: &[u32]) -> String {
        match self {
            Self::Bert(words) => words.decode(ids),
            Self::BytePair(pairs) => pairs.decode(ids).trim().to_owned(),
        }
    }
}
