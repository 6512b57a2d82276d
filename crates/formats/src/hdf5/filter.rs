//! Decoders of chunk filters: deflate, shuffle, Fletcher-32 and LZF.

use super::object_header::Message;
use super::parser::{Hdf5Error, Parser, invalid, unsupported};
use crate::inflate::unzlib;

const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;
const FLETCHER: u16 = 3;
const LZF: u16 = 32_000;
/// Most filters of an array.
const MAX_FILTERS: u8 = 32;

/// Ids of the filters, in the order they were applied.
pub(super) fn parse(message: &Message) -> Result<Vec<u16>, Hdf5Error> {
    let mut parser = Parser::new(&message.data, 8, 8);
    let (version, count) = (parser.u8()?, parser.u8()?);
    if count > MAX_FILTERS || !matches!(version, 1 | 2) {
        return Err(invalid(format!("{count} filters of version {version}")));
    }
    parser.skip(if version == 1 { 6 } else { 0 })?;
    let mut filters = Vec::new();
    for _ in 0..count {
        let id = parser.u16()?;
        // Version 2 drops the names of registered filters.
        let named = version == 1 || id >= 256;
        let name = if named { usize::from(parser.u16()?) } else { 0 };
        parser.skip(2)?;
        let values = usize::from(parser.u16()?);
        parser.skip(if version == 1 { name.next_multiple_of(8) } else { name })?;
        parser.skip(values * 4)?;
        // Version 1 pads an odd number of client values.
        parser.skip(if version == 1 && values % 2 == 1 { 4 } else { 0 })?;
        if !matches!(id, DEFLATE | SHUFFLE | FLETCHER | LZF) {
            return Err(unsupported(format!("filter {id}")));
        }
        filters.push(id);
    }
    Ok(filters)
}

/// Decodes a chunk to `bytes` bytes; filter `i` was not applied if bit `i` of `mask` is set.
pub(super) fn decode(
    filters: &[u16],
    mask: u32,
    raw: Vec<u8>,
    value: usize,
    bytes: usize,
) -> Result<Vec<u8>, Hdf5Error> {
    let mut content = raw;
    for (i, filter) in filters.iter().enumerate().rev() {
        if mask & (1 << i) != 0 {
            continue;
        }
        content = match *filter {
            // A checksum may follow the values.
            DEFLATE => unzlib(&content, bytes + 4).map_err(invalid)?,
            SHUFFLE => unshuffle(&content, value),
            FLETCHER => checked(content)?,
            _ => unlzf(&content, bytes + 4)?,
        };
    }
    if content.len() != bytes {
        return Err(invalid(format!("a chunk of {bytes} bytes unpacks to {}", content.len())));
    }
    Ok(content)
}

/// Undoes the shuffle filter: first bytes of all values, then second bytes … → values.
fn unshuffle(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len() / size.max(1);
    let mut out = bytes.to_vec();
    for i in 0..count {
        for byte in 0..size {
            out[i * size + byte] = bytes[byte * count + i];
        }
    }
    out
}

/// Verifies and removes the checksum at the end.
fn checked(mut bytes: Vec<u8>) -> Result<Vec<u8>, Hdf5Error> {
    let at = bytes.len().checked_sub(4).ok_or_else(|| invalid("a chunk without its checksum".to_owned()))?;
    let tail = bytes.split_off(at);
    let expected = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
    if fletcher32(&bytes) != expected {
        return Err(invalid("checksum mismatch in a chunk: the file is damaged".to_owned()));
    }
    Ok(bytes)
}

fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (0_u32, 0_u32);
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    for (i, word) in words.enumerate() {
        low += word;
        high += low;
        // Folds the carries in before the 32-bit sums could overflow.
        if i % 300 == 299 {
            low = (low & 0xFFFF) + (low >> 16);
            high = (high & 0xFFFF) + (high >> 16);
        }
    }
    let fold = |sum: u32| {
        let once = (sum & 0xFFFF) + (sum >> 16);
        (once & 0xFFFF) + (once >> 16)
    };
    fold(high) << 16 | fold(low)
}

/// LZF, h5py's own filter: literals, and copies of earlier output.
fn unlzf(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Hdf5Error> {
    let cut = || invalid("an LZF chunk is truncated".to_owned());
    let mut out = Vec::with_capacity(limit.min(bytes.len().saturating_mul(8)));
    let mut at = 0;
    let next = |at: &mut usize| {
        let byte = bytes.get(*at).copied();
        *at += 1;
        byte.map(usize::from).ok_or_else(cut)
    };
    while at < bytes.len() {
        let control = next(&mut at)?;
        if control < 32 {
            let end = at + control + 1;
            out.extend_from_slice(bytes.get(at..end).ok_or_else(cut)?);
            at = end;
        } else {
            let mut length = control >> 5;
            if length == 7 {
                length += next(&mut at)?;
            }
            let back = ((control & 31) << 8) + next(&mut at)? + 1;
            let start = out
                .len()
                .checked_sub(back)
                .ok_or_else(|| invalid("an LZF copy reaches too far".to_owned()))?;
            // Byte by byte: source and target may overlap, which repeats a pattern.
            (0..length + 2).for_each(|i| out.push(out[start + i]));
        }
        if out.len() > limit {
            return Err(invalid("an LZF chunk unpacks to too much".to_owned()));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_put_back_in_place() {
        assert_eq!(unshuffle(&[1, 3, 5, 2, 4, 6], 2), [1, 2, 3, 4, 5, 6]);
        assert_eq!(unlzf(&[2, 7, 8, 9, 0x20, 2], 100).unwrap(), [7, 8, 9, 7, 8, 9]);
        assert!(unlzf(&[0x20, 2], 100).is_err() && unlzf(&[5, 1], 100).is_err());
    }
}
