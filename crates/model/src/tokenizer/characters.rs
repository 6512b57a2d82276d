//! Byte-pair encoding of characters with bytes as a fallback: the tokenizer of Llama 1 and 2, Mistral and Vicuna, which
//! SentencePiece trained ([arXiv 1808.06226](https://arxiv.org/abs/1808.06226)).

use serde_json::Value;

/// The character that files write for a space.
pub(super) const SPACE: char = '▁';

/// When a space is put before a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrefixSpace {
    /// Before every part between added tokens, even one that starts with a space (`Prepend`).
    Always,
    /// Before every part that does not start with a space (`Metaspace`).
    Missing,
    /// Before the start of the text, unless it has one.
    First,
    /// Never.
    Never,
}

/// Characters as the smallest units of a text.
#[derive(Clone, Debug)]
pub(super) struct Characters {
    prefix: PrefixSpace,
    /// Ids of the tokens of single bytes, such as `<0x0A>`.
    bytes: Vec<Option<u32>>,
    /// Id of what is neither a character nor bytes of the vocabulary.
    unknown: Option<u32>,
}

impl Characters {
    /// Units with a vocabulary of these tokens and ids.
    pub fn new<'a>(
        prefix: PrefixSpace,
        vocabulary: impl Iterator<Item = (&'a str, u32)>,
        unknown: Option<&str>,
    ) -> Self {
        let mut found = Self { prefix, bytes: vec![None; 256], unknown: None };
        for (token, id) in vocabulary {
            if let Some(byte) = byte_of(token) {
                found.bytes[usize::from(byte)] = Some(id);
            }
            if Some(token) == unknown {
                found.unknown = Some(id);
            }
        }
        found
    }

    /// The text of a token of the file; `None` for one of a single byte.
    pub fn token_text(token: &str) -> Option<Vec<u8>> {
        byte_of(token).is_none().then(|| token.replace(SPACE, " ").into_bytes())
    }

    /// A part of a text between added tokens, with its space before it.
    pub fn prefixed(&self, text: &str, is_first: bool) -> String {
        let needs_space = match self.prefix {
            PrefixSpace::Always => true,
            PrefixSpace::Missing => !text.starts_with([' ', SPACE]),
            PrefixSpace::First => is_first && !text.starts_with([' ', SPACE]),
            PrefixSpace::Never => false,
        };
        if needs_space { format!(" {text}") } else { text.to_owned() }
    }

    /// Ids of the characters of a text, or of their bytes; `id` knows tokens of text.
    pub fn units(&self, text: &str, id: impl Fn(&[u8]) -> Option<u32>) -> Vec<u32> {
        let mut ids = Vec::with_capacity(text.len());
        let mut buffer = [0; 4];
        for c in text.chars() {
            let c = if c == SPACE { ' ' } else { c };
            let character = c.encode_utf8(&mut buffer).as_bytes();
            if let Some(id) = id(character) {
                ids.push(id);
                continue;
            }
            let bytes: Option<Vec<u32>> =
                character.iter().map(|byte| self.bytes[usize::from(*byte)]).collect();
            match (bytes, self.unknown) {
                (Some(bytes), _) => ids.extend(bytes),
                // Neighbors that are unknown are one token.
                (None, Some(unknown)) if ids.last() != Some(&unknown) => ids.push(unknown),
                (None, _) => {}
            }
        }
        ids
    }

    /// The byte that a token is.
    fn byte(&self, id: u32) -> Option<u8> {
        self.bytes.iter().position(|known| *known == Some(id)).and_then(|byte| u8::try_from(byte).ok())
    }

    /// The text of ids, without the space before it; `text` knows tokens of text. Each byte that is not part of UTF-8 becomes U+FFFD.
    pub fn decode<'a>(&self, ids: &[u32], text: impl Fn(u32) -> Option<&'a [u8]>) -> String {
        let (mut decoded, mut bytes) = (String::new(), Vec::new());
        for id in ids {
            if let Some(byte) = self.byte(*id) {
                bytes.push(byte);
            } else if let Some(token) = text(*id) {
                finish_bytes(&mut bytes, &mut decoded);
                decoded.push_str(&String::from_utf8_lossy(token));
            }
        }
        finish_bytes(&mut bytes, &mut decoded);
        let has_space = self.prefix != PrefixSpace::Never;
        decoded.strip_prefix(' ').filter(|_| has_space).map(str::to_owned).unwrap_or(decoded)
    }
}

/// Appends bytes in a row as text.
fn finish_bytes(bytes: &mut Vec<u8>, decoded: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(text) => decoded.push_str(text),
        // As `tokenizers` does: one for each byte of a run that is not UTF-8 as a whole.
        Err(_) => decoded.extend(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, bytes.len())),
    }
    bytes.clear();
}

/// The byte of a token such as `<0x0A>`.
fn byte_of(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (digits.len() == 2).then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

/// When a space is put before a text, by the normalizer or, in newer files, the pre-tokenizer of a `tokenizer.json`.
///
/// # Errors
/// Names the step that is not supported.
pub(super) fn prefix_space(normalizer: &Value, pre_tokenizer: &Value) -> Result<PrefixSpace, String> {
    let steps = |value: &Value, key: &str| match value[key].as_array() {
        Some(steps) => steps.clone(),
        None if value.is_null() => Vec::new(),
        None => vec![value.clone()],
    };
    let space = SPACE.to_string();
    let mut prefix = PrefixSpace::Never;
    for step in steps(normalizer, "normalizers") {
        let is_space = |key: &str| step[key].as_str() == Some(&space);
        match step["type"].as_str().unwrap_or("unknown") {
            "Prepend" if is_space("prepend") => prefix = PrefixSpace::Always,
            "Replace" if step["pattern"]["String"] == " " && is_space("content") => {}
            other => {
                return Err(format!(
                    "expected the normalizers Prepend and Replace of a space, found {other}"
                ));
            }
        }
    }
    for step in steps(pre_tokenizer, "pretokenizers") {
        let scheme = step["prepend_scheme"].as_str().unwrap_or("always");
        prefix = match (step["type"].as_str(), scheme, &step["split"]) {
            // Splitting at spaces would keep merges from crossing them.
            (Some("Metaspace"), scheme, Value::Bool(false)) if step["replacement"] == space.as_str() => {
                match scheme {
                    "first" => PrefixSpace::First,
                    "never" => PrefixSpace::Never,
                    _ => PrefixSpace::Missing,
                }
            }
            _ => {
                return Err(format!(
                    "expected the pre-tokenizer Metaspace without a split, found {}",
                    step["type"]
                ));
            }
        };
    }
    Ok(prefix)
}
