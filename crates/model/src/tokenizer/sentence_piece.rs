//! SentencePiece's `tokenizer.model` ([arXiv 1808.06226](https://arxiv.org/abs/1808.06226)) with byte-pair encoding: Llama 1 and 2, Mistral,
//! Vicuna.
//!
//! The file is a protocol buffer; field numbers are those of `sentencepiece_model.proto`.

use std::path::Path;

use fs_err as fs;
use serde_json::{Map, Value};

use super::characters::PrefixSpace;

/// Largest file in bytes; Llama's has 500 kB.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Name of the file of tokens that were added later, next to the model.
const ADDED_TOKENS_FILE: &str = "added_tokens.json";
/// Value of `TrainerSpec.model_type` for byte-pair encoding.
const BPE: u64 = 2;

/// What the file states.
pub(super) struct PieceModel {
    /// Pieces by id.
    pub pieces: Vec<Piece>,
    /// When a space is put before a text.
    pub prefix: PrefixSpace,
    /// Tokens that were added later, with their ids.
    pub added: Vec<(String, u32)>,
}

/// A piece of the vocabulary.
pub(super) struct Piece {
    pub text: String,
    /// Pieces of higher scores are merged first.
    pub score: f32,
    pub kind: PieceKind,
}

/// What a piece stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PieceKind {
    /// Text.
    Normal,
    /// What is no other piece.
    Unknown,
    /// A special token.
    Control,
    /// A byte, such as `<0x0A>`.
    Byte,
}

/// A field of a message.
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Float(f32),
}

/// Reads a `tokenizer.model`, with `added_tokens.json` next to it if there is one.
///
/// # Errors
/// Describes what is wrong with the file: it is not readable, or its pieces are not merged pair by pair.
pub(super) fn read_pieces(path: &Path) -> Result<PieceModel, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE_BYTES {
        return Err(format!("it has {size} bytes, expected at most {MAX_FILE_BYTES}"));
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let (pieces, prefix) = parse(&bytes).ok_or("it is no model of SentencePiece")??;
    let added = added_tokens(&path.with_file_name(ADDED_TOKENS_FILE), pieces.len())?;
    Ok(PieceModel { pieces, prefix, added })
}

/// Ids of tokens that were added after the vocabulary.
fn added_tokens(path: &Path, pieces: usize) -> Result<Vec<(String, u32)>, String> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(Vec::new()) };
    let failed = |reason: String| format!("{ADDED_TOKENS_FILE}: {reason}");
    let map: Map<String, Value> = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    // An id indexes a table: a damaged file must not request gigabytes.
    let most = pieces + map.len();
    let token = |(token, id): (String, Value)| {
        let id = id.as_u64().filter(|id| *id < most as u64).and_then(|id| u32::try_from(id).ok());
        Ok((token.clone(), id.ok_or_else(|| failed(format!("expected an id below {most} of {token:?}")))?))
    };
    map.into_iter().map(token).collect()
}

/// The pieces and the space before a text; `None` if the bytes are no such message.
fn parse(bytes: &[u8]) -> Option<Result<(Vec<Piece>, PrefixSpace), String>> {
    let (mut pieces, mut model_type, mut normalizer) = (Vec::new(), 1, Normalizer::default());
    for field in Fields(bytes) {
        match field? {
            (1, Field::Bytes(inner)) => pieces.push(piece(inner)?),
            (2, Field::Bytes(inner)) => {
                for field in Fields(inner) {
                    if let (3, Field::Number(number)) = field? {
                        model_type = number;
                    }
                }
            }
            (3, Field::Bytes(inner)) => normalizer = Normalizer::parse(inner)?,
            _ => {}
        }
    }
    if pieces.is_empty() {
        return None;
    }
    if model_type != BPE {
        return Some(Err(format!(
            "expected byte-pair encoding (model type {BPE}), found model type {model_type}"
        )));
    }
    Some(normalizer.prefix_space().map(|prefix| (pieces, prefix)))
}

fn piece(bytes: &[u8]) -> Option<Piece> {
    let mut piece = Piece { text: String::new(), score: 0.0, kind: PieceKind::Normal };
    for field in Fields(bytes) {
        match field? {
            (1, Field::Bytes(text)) => piece.text = String::from_utf8(text.to_vec()).ok()?,
            (2, Field::Float(score)) => piece.score = score,
            (3, Field::Number(kind)) => {
                piece.kind = match kind {
                    2 => PieceKind::Unknown,
                    3 => PieceKind::Control,
                    6 => PieceKind::Byte,
                    _ => PieceKind::Normal,
                };
            }
            _ => {}
        }
    }
    Some(piece)
}

/// How texts are changed before they are split.
struct Normalizer {
    has_map: bool,
    adds_prefix: bool,
    removes_spaces: bool,
}

impl Default for Normalizer {
    fn default() -> Self {
        Self { has_map: false, adds_prefix: true, removes_spaces: true }
    }
}

impl Normalizer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut found = Self::default();
        for field in Fields(bytes) {
            match field? {
                (2, Field::Bytes(map)) => found.has_map = !map.is_empty(),
                (3, Field::Number(flag)) => found.adds_prefix = flag != 0,
                (4, Field::Number(flag)) => found.removes_spaces = flag != 0,
                _ => {}
            }
        }
        Some(found)
    }

    fn prefix_space(&self) -> Result<PrefixSpace, String> {
        if self.has_map || self.removes_spaces {
            return Err("expected texts that are not normalized, as in Llama".to_owned());
        }
        Ok(if self.adds_prefix { PrefixSpace::Always } else { PrefixSpace::Never })
    }
}

/// The fields of a message, with their numbers; `None` where it is damaged, after which it ends.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    fn field(&mut self) -> Option<(u64, Field<'a>)> {
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Number(self.varint()?),
            1 => Field::Bytes(self.take(8)?),
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Float(f32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((tag >> 3, field))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Field<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}
