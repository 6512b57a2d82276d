//! The container of a glTF file: JSON alone, or the chunks of a GLB.

use std::io::{self, Read};

use super::error::{GltfError, invalid};

const MAGIC: &[u8; 4] = b"glTF";
const JSON: u32 = 0x4E4F_534A;
const BIN: u32 = 0x004E_4942;

/// The two parts of a file.
#[derive(Debug, PartialEq)]
pub(super) struct Container<'a> {
    pub json: &'a [u8],
    /// The GLB's binary chunk, which is buffer 0 where that has no URI.
    pub binary: Option<&'a [u8]>,
}

impl<'a> Container<'a> {
    /// Distinguishes GLB from JSON by the first bytes, because extensions may be wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, GltfError> {
        if bytes.starts_with(MAGIC) {
            return Self::parse_glb(bytes);
        }
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => Ok(Self { json: bytes, binary: None }),
            Some(_) => {
                Err(invalid("first bytes: expected a JSON object or the magic \"glTF\", found neither"))
            }
            None => Err(invalid("the file is empty")),
        }
    }

    fn parse_glb(bytes: &'a [u8]) -> Result<Self, GltfError> {
        let word = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let (Some(version), Some(length)) = (word(4), word(8)) else {
            return Err(invalid(format!("GLB header: expected 12 bytes, found {}", bytes.len())));
        };
        if version != 2 {
            return Err(GltfError::Unsupported(format!("GLB container version {version}")));
        }
        // The declared length ends the file; bytes after it are ignored.
        let Some(body) = bytes.get(12..length as usize) else {
            return Err(invalid(format!(
                "GLB: the header says {length} bytes, the file has {}",
                bytes.len()
            )));
        };
        let (kind, json, rest) = chunk(body)?;
        if kind != JSON {
            return Err(invalid("GLB: the first chunk is not JSON"));
        }
        // Chunks of unknown kind may follow; padding after the last one is tolerated.
        let mut rest = rest;
        while rest.len() >= 8 {
            let (kind, content, after) = chunk(rest)?;
            if kind == BIN {
                return Ok(Self { json, binary: Some(content) });
            }
            rest = after;
        }
        Ok(Self { json, binary: None })
    }
}

/// Reads only the JSON text of a file, at most `limit` bytes of it.
pub(super) fn read_json(mut content: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    /// Header of a GLB (12 bytes) and of its first chunk (8 bytes).
    const HEADERS: u64 = 20;
    let mut text = Vec::new();
    content.by_ref().take(HEADERS).read_to_end(&mut text)?;
    let mut length = limit.saturating_sub(text.len() as u64);
    if text.starts_with(MAGIC) {
        let word = |at: usize| Some(u32::from_le_bytes(*text.get(at..)?.first_chunk()?));
        length = word(12).filter(|_| word(16) == Some(JSON)).map_or(0, u64::from).min(limit);
        text.clear();
    }
    content.take(length).read_to_end(&mut text)?;
    Ok(text)
}

/// Splits off a chunk: type, content, rest.
fn chunk(bytes: &[u8]) -> Result<(u32, &[u8], &[u8]), GltfError> {
    let [a, b, c, d, e, f, g, h, rest @ ..] = bytes else {
        return Err(invalid(format!("GLB chunk header: expected 8 bytes, found {}", bytes.len())));
    };
    let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
    let (content, after) = rest
        .split_at_checked(length)
        .ok_or_else(|| invalid(format!("GLB chunk: expected {length} bytes, found {}", rest.len())))?;
    Ok((u32::from_le_bytes([*e, *f, *g, *h]), content, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glb_has_a_json_and_a_binary_chunk() {
        let mut bytes = b"glTF\x02\0\0\0\x20\0\0\0\x04\0\0\0JSON{}  \x04\0\0\0BIN\0abcd".to_vec();
        bytes[8] = bytes.len() as u8;
        let container = Container::parse(&bytes).unwrap();
        assert_eq!(container, Container { json: b"{}  ", binary: Some(b"abcd") });
        for cut in 0..bytes.len() {
            assert!(Container::parse(&bytes[..cut]).is_err(), "{cut}");
        }
    }
}
