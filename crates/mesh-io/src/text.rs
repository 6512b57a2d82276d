//! Lines, fields and numbers of text formats, with the variations found in real files.

use std::borrow::Cow;

/// Converts UTF-16 with a byte order mark to UTF-8 and removes a UTF-8 mark; other content is unchanged.
pub(super) fn without_byte_order_mark(bytes: &[u8]) -> Cow<'_, [u8]> {
    let wide = |from: fn([u8; 2]) -> u16| {
        let units = bytes[2..].as_chunks::<2>().0.iter().map(|pair| from(*pair));
        let text: String =
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        Cow::Owned(text.into_bytes())
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Cow::Borrowed(rest),
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        _ => Cow::Borrowed(bytes),
    }
}

/// Lines without their terminators (`\n`, `\r\n` or a lone `\r`), numbered from 1.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut rest = bytes;
    let mut number = 0;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(|&b| b == b'\n' || b == b'\r').unwrap_or(rest.len());
        let line = &rest[..end];
        let skip = if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        rest = &rest[(end + skip).min(rest.len())..];
        number += 1;
        Some((number, line))
    })
}

/// Fields separated by white space.
pub(super) fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

/// The first field and the trimmed rest of the line.
pub(super) fn split_keyword(line: &[u8]) -> (&[u8], &[u8]) {
    let line = line.trim_ascii();
    let end = line.iter().position(u8::is_ascii_whitespace).unwrap_or(line.len());
    (&line[..end], line[end..].trim_ascii())
}

/// Parses a number, also with a decimal comma. `1.#QNAN`, `1.#INF` and the like of old Windows programs are NaN.
pub(super) fn number(field: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(field).ok()?;
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    if text.contains(".#") {
        return Some(f64::NAN);
    }
    if text.contains(',') { text.replacen(',', ".", 1).parse().ok() } else { None }
}

/// Parses an integer; `3.0` is 3.
pub(super) fn integer(field: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(field).ok()?;
    text.parse().ok().or_else(|| {
        let value: f64 = text.parse().ok()?;
        // Larger floats are not exact integers.
        (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
    })
}

/// Decodes text of unknown encoding: UTF-8 if valid, otherwise Latin-1.
pub(super) fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Every byte is a character in Latin-1, so this cannot fail.
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// A short piece of the file for an error message.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let text = decode(&bytes[..bytes.len().min(40)]);
    let dots = if bytes.len() > 40 { "…" } else { "" };
    format!("\"{}{dots}\"", text.escape_debug())
}

/// Position of `needle` in `haystack`.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_three_ways() {
        let all: Vec<_> = lines(b"a\r\nb\rc\n\nd").map(|(n, l)| (n, l.to_vec())).collect();
        assert_eq!(
            all,
            [(1, b"a".to_vec()), (2, b"b".to_vec()), (3, b"c".to_vec()), (4, vec![]), (5, b"d".to_vec())]
        );
    }

    #[test]
    fn decimal_commas_and_windows_nans() {
        assert_eq!(number(b"1,5"), Some(1.5));
        assert!(number(b"-1.#IND").unwrap().is_nan());
        assert_eq!(number(b"x"), None);
        assert_eq!(integer(b"3.0"), Some(3));
        assert_eq!(integer(b"3.5"), None);
    }

    #[test]
    fn utf_16_becomes_utf_8() {
        assert_eq!(&*without_byte_order_mark(&[0xFF, 0xFE, b'v', 0, b' ', 0]), b"v ");
        assert_eq!(&*without_byte_order_mark(&[0xFE]), &[0xFE]);
    }
}
