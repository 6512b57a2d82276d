//! Text normalization before CLIP's tokenizer: the repairs of `ftfy`, HTML entities, white space.
//!
//! Without it, curly quotes, ligatures, full-width forms, control characters and mojibake become other tokens than in the
//! reference. Cases are in `fixtures/tokens.json`.

use unicode_normalization::UnicodeNormalization as _;

/// HTML names of U+00A0…U+00FF, in order. All of these are also known without a semicolon.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml";
/// Names that need no semicolon, besides [`LATIN_1`].
const LEGACY_ENTITIES: [(&str, char); 10] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("LT", '<'),
    ("gt", '>'),
    ("GT", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("COPY", '©'),
    ("REG", '®'),
];
/// Bytes 0x80…0x9F of Windows-1252; U+FFFD if undefined.
const WINDOWS_1252: &str = "€\u{fffd}‚ƒ„…†‡ˆ‰Š‹Œ\u{fffd}Ž\u{fffd}\u{fffd}‘’“”•–—˜™š›œ\u{fffd}žŸ";
/// Bytes 0x80…0xBF of Windows-1251; from 0xC0 on its letters are in Unicode's order.
const WINDOWS_1251: &str =
    "ЂЃ‚ѓ„…†‡€‰Љ‹ЊЌЋЏђ‘’“”•–—\u{fffd}™љ›њќћџ\u{a0}ЎўЈ¤Ґ¦§Ё©Є«¬\u{ad}®Ї°±Ііґµ¶·ё№є»јЅѕїАБВГДЕЖЗИЙКЛМНОП";
/// Longest HTML name that is looked up.
const MAX_ENTITY_LENGTH: usize = 32;

/// Repairs and unescapes a text, collapses white space, and converts to lower case.
///
/// ```
/// assert_eq!(lexiform_model::tokenizer::clean("  A “red” &amp; blue  ﬁsh"), "a \"red\" & blue fish");
/// ```
pub fn clean(text: &str) -> String {
    let plain = !text.is_empty() && text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'&');
    let text = if plain { text.to_owned() } else { unescape(&unescape(&fix_text(text), false), false) };
    text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ").to_lowercase()
}

/// White space in Python, which includes four separators that Unicode's does not.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The steps of `ftfy.fix_text`, repeated until nothing changes.
fn fix_text(text: &str) -> String {
    let mut text = text.to_owned();
    // Each round undoes one layer of damage; the bound is above what occurs, and ends texts that never settle.
    for _ in 0..8 {
        let unescaped = if text.contains('<') { text.clone() } else { unescape(&text, true) };
        let decoded = undo_mojibake(&unescaped);
        let simple: String = without_terminal_escapes(&decoded).chars().flat_map(simplify).collect();
        let next: String = simple.replace("\r\n", "\n").replace('\r', "\n").nfc().collect();
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// Decodes text that was UTF-8 and was read as Windows-1252 or Windows-1251.
fn undo_mojibake(text: &str) -> String {
    for byte in [windows_1252_byte, windows_1251_byte] {
        let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
        let decoded = bytes.filter(|b| !b.is_ascii()).and_then(|b| String::from_utf8(b).ok());
        if let Some(decoded) = decoded {
            return decoded;
        }
    }
    // Lone C1 controls are Windows-1252 read as Latin-1.
    let replace = |c: char| match u32::from(c) {
        code @ 0x80..=0x9f => {
            WINDOWS_1252.chars().nth(code as usize - 0x80).filter(|r| *r != '\u{fffd}').unwrap_or(c)
        }
        _ => c,
    };
    text.chars().map(replace).collect()
}

fn windows_1252_byte(c: char) -> Option<u8> {
    match u32::from(c) {
        // Bytes that Windows-1252 does not define are the control characters of Latin-1.
        code @ 0..=0xff => Some(code as u8),
        _ => WINDOWS_1252
            .chars()
            .position(|known| known == c)
            .filter(|_| c != '\u{fffd}')
            .map(|i| 0x80 + i as u8),
    }
}

fn windows_1251_byte(c: char) -> Option<u8> {
    match u32::from(c) {
        code @ 0..=0x7f => Some(code as u8),
        code @ 0x410..=0x44f => Some((code - 0x410 + 0xc0) as u8),
        _ => WINDOWS_1251
            .chars()
            .position(|known| known == c)
            .filter(|_| c != '\u{fffd}')
            .map(|i| 0x80 + i as u8),
    }
}

/// Drops `ESC [ … letter`.
fn without_terminal_escapes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("\u{1b}[") {
        kept.push_str(&rest[..start]);
        let tail = &rest[start + 2..];
        let end = tail.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(tail.len());
        let last = tail[end..].chars().next().filter(char::is_ascii_alphabetic);
        if last.is_none() {
            kept.push_str("\u{1b}[");
        }
        rest = last.map_or(tail, |letter| &tail[end + letter.len_utf8()..]);
    }
    kept + rest
}

/// Ligatures, full and half width, quotes, line ends and control characters, one character at a time.
fn simplify(c: char) -> impl Iterator<Item = char> {
    let replaced: String = match c {
        '\u{2018}'..='\u{201b}' | '\u{2bc}' => "'".to_owned(),
        '\u{201c}'..='\u{201f}' => "\"".to_owned(),
        '\u{2028}' | '\u{2029}' | '\u{85}' => "\n".to_owned(),
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' => String::new(),
        '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}' => String::new(),
        // Compatibility forms: other glyphs of the same letters.
        '\u{132}' | '\u{133}' | '\u{149}' | '\u{1c4}'..='\u{1cc}' | '\u{1f1}'..='\u{1f3}' => {
            std::iter::once(c).nfkc().collect()
        }
        '\u{fb00}'..='\u{fb06}' | '\u{ff01}'..='\u{ffef}' | '\u{3000}' => std::iter::once(c).nfkc().collect(),
        _ => c.to_string(),
    };
    replaced.chars().collect::<Vec<_>>().into_iter()
}

/// Resolves `&name;`, `&#65;`, `&#x41;`. As Python's `html.unescape`, old names also without a semicolon; with
/// `strict` only with one, but then also names in capitals, as ftfy does.
fn unescape(text: &str, strict: bool) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        result.push_str(&rest[..start]);
        rest = &rest[start..];
        match entity(&rest[1..], strict) {
            Some((replacement, length)) => {
                result.push_str(&replacement);
                rest = &rest[1 + length..];
            }
            None => {
                result.push('&');
                rest = &rest[1..];
            }
        }
    }
    result + rest
}

/// The entity that `text` begins with (after its `&`), and how many bytes it takes.
fn entity(text: &str, strict: bool) -> Option<(String, usize)> {
    if let Some(number) = text.strip_prefix('#') {
        return numeric(number, strict).map(|(c, length)| (c, length + 1));
    }
    let end = text.find(|c: char| "\t\n\u{c} <&#;".contains(c)).unwrap_or(text.len()).min(MAX_ENTITY_LENGTH);
    let name = text.get(..end)?;
    if text[end..].starts_with(';') {
        let found = named_entity(name).or_else(|| if strict { uppercase_entity(name) } else { None });
        if let Some(found) = found {
            return Some((found, end + 1));
        }
    }
    if strict {
        return None;
    }
    let prefixes = (2..=name.len()).rev().filter(|length| name.is_char_boundary(*length));
    prefixes.filter_map(|length| Some((legacy_entity(&name[..length])?.to_string(), length))).next()
}

fn numeric(text: &str, strict: bool) -> Option<(String, usize)> {
    let (digits, radix, skipped) = match text.strip_prefix(['x', 'X']) {
        Some(hex) => (hex, 16, 1),
        None => (text, 10, 0),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let closed = digits[end..].starts_with(';');
    if end == 0 || (strict && !closed) {
        return None;
    }
    let code = u32::from_str_radix(&digits[..end], radix).unwrap_or(u32::MAX);
    let c = match code {
        0x80..=0x9f => WINDOWS_1252.chars().nth(code as usize - 0x80).filter(|c| *c != '\u{fffd}'),
        0 => None,
        _ => char::from_u32(code),
    };
    Some((c.unwrap_or('\u{fffd}').to_string(), skipped + end + usize::from(closed)))
}

fn legacy_entity(name: &str) -> Option<char> {
    let basic = LEGACY_ENTITIES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
    basic.or_else(|| {
        let position = LATIN_1.split(' ').position(|known| known == name)?;
        char::from_u32(0xa0 + position as u32)
    })
}

fn named_entity(name: &str) -> Option<String> {
    let escaped = format!("&{name};");
    let decoded = html_escape::decode_html_entities(&escaped);
    (decoded != escaped).then(|| decoded.into_owned())
}

fn uppercase_entity(name: &str) -> Option<String> {
    let capitals = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    named_entity(&name.to_lowercase()).filter(|_| capitals).map(|c| c.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fix_text_matches_ftfy() {
        for (text, expected) in [
            ("“curly” it’s", "\"curly\" it's"),
            ("ﬁre ＦＵＬＬ\u{3000}ＷＩＤＴＨ", "fire full width"),
            ("cafÃ© table", "café table"),
            ("вЂ”", "—"),
            ("esc\u{1b}[31mred\u{1b}[0m", "escred"),
            ("L&AMP;AMP;ATILDE;&AMP;AMP;SUP3;PEZ", "lópez"),
            ("&copy 2024 &notanentity; &#39;s", "© 2024 ¬anentity; 's"),
            ("a\u{b}b\u{c}c", "ab c"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
    }
}
