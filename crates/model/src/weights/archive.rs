//! Just enough of zip to read what `torch.save` writes: stored (or deflated) entries, with 64-bit sizes.
//!
//! Names of entries are keys and nothing else: nothing is ever unpacked to a disk.

use std::collections::BTreeMap;

use super::blob::Blob;

/// The end record, and the longest comment behind it.
const TAIL: u64 = 22 + 65_535;
/// Longest directory: some 100 bytes an entry, and no checkpoint has a hundred thousand storages.
const LONGEST_DIRECTORY: u64 = 64 << 20;
/// Deflate writes at most 1032 bytes for one.
const MOST_GROWTH: u64 = 1032;

/// A file in the archive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    method: u16,
    checksum: u32,
    compressed: u64,
    /// Bytes it unpacks to.
    pub size: u64,
    /// Where its local header begins.
    header: u64,
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The entries of the central directory, by name. `Err` says what is wrong.
pub(super) fn entries(blob: &Blob) -> Result<BTreeMap<String, Entry>, String> {
    let directory = directory(blob)?;
    let mut rest = &directory[..];
    let mut entries = BTreeMap::new();
    while rest.starts_with(b"PK\x01\x02") {
        let (name, entry, length) = entry(rest).ok_or("the zip directory is cut off")?;
        entries.insert(name, entry);
        rest = &rest[length..];
    }
    Ok(entries)
}

/// The bytes of the central directory.
fn directory(blob: &Blob) -> Result<Vec<u8>, String> {
    let tail_start = blob.length().saturating_sub(TAIL);
    let tail = blob.bytes(tail_start, blob.length() - tail_start).map_err(|e| e.to_string())?;
    let missing = "the zip directory is missing: the file is cut off or damaged";
    let end = tail.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or(missing)?;
    let mut length = u64::from(u32_at(&tail, end + 12).ok_or(missing)?);
    let mut start = u64::from(u32_at(&tail, end + 16).ok_or(missing)?);
    if start == u64::from(u32::MAX) || length == u64::from(u32::MAX) {
        let locator = tail[..end].windows(4).rposition(|w| w == b"PK\x06\x07").ok_or(missing)?;
        let record = u64_at(&tail, locator + 8).ok_or(missing)?;
        let record = blob.bytes(record, 56).map_err(|_| missing)?;
        if !record.starts_with(b"PK\x06\x06") {
            return Err(missing.to_owned());
        }
        (length, start) = u64_at(&record, 40).zip(u64_at(&record, 48)).ok_or(missing)?;
    }
    if length > LONGEST_DIRECTORY {
        return Err(format!("a zip directory of {length} bytes, expected at most {LONGEST_DIRECTORY}"));
    }
    blob.bytes(start, length).map_err(|e| format!("the zip directory: {e}"))
}

/// One record of the directory, and its length.
fn entry(record: &[u8]) -> Option<(String, Entry, usize)> {
    let [name, extra, comment] = [28, 30, 32].map(|at| u16_at(record, at).map(usize::from));
    let (name, extra, comment) = (name?, extra?, comment?);
    let text = String::from_utf8_lossy(record.get(46..46 + name)?).into_owned();
    let wide = |at| u32_at(record, at).map(u64::from);
    let mut entry = Entry {
        method: u16_at(record, 10)?,
        checksum: u32_at(record, 16)?,
        compressed: wide(20)?,
        size: wide(24)?,
        header: wide(42)?,
    };
    let mut fields = record.get(46 + name..46 + name + extra)?;
    while let (Some(id), Some(length)) = (u16_at(fields, 0), u16_at(fields, 2)) {
        let field = fields.get(4..4 + usize::from(length))?;
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
        fields = &fields[4 + usize::from(length)..];
    }
    let length = 46 + name + extra + comment;
    (length <= record.len()).then_some((text, entry, length))
}

impl Entry {
    /// Whether its bytes stand in the file as they are.
    pub fn is_stored(&self) -> bool {
        self.method == 0
    }

    /// What its bytes must sum up to, if the writer said so.
    pub fn checksum(&self) -> Option<u32> {
        Some(self.checksum).filter(|sum| *sum != 0)
    }

    /// Where its bytes begin. `Err` says what is wrong.
    pub fn start(&self, blob: &Blob) -> Result<u64, String> {
        let header = blob.bytes(self.header, 30).map_err(|e| e.to_string())?;
        let lengths =
            u16_at(&header, 26).zip(u16_at(&header, 28)).filter(|_| header.starts_with(b"PK\x03\x04"));
        let (name, extra) = lengths.ok_or("its header is damaged")?;
        let start = self.header + 30 + u64::from(name) + u64::from(extra);
        let fits = start.checked_add(self.compressed).is_some_and(|end| end <= blob.length());
        if fits { Ok(start) } else { Err("it is cut off".to_owned()) }
    }

    /// Its content, at most `most` bytes, checked against its sum. `Err` says what is wrong.
    pub fn read(&self, blob: &Blob, most: u64) -> Result<Vec<u8>, String> {
        if self.size > most || self.size > self.compressed.saturating_mul(MOST_GROWTH) {
            return Err(format!(
                "{} bytes announced, expected at most {most} and {MOST_GROWTH} for each of {}",
                self.size, self.compressed
            ));
        }
        let data = blob.bytes(self.start(blob)?, self.compressed).map_err(|e| e.to_string())?;
        let content = match self.method {
            0 if self.compressed == self.size => data,
            0 => return Err(format!("{} bytes announced, {} stored", self.size, self.compressed)),
            8 => miniz_oxide::inflate::decompress_to_vec_with_limit(&data, self.size as usize)
                .map_err(|e| format!("cannot be inflated: {:?}", e.status))?,
            method => return Err(format!("compression method {method} is not supported")),
        };
        if content.len() as u64 != self.size {
            return Err(format!("{} bytes announced, found {}", self.size, content.len()));
        }
        match self.checksum() {
            Some(sum) if sum != crc32fast::hash(&content) => {
                Err("its checksum does not fit: the file is damaged".to_owned())
            }
            _ => Ok(content),
        }
    }
}
