//! Decompression within limits.

use miniz_oxide::inflate::{decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit};

/// The content of a `.gz` file of one member, at most `limit` bytes.
pub(crate) fn gunzip(bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let cut = || "the gzip header is cut off".to_owned();
    let [0x1F, 0x8B, 8, flags, ..] = *bytes else { return Err("expected a gzip file".to_owned()) };
    let mut rest = bytes.get(10..).ok_or_else(cut)?;
    if flags & 4 != 0 {
        let [a, b, ..] = *rest else { return Err(cut()) };
        rest = rest.get(2 + usize::from(u16::from_le_bytes([a, b]))..).ok_or_else(cut)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0).ok_or_else(cut)?;
            rest = &rest[end + 1..];
        }
    }
    if flags & 2 != 0 {
        rest = rest.get(2..).ok_or_else(cut)?;
    }
    decompress_to_vec_with_limit(rest, limit).map_err(|error| format!("gzip: {error}"))
}

/// A zlib stream, at most `limit` bytes.
pub(crate) fn unzlib(bytes: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    decompress_to_vec_zlib_with_limit(bytes, limit).map_err(|error| format!("zlib: {error}"))
}
