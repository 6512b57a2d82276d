//! Decompression with a limit on the output.

use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};

/// Decompresses a `.gz` file with one member ([RFC 1952]) to at most `limit` bytes.
///
/// [RFC 1952]: https://www.rfc-editor.org/rfc/rfc1952
///
/// # Errors
/// If it is not a gzip file, damaged, or expands beyond the limit.
pub fn gunzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let cut = || "the gzip header is truncated".to_owned();
    let [0x1F, 0x8B, 8, flags, ..] = *bytes else { return Err("expected a gzip file".to_owned()) };
    let mut rest = bytes.get(10..).ok_or_else(cut)?;
    // FEXTRA: a field of declared length (RFC 1952, section 2.3.1).
    if flags & 4 != 0 {
        let [a, b, ..] = *rest else { return Err(cut()) };
        rest = rest.get(2 + usize::from(u16::from_le_bytes([a, b]))..).ok_or_else(cut)?;
    }
    // FNAME and FCOMMENT: strings that end with zero.
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or_else(cut)?;
            rest = &rest[end + 1..];
        }
    }
    // FHCRC: a checksum of the header, not verified.
    if flags & 2 != 0 {
        rest = rest.get(2..).ok_or_else(cut)?;
    }
    decompress_to_vec_with_limit(rest, limit).map_err(|error| format!("gzip: {error}"))
}

/// Decompresses a zlib stream to at most `limit` bytes.
///
/// # Errors
/// If it is damaged, or expands beyond the limit.
pub fn unzlib(bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    decompress_to_vec_zlib_with_limit(bytes, limit).map_err(|error| format!("zlib: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_inflated_within_limits() {
        let packed = miniz_oxide::deflate::compress_to_vec(&[7; 5000], 6);
        let file = |flags: u8, fields: &[u8]| {
            [&[0x1F, 0x8B, 8, flags, 0, 0, 0, 0, 0, 3], fields, &packed[..]].concat()
        };
        // Nothing, then an extra field, a name, a comment and a checksum of the header.
        for (flags, fields) in [(0, &b""[..]), (30, b"\x02\x00abname\0comment\0\x01\x02")] {
            assert_eq!(gunzip(&file(flags, fields), 5000).unwrap(), [7; 5000]);
            assert!(gunzip(&file(flags, fields), 4999).is_err());
        }
        let whole = file(30, b"\x02\x00abname\0comment\0\x01\x02");
        (0..whole.len()).for_each(|end| assert!(gunzip(&whole[..end], 5000).is_err(), "{end}"));
        let packed = miniz_oxide::deflate::compress_to_vec_zlib(&[7; 5000], 6);
        assert_eq!(unzlib(&packed, 5000).unwrap(), [7; 5000]);
        assert!(unzlib(&packed, 4999).is_err() && unzlib(&packed[1..], 5000).is_err());
    }
}
