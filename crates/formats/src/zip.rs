//! The part of [zip] that `torch.save` and `numpy.savez` write: stored and deflated entries, with 64-bit sizes.
//!
//! Entry names are only used as keys: nothing is ever extracted to disk. Stored entries can be read in place from
//! [`Entry::start`].
//!
//! [zip]: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

use crate::RandomAccess;

/// The end-of-directory record, and the longest comment after it.
const TAIL: u64 = 22 + 65_535;
/// Largest directory: about 100 bytes per entry, and no checkpoint has 100,000 storages.
const MAX_DIRECTORY_BYTES: u64 = 64 << 20;
/// Deflate expands one byte to at most 1032 bytes.
const MAX_EXPANSION: u64 = 1032;

/// Location and compression of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    method: u16,
    checksum: u32,
    compressed: u64,
    /// Uncompressed size in bytes.
    pub size: u64,
    /// Offset of its local header.
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

/// Names and entries in the order of the central directory; a name may occur twice.
///
/// # Errors
/// If there is no directory, or it is damaged or unreasonably long.
pub fn entries(source: &dyn RandomAccess) -> Result<Vec<(String, Entry)>, String> {
    let directory = directory(source)?;
    let mut rest = &directory[..];
    let mut entries = Vec::new();
    while rest.starts_with(b"PK\x01\x02") {
        let (name, entry, length) = entry(rest).ok_or("the zip directory is truncated")?;
        entries.push((name, entry));
        rest = &rest[length..];
    }
    Ok(entries)
}

/// The bytes of the central directory.
fn directory(source: &dyn RandomAccess) -> Result<Vec<u8>, String> {
    let tail_start = source.length().saturating_sub(TAIL);
    let tail = source.bytes(tail_start, source.length() - tail_start).map_err(|e| e.to_string())?;
    let missing = "no zip directory found: the file is truncated or damaged";
    // The last signature: a comment may contain others, but the writers supported here write none.
    let end = tail.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or(missing)?;
    let mut length = u64::from(u32_at(&tail, end + 12).ok_or(missing)?);
    let mut start = u64::from(u32_at(&tail, end + 16).ok_or(missing)?);
    // Zip64: full 32-bit fields mean that the values are in another record, which a locator before this one points to.
    if start == u64::from(u32::MAX) || length == u64::from(u32::MAX) {
        let locator = tail[..end].windows(4).rposition(|w| w == b"PK\x06\x07").ok_or(missing)?;
        let record = u64_at(&tail, locator + 8).ok_or(missing)?;
        let record = source.bytes(record, 56).map_err(|_| missing)?;
        if !record.starts_with(b"PK\x06\x06") {
            return Err(missing.to_owned());
        }
        (length, start) = u64_at(&record, 40).zip(u64_at(&record, 48)).ok_or(missing)?;
    }
    if length > MAX_DIRECTORY_BYTES {
        return Err(format!("a zip directory of {length} bytes, expected at most {MAX_DIRECTORY_BYTES}"));
    }
    source.bytes(start, length).map_err(|e| format!("the zip directory: {e}"))
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
            // Zip64 values, in this order, but only those whose 32-bit field is full.
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
    /// Whether it is not compressed.
    pub fn is_stored(&self) -> bool {
        self.method == 0
    }

    /// CRC-32 of the uncompressed bytes, if the writer recorded it.
    pub fn checksum(&self) -> Option<u32> {
        Some(self.checksum).filter(|sum| *sum != 0)
    }

    /// Offset of its bytes in the archive.
    ///
    /// # Errors
    /// If its local header is damaged, or the archive ends before the entry does.
    pub fn start(&self, source: &dyn RandomAccess) -> Result<u64, String> {
        let header = source.bytes(self.header, 30).map_err(|e| e.to_string())?;
        let lengths =
            u16_at(&header, 26).zip(u16_at(&header, 28)).filter(|_| header.starts_with(b"PK\x03\x04"));
        let (name, extra) = lengths.ok_or("its local header is damaged")?;
        let start = self.header + 30 + u64::from(name) + u64::from(extra);
        let fits = start.checked_add(self.compressed).is_some_and(|end| end <= source.length());
        if fits { Ok(start) } else { Err("it is truncated".to_owned()) }
    }

    /// Decompresses the entry to at most `limit` bytes and verifies its checksum.
    ///
    /// # Errors
    /// If the entry is damaged, larger than `most`, or compressed by something other than deflate.
    pub fn read(&self, source: &dyn RandomAccess, limit: u64) -> Result<Vec<u8>, String> {
        if self.size > limit || self.size > self.compressed.saturating_mul(MAX_EXPANSION) {
            return Err(format!(
                "{} bytes announced, expected at most {limit} and {MAX_EXPANSION} for each of {}",
                self.size, self.compressed
            ));
        }
        let data = source.bytes(self.start(source)?, self.compressed).map_err(|e| e.to_string())?;
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
                Err("checksum mismatch: the file is damaged".to_owned())
            }
            _ => Ok(content),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of stored entries, as `numpy.savez` lays it out.
    fn stored(files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let sizes =
                [crc32fast::hash(content), content.len() as u32, content.len() as u32].map(u32::to_le_bytes);
            let name_length = (name.len() as u16).to_le_bytes();
            directory
                .extend([b"PK\x01\x02".as_slice(), &[0; 12], sizes.as_flattened(), &name_length].concat());
            directory
                .extend([[0; 12].as_slice(), &(bytes.len() as u32).to_le_bytes(), name.as_bytes()].concat());
            bytes.extend(
                [b"PK\x03\x04".as_slice(), &[0; 10], sizes.as_flattened(), &name_length, &[0; 2]].concat(),
            );
            bytes.extend([name.as_bytes(), content].concat());
        }
        let place = [directory.len() as u32, bytes.len() as u32].map(u32::to_le_bytes);
        [&bytes, &directory, b"PK\x05\x06".as_slice(), &[0; 8], place.as_flattened(), &[0; 2]].concat()
    }

    #[test]
    fn entries_are_read_whole_or_in_place() {
        let bytes = stored(&[("a", b"first"), ("b", b""), ("a", b"again")]);
        let source = &bytes[..];
        let entries = entries(&source).unwrap();
        assert_eq!(entries.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["a", "b", "a"]);
        let contents: Vec<_> = entries.iter().map(|(_, entry)| entry.read(&source, 9).unwrap()).collect();
        assert_eq!(contents, [&b"first"[..], b"", b"again"]);
        let (_, entry) = entries[2];
        assert_eq!(source.bytes(entry.start(&source).unwrap() + 1, 3).unwrap(), b"gai");
        assert!(entry.read(&source, 4).unwrap_err().contains("expected at most 4"));
        let mut damaged = bytes.clone();
        damaged[32] ^= 1;
        assert!(entries[0].1.read(&&damaged[..], 9).unwrap_err().contains("checksum"));
    }

    #[test]
    fn cut_and_damaged_archives_are_values_or_errors() {
        let whole = stored(&[("a", b"first"), ("b", b"second")]);
        // The last two bytes are the length of a comment.
        (0..whole.len() - 2).for_each(|end| assert!(entries(&&whole[..end]).is_err(), "{end}"));
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xFF;
            for (_, entry) in entries(&&bytes[..]).unwrap_or_default() {
                drop(entry.read(&&bytes[..], 1 << 20));
            }
        }
    }
}
