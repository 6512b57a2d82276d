//! Byte-pair encoding, of bytes (GPT-2, OPT, Phi, Qwen, Llama 3) or of characters (Llama 1 and 2, Mistral, Vicuna), from a
//! `tokenizer.json` of Hugging Face's `tokenizers`.

use std::collections::HashMap;
use std::path::Path;

use fs_err as fs;
use serde::Deserialize;
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::characters::{Characters, prefix_space};
use super::sentence_piece::{Piece, PieceKind, PieceModel, read_pieces};
use super::split::SplitPattern;

/// Largest file in bytes; those of published models have up to 20 MB.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// A byte-pair tokenizer ([Radford et al. 2019](https://cdn.openai.com/better-language-models/language_models.pdf),
/// section 2.2).
#[derive(Clone, Debug)]
pub struct BytePairTokenizer {
    /// Bytes of each token by id; `None` for special tokens and unused ids.
    tokens: Vec<Option<Vec<u8>>>,
    ids: HashMap<Vec<u8>, u32>,
    merges: Merges,
    /// Tokens that are found in the text before it is split, longest first.
    added: Vec<(String, u32)>,
    units: Units,
    /// Tokens that start every text.
    start: Vec<u32>,
}

/// The smallest parts of a text.
#[derive(Clone, Debug)]
enum Units {
    /// Bytes, in words that are encoded one by one.
    Bytes(WordSplit),
    /// Characters.
    Characters(Characters),
}

/// How a text becomes the words that are encoded one by one.
#[derive(Clone, Copy, Debug, PartialEq)]
struct WordSplit {
    pattern: SplitPattern,
    /// Whether a space is put before the first word.
    add_prefix_space: bool,
    /// Whether characters are composed first (Unicode's NFC).
    is_composed: bool,
}

/// Rank and id of the merge of two tokens; lower ranks are merged first.
type Merges = HashMap<(u32, u32), (usize, u32)>;

#[derive(Deserialize)]
struct TokenizerFile {
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    #[serde(default)]
    normalizer: Option<Value>,
    #[serde(default)]
    pre_tokenizer: Option<Value>,
    #[serde(default)]
    post_processor: Option<Value>,
    model: Model,
}

#[derive(Deserialize)]
struct AddedToken {
    id: u32,
    content: String,
    #[serde(default)]
    special: bool,
}

#[derive(Deserialize)]
struct PreTokenizer {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    add_prefix_space: bool,
    #[serde(default = "always")]
    use_regex: bool,
    /// Of `Split`.
    #[serde(default)]
    pattern: Option<RegexPattern>,
    #[serde(default)]
    behavior: Option<String>,
    #[serde(default)]
    invert: bool,
    /// Of `Sequence`.
    #[serde(default)]
    pretokenizers: Vec<PreTokenizer>,
}

#[derive(Deserialize)]
struct RegexPattern {
    #[serde(default, rename = "Regex")]
    regex: Option<String>,
}

#[derive(Deserialize)]
struct Model {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    byte_fallback: bool,
    #[serde(default)]
    unk_token: Option<String>,
    vocab: HashMap<String, u32>,
    merges: Vec<Merge>,
}

/// Written as `"a b"` by older versions, as `["a", "b"]` by newer ones.
#[derive(Deserialize)]
#[serde(untagged)]
enum Merge {
    Text(String),
    Pair([String; 2]),
}

fn always() -> bool {
    true
}

impl Merge {
    fn pair(&self) -> Option<(&str, &str)> {
        match self {
            Self::Text(text) => text.split_once(' '),
            Self::Pair([a, b]) => Some((a, b)),
        }
    }
}

impl BytePairTokenizer {
    /// Reads a `tokenizer.json`, or a `tokenizer.model` of SentencePiece, with `added_tokens.json` next to it if there is one.
    ///
    /// # Errors
    /// Describes what is wrong with the file: it is not readable, or its tokenizer is not a byte-pair encoding of bytes, or of
    /// characters with bytes as a fallback.
    pub fn read(path: &Path) -> Result<Self, String> {
        if path.extension().is_some_and(|extension| extension == "model") {
            return read_pieces(path).map(Self::of_pieces);
        }
        let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
        if size > MAX_FILE_BYTES {
            return Err(format!("it has {size} bytes, expected at most {MAX_FILE_BYTES}"));
        }
        let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
        let file: TokenizerFile = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        Self::from_file(file)
    }

    fn from_file(file: TokenizerFile) -> Result<Self, String> {
        let (units, start) = (file.units()?, file.start_tokens());
        let bytes = byte_of_char();
        let token_bytes = |text: &str| match &units {
            Units::Bytes(_) => text.chars().map(|c| bytes.get(&c).copied()).collect(),
            Units::Characters(_) => Characters::token_text(text),
        };
        let most = file.model.vocab.values().chain(file.added_tokens.iter().map(|token| &token.id)).max();
        // Ids index a table: a damaged file must not request gigabytes.
        let count = most.map_or(0, |id| *id as usize + 1);
        if count > 2 * (file.model.vocab.len() + file.added_tokens.len()) {
            return Err(format!(
                "token ids go up to {}, but it has {} tokens",
                count - 1,
                file.model.vocab.len()
            ));
        }
        let special: Vec<u32> = file.added_tokens.iter().filter(|t| t.special).map(|t| t.id).collect();
        let mut tokens = vec![None; count];
        let mut ids = HashMap::new();
        for (text, id) in &file.model.vocab {
            // Special tokens such as `</s>` are in the vocabulary too, but no text becomes one.
            let Some(token) = token_bytes(text) else { continue };
            if !special.contains(id) {
                tokens[*id as usize] = Some(token.clone());
                // Of two tokens of the same text, always the same one.
                let known = ids.entry(token).or_insert(*id);
                *known = (*known).min(*id);
            }
        }
        for token in file.added_tokens.iter().filter(|token| !token.special) {
            tokens[token.id as usize] = Some(token.content.clone().into_bytes());
        }
        let merges = file.model.merges(&ids, &token_bytes)?;
        let mut added: Vec<(String, u32)> = file
            .added_tokens
            .into_iter()
            .filter(|t| !t.content.is_empty())
            .map(|t| (t.content, t.id))
            .collect();
        sort_added(&mut added);
        Ok(Self { tokens, ids, merges, added, units, start })
    }

    /// A tokenizer of characters, from the vocabulary of SentencePiece and tokens that were added to it: pairs are merged if they are
    /// a piece, that of the highest score first.
    fn of_pieces(PieceModel { pieces, prefix, added }: PieceModel) -> Self {
        let named = || pieces.iter().enumerate().map(|(id, piece)| (piece, id as u32));
        let mut tokens = vec![None; pieces.len() + added.len()];
        let mut ids = HashMap::new();
        for (piece, id) in named().filter(|(piece, _)| piece.kind == PieceKind::Normal) {
            if let Some(text) = Characters::token_text(&piece.text) {
                tokens[id as usize] = Some(text.clone());
                ids.entry(text).or_insert(id);
            }
        }
        let unknown = pieces.iter().find(|piece| piece.kind == PieceKind::Unknown);
        let bytes = named().filter(|(piece, _)| piece.kind != PieceKind::Normal);
        let bytes = bytes.map(|(piece, id)| (piece.text.as_str(), id));
        let units = Characters::new(prefix, bytes, unknown.map(|piece| piece.text.as_str()));
        let controls = || named().filter(|(piece, _)| piece.kind == PieceKind::Control);
        let mut added: Vec<(String, u32)> =
            controls().map(|(piece, id)| (piece.text.clone(), id)).chain(added).collect();
        sort_added(&mut added);
        // As `add_bos_token` of Llama.
        let start = controls().find(|(piece, _)| piece.text == "<s>").map(|(_, id)| id);
        let merges = merges_of_pieces(&pieces, &ids);
        Self {
            tokens,
            ids,
            merges,
            added,
            units: Units::Characters(units),
            start: start.into_iter().collect(),
        }
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The special tokens that start every text.
    pub fn start(&self) -> &[u32] {
        &self.start
    }

    /// Token ids of a text, without special tokens around them.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ids = Vec::new();
        let mut rest = text;
        // Added tokens are cut out first; the longest of those that start at the same place.
        while let Some((at, content, id)) = self.next_added(rest) {
            self.encode_plain(&rest[..at], rest.len() == text.len(), &mut ids);
            ids.push(id);
            rest = &rest[at + content..];
        }
        self.encode_plain(rest, rest.len() == text.len(), &mut ids);
        ids
    }

    /// Position, length and id of the first added token.
    fn next_added(&self, text: &str) -> Option<(usize, usize, u32)> {
        let found =
            self.added.iter().filter_map(|(content, id)| Some((text.find(content)?, content.len(), *id)));
        // Stable among equal positions: the list has the longest first.
        found.min_by_key(|(at, ..)| *at)
    }

    /// Encodes a part of a text between added tokens.
    fn encode_plain(&self, text: &str, is_first: bool, ids: &mut Vec<u32>) {
        let id = |bytes: &[u8]| self.ids.get(bytes).copied();
        match &self.units {
            _ if text.is_empty() => {}
            Units::Characters(units) => {
                ids.extend(self.merged(units.units(&units.prefixed(text, is_first), id)));
            }
            Units::Bytes(words) => {
                let composed = words.is_composed.then(|| text.nfc().collect::<String>());
                let text = composed.as_deref().unwrap_or(text);
                let spaced = format!(" {text}");
                let needs_space = words.add_prefix_space && !text.starts_with(char::is_whitespace);
                for word in words.pattern.split(if needs_space { &spaced } else { text }) {
                    // A vocabulary has all bytes; one that lacks some drops them, as `tokenizers` does without an unknown token.
                    ids.extend(self.merged(word.bytes().filter_map(|byte| id(&[byte])).collect()));
                }
            }
        }
    }

    /// Merges the pair of lowest rank until none is left.
    fn merged(&self, mut parts: Vec<u32>) -> Vec<u32> {
        loop {
            let rank =
                |at: usize| self.merges.get(&(parts[at], parts[at + 1])).map(|(rank, id)| (*rank, at, *id));
            let Some((_, at, id)) = (0..parts.len().saturating_sub(1)).filter_map(rank).min() else {
                return parts;
            };
            parts[at] = id;
            parts.remove(at + 1);
        }
    }

    /// The text of token ids, without special tokens. Bytes that are not UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        let text = |id: u32| self.tokens.get(id as usize)?.as_deref();
        match &self.units {
            Units::Characters(units) => units.decode(ids, text),
            Units::Bytes(_) => {
                let tokens: Vec<&[u8]> = ids.iter().filter_map(|id| text(*id)).collect();
                String::from_utf8_lossy(&tokens.concat()).into_owned()
            }
        }
    }
}

/// The longest token first, of those that start at the same place in a text.
fn sort_added(added: &mut [(String, u32)]) {
    added.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.1.cmp(&b.1)));
}

/// All pairs whose text is a piece; those of equal scores have equal ranks, so that the first in the text is merged.
fn merges_of_pieces(pieces: &[Piece], ids: &HashMap<Vec<u8>, u32>) -> Merges {
    let mut scores: Vec<f32> = pieces.iter().map(|piece| piece.score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    scores.dedup();
    let mut merges = HashMap::new();
    for (text, id) in ids {
        let score = pieces[*id as usize].score;
        let rank = scores.partition_point(|other| *other > score);
        for at in 1..text.len() {
            if let (Some(left), Some(right)) = (ids.get(&text[..at]), ids.get(&text[at..])) {
                merges.insert((*left, *right), (rank, *id));
            }
        }
    }
    merges
}

impl TokenizerFile {
    /// Checks that it is a byte-pair encoding of bytes or characters; returns the smallest parts of a text.
    fn units(&self) -> Result<Units, String> {
        let kind = self.model.kind.as_deref().unwrap_or("BPE");
        if kind != "BPE" {
            return Err(format!("expected a BPE model, found {kind}"));
        }
        let normalizer = self.normalizer.as_ref().unwrap_or(&Value::Null);
        if self.model.byte_fallback {
            let prefix = prefix_space(normalizer, self.pre_tokenizer.as_ref().unwrap_or(&Value::Null))?;
            let vocabulary = self.model.vocab.iter().map(|(token, id)| (token.as_str(), *id));
            let unknown = self.model.unk_token.as_deref();
            return Ok(Units::Characters(Characters::new(prefix, vocabulary, unknown)));
        }
        let is_composed = match normalizer["type"].as_str() {
            None if normalizer.is_null() => false,
            Some("NFC") => true,
            other => {
                return Err(format!(
                    "expected a byte-level BPE model without a normalizer, or NFC, found {}",
                    other.unwrap_or("unknown")
                ));
            }
        };
        let pre: Option<PreTokenizer> =
            self.pre_tokenizer.clone().map(serde_json::from_value).transpose().map_err(|e| e.to_string())?;
        let found = || pre.as_ref().map_or("none", |pre| pre.kind.as_str()).to_owned();
        let split = pre.as_ref().and_then(PreTokenizer::split);
        let (pattern, add_prefix_space) = split.ok_or_else(|| {
            format!("expected the pre-tokenizer ByteLevel, or a known pattern before it, found {}", found())
        })?;
        Ok(Units::Bytes(WordSplit { pattern, add_prefix_space, is_composed }))
    }

    /// Special tokens before the text in the template of a single text, which may be one of several steps.
    fn start_tokens(&self) -> Vec<u32> {
        let Some(post) = &self.post_processor else { return Vec::new() };
        let steps = post["processors"].as_array().map_or(std::slice::from_ref(post), Vec::as_slice);
        let template = steps.iter().find(|step| step["type"] == "TemplateProcessing");
        let Some((template, single)) = template.and_then(|step| Some((step, step["single"].as_array()?)))
        else {
            return Vec::new();
        };
        let names = single.iter().map_while(|piece| piece["SpecialToken"]["id"].as_str());
        let ids = names.filter_map(|name| template["special_tokens"][name]["ids"].as_array());
        ids.flatten().filter_map(|id| u32::try_from(id.as_u64()?).ok()).collect()
    }
}

impl PreTokenizer {
    /// The pattern, and whether a space is put first: `ByteLevel` with its own pattern, or after `Split` with another.
    fn split(&self) -> Option<(SplitPattern, bool)> {
        match (self.kind.as_str(), self.pretokenizers.as_slice()) {
            ("ByteLevel", _) if self.use_regex => Some((SplitPattern::Gpt2, self.add_prefix_space)),
            ("Sequence", [only]) => only.split(),
            ("Sequence", [split, bytes]) => {
                let is_plain = split.kind == "Split" && !split.invert && bytes.kind == "ByteLevel";
                let is_isolated = split.behavior.as_deref() == Some("Isolated");
                let regex = split.pattern.as_ref()?.regex.as_deref()?;
                let pattern =
                    SplitPattern::of_regex(regex).filter(|_| is_plain && is_isolated && !bytes.use_regex)?;
                Some((pattern, bytes.add_prefix_space))
            }
            _ => None,
        }
    }
}

impl Model {
    /// Rank and result of each merge, by ids.
    fn merges(
        &self,
        ids: &HashMap<Vec<u8>, u32>,
        token: &dyn Fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Merges, String> {
        let mut merges = HashMap::new();
        for (rank, merge) in self.merges.iter().enumerate() {
            let parts = merge.pair().and_then(|(a, b)| Some((token(a)?, token(b)?)));
            let merged = parts.as_ref().and_then(|(a, b)| {
                Some(((*ids.get(a)?, *ids.get(b)?), *ids.get(&[a.as_slice(), b].concat())?))
            });
            let (pair, id) =
                merged.ok_or_else(|| format!("merge {rank} joins tokens that are not in the vocabulary"))?;
            merges.entry(pair).or_insert((rank, id));
        }
        Ok(merges)
    }
}

/// GPT-2's table: printable characters stand for their own byte, the other bytes for characters from U+0100 on.
fn byte_of_char() -> HashMap<char, u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    let mut next = 0x100;
    let mut table = HashMap::with_capacity(256);
    for byte in 0..=255_u8 {
        let code = if printable(byte) {
            u32::from(byte)
        } else {
            next += 1;
            next - 1
        };
        // Codes end at U+0143, long before surrogates.
        table.extend(char::from_u32(code).map(|c| (c, byte)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny(model: &str) -> Result<BytePairTokenizer, String> {
        let file = format!(
            r#"{{"added_tokens": [{{"id": 5, "content": "</s>", "special": true}}],
                "pre_tokenizer": {{"type": "ByteLevel", "add_prefix_space": false}}, "model": {model}}}"#
        );
        BytePairTokenizer::from_file(serde_json::from_str(&file).unwrap())
    }

    #[test]
    fn pairs_are_merged_by_rank() {
        let model = r#"{"type": "BPE", "vocab": {"a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4}, "merges": ["a b", ["Ġ", "ab"]]}"#;
        let pairs = tiny(model).unwrap();
        assert_eq!(pairs.encode("ab aba</s>b"), [3, 4, 0, 5, 1]);
        assert_eq!(pairs.decode(&[3, 4, 0, 5, 1, 99]), "ab abab");
        assert_eq!(pairs.len(), 6);
    }

    #[test]
    fn other_tokenizers_are_refused() {
        let word_piece = r#"{"type": "WordPiece", "vocab": {}, "merges": []}"#;
        assert!(tiny(word_piece).unwrap_err().contains("found WordPiece"));
        let unknown = r#"{"vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}, "merges": ["a b"]}"#;
        assert!(tiny(unknown).unwrap_err().contains("merge 0"));
        let sparse = r#"{"vocab": {"a": 4000000000}, "merges": []}"#;
        assert!(tiny(sparse).unwrap_err().contains("4000000000"));
    }

    #[test]
    fn templates_state_the_start_of_texts() {
        let file = |post: &str| {
            let file = format!(
                r#"{{"pre_tokenizer": {{"type": "ByteLevel"}}, "post_processor": {post},
                    "model": {{"vocab": {{"a": 0, "b": 1}}, "merges": []}}}}"#
            );
            BytePairTokenizer::from_file(serde_json::from_str(&file).unwrap()).unwrap()
        };
        let template = r#"{"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]},
                               "</s>": {"id": "</s>", "ids": [0], "tokens": ["</s>"]}}}"#;
        assert_eq!(file(template).start(), [1]);
        let sequence =
            format!(r#"{{"type": "Sequence", "processors": [{{"type": "ByteLevel"}}, {template}]}}"#);
        assert_eq!(file(&sequence).start(), [1]);
        assert!(file(r#"{"type": "ByteLevel"}"#).start().is_empty() && file("null").start().is_empty());
    }
}
