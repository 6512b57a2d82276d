//! Just enough of zip to read what `numpy.savez` writes: stored and deflated entries, with 64-bit sizes.

use std::borrow::Cow;

use crate::limits;

/// A file in the archive.
pub(super) struct Entry {
    pub name: String,
    method: u16,
    compressed: u64,
    size: u64,
    /// Where its local header begins.
    header: u64,
}

/// Deflate writes at most 1032 bytes for one.
const MOST_GROWTH: u64 = 1032;
const MOST_ENTRIES: usize = 10_000;

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The entries of the central directory. `Err` says what is wrong.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    // The end record has up to 64 KiB of comment behind it.
    let tail_start = bytes.len().saturating_sub(22 + 65_535);
    let tail = &bytes[tail_start..];
    let end = tail.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or("the zip directory is missing")?;
    let short = "the zip directory is cut off";
    let mut at = u32_at(tail, end + 16).ok_or(short)?;
    if at == u64::from(u32::MAX) {
        let locator = tail[..end].windows(4).rposition(|w| w == b"PK\x06\x07").ok_or(short)?;
        let record = usize::try_from(u64_at(tail, locator + 8).ok_or(short)?).map_err(|_| short)?;
        at = record.checked_add(48).and_then(|a| u64_at(bytes, a)).ok_or(short)?;
    }
    let mut rest = usize::try_from(at).ok().and_then(|at| bytes.get(at..)).ok_or(short)?;
    let mut entries = Vec::new();
    while rest.starts_with(b"PK\x01\x02") && entries.len() < MOST_ENTRIES {
        let (entry, length) = entry(rest).ok_or(short)?;
        entries.push(entry);
        rest = &rest[length..];
    }
    Ok(entries)
}

/// One record of the directory, and its length.
fn entry(record: &[u8]) -> Option<(Entry, usize)> {
    let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(record, at).map(usize::from));
    let (name, extra, comment) = (name?, extra?, comment?);
    let mut entry = Entry {
        name: crate::text::decode(record.get(46..46 + name)?),
        method: u16_at(record, 10)?,
        compressed: u32_at(record, 20)?,
        size: u32_at(record, 24)?,
        header: u32_at(record, 42)?,
    };
    let mut fields = record.get(46 + name..46 + name + extra)?;
    while let (Some(id), Some(length)) = (u16_at(fields, 0), u16_at(fields, 2)) {
        let field = fields.get(4..4 + length as usize)?;
        if id == 1 {
            // Only the values that are full in the record stand here, in this order.
            let mut at = 0;
            for value in [&mut entry.size, &mut entry.compressed, &mut entry.header] {
                if *value == u64::from(u32::MAX) {
                    *value = u64_at(field, at)?;
                    at += 8;
                }
            }
        }
        fields = &fields[4 + length as usize..];
    }
    let length = 46 + name + extra + comment;
    (length <= record.len()).then_some((entry, length))
}

/// The content of an entry. `Err` says what is wrong.
pub(super) fn extract<'a>(bytes: &'a [u8], entry: &Entry) -> Result<Cow<'a, [u8]>, String> {
    let short = "the entry is cut off";
    let header = usize::try_from(entry.header).ok().and_then(|at| bytes.get(at..)).ok_or(short)?;
    let (name, extra) = u16_at(header, 26).zip(u16_at(header, 28)).ok_or(short)?;
    let data = header.get(30 + name as usize + extra as usize..).ok_or(short)?;
    let data = usize::try_from(entry.compressed).ok().and_then(|n| data.get(..n)).ok_or(short)?;
    match entry.method {
        0 => Ok(Cow::Borrowed(data)),
        8 => {
            let most = limits::FILE_BYTES.min(entry.compressed.saturating_mul(MOST_GROWTH));
            if entry.size > most {
                return Err(format!("{} compressed bytes cannot hold {}", entry.compressed, entry.size));
            }
            let output = miniz_oxide::inflate::decompress_to_vec_with_limit(data, entry.size as usize);
            output.map(Cow::Owned).map_err(|e| format!("cannot be inflated: {:?}", e.status))
        }
        method => Err(format!("compression method {method} is not supported")),
    }
}
