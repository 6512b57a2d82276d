//! Classes of characters: each character of a caption becomes one byte, over which the grammar is written.

use std::sync::OnceLock;

/// A letter outside of ASCII.
pub(super) const LETTER: u8 = 0x80;
/// A mark that is part of words, such as a combining accent.
pub(super) const MARK: u8 = 0x81;
/// A digit outside of ASCII.
pub(super) const DIGIT: u8 = 0x82;
/// A place where a word may be hyphenated.
pub(super) const SOFT_HYPHEN: u8 = 0x83;
/// An en dash, an em dash or a horizontal bar.
pub(super) const DASH: u8 = 0x84;
/// A typographic apostrophe.
pub(super) const APOSTROPHE: u8 = 0x85;
/// A typographic quotation mark that opens a quotation.
pub(super) const OPENING_QUOTE: u8 = 0x86;
/// A symbol that is a token by itself.
pub(super) const SYMBOL: u8 = 0x87;
/// A sign of a currency other than the dollar.
pub(super) const CURRENCY: u8 = 0x88;
/// A space outside of ASCII.
pub(super) const SPACE: u8 = 0x89;
/// A space where lines do not break.
pub(super) const NO_BREAK_SPACE: u8 = 0x8a;
/// A fraction in one character, such as ½.
pub(super) const FRACTION: u8 = 0x8b;
/// Three dots in one character.
pub(super) const ELLIPSIS: u8 = 0x8c;
/// A decimal separator of Arabic digits.
pub(super) const ARABIC_SEPARATOR: u8 = 0x8d;
/// The slash of fractions.
pub(super) const FRACTION_SLASH: u8 = 0x8e;
/// A hyphen outside of ASCII, which joins words but is no token.
pub(super) const HYPHEN: u8 = 0x8f;
/// A raised digit.
pub(super) const SUPERSCRIPT: u8 = 0x90;
/// A lowered digit.
pub(super) const SUBSCRIPT: u8 = 0x91;
/// A sign before raised or lowered digits.
pub(super) const SCRIPT_SIGN: u8 = 0x92;
/// Any other quotation mark outside of ASCII.
pub(super) const QUOTE: u8 = 0x93;
/// Anything else, which is dropped.
const UNKNOWN: u8 = 0xff;

/// The class of a character; ASCII characters are their own.
pub(super) fn class(c: char) -> u8 {
    match c {
        '\u{0b}'..='\u{0d}' | '\n' => b' ',
        // Control characters and DEL.
        '\0'..='\u{08}' | '\u{0e}'..='\u{1f}' | '\u{7f}' => UNKNOWN,
        _ if c.is_ascii() => c as u8,
        '\u{85}' | '\u{2028}' | '\u{2029}' => b' ',
        '\u{ad}' => SOFT_HYPHEN,
        '\u{96}' | '\u{97}' | '\u{2013}'..='\u{2015}' => DASH,
        '\u{92}' | '\u{2019}' => APOSTROPHE,
        '\u{91}' | '\u{2018}' | '\u{201b}' => OPENING_QUOTE,
        '\u{93}' | '\u{94}' | '«' | '»' | '\u{201c}' | '\u{201d}' | '‹' | '›' => QUOTE,
        '\u{80}' | '¢'..='¤' | '\u{20a0}' | '€' => CURRENCY,
        '\u{a0}' => NO_BREAK_SPACE,
        '\u{2000}'..='\u{200a}' | '\u{3000}' => SPACE,
        '¼'..='¾' | '⅓' | '⅔' => FRACTION,
        '…' => ELLIPSIS,
        '\u{66b}' | '\u{66c}' => ARABIC_SEPARATOR,
        '\u{2044}' => FRACTION_SLASH,
        '\u{58a}' | '\u{2010}' | '\u{2011}' => HYPHEN,
        '²' | '³' | '¹' | '\u{2070}' | '\u{2074}'..='\u{2079}' => SUPERSCRIPT,
        '\u{2080}'..='\u{2089}' => SUBSCRIPT,
        '\u{207a}' | '\u{207b}' | '\u{208a}' | '\u{208b}' => SCRIPT_SIGN,
        _ => match table().get(c as usize) {
            Some(class) => *class,
            // The reference sees UTF-16: characters outside of the first plane are two halves, neither of which it knows.
            None => UNKNOWN,
        },
    }
}

/// Classes of the first plane.
fn table() -> &'static [u8] {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = vec![UNKNOWN; 0x1_0000];
        // The Unicode of the reference's time.
        fill(&mut table, ranges(r"[\p{L}&&\p{Age=6.1}]"), LETTER);
        fill(&mut table, ranges(r"[\p{Nd}&&\p{Age=6.1}]"), DIGIT);
        fill(&mut table, MARKS.iter().copied(), MARK);
        fill(&mut table, SYMBOLS.iter().copied(), SYMBOL);
        table
    })
}

fn fill(table: &mut [u8], ranges: impl IntoIterator<Item = (u32, u32)>, class: u8) {
    for (first, last) in ranges {
        let last = (last as usize).min(table.len() - 1);
        if let Some(part) = table.get_mut(first as usize..=last) {
            part.fill(class);
        }
    }
}

/// The characters of a class of Unicode.
fn ranges(class: &str) -> Vec<(u32, u32)> {
    match regex_syntax::parse(class).map(regex_syntax::hir::Hir::into_kind) {
        Ok(regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class))) => {
            class.ranges().iter().map(|range| (range.start() as u32, range.end() as u32)).collect()
        }
        _ => unreachable!("a class of characters"),
    }
}

/// Marks, modifiers and unassigned characters that the reference takes for letters, although Unicode does not.
#[rustfmt::skip]
const MARKS: &[(u32, u32)] = &[
    (0x2c2, 0x2c5), (0x2d2, 0x2df), (0x2e5, 0x2eb), (0x2ed, 0x2ed), (0x2ef, 0x36f), (0x375, 0x375), (0x378, 0x379),
    (0x384, 0x385), (0x3f6, 0x3f6), (0x483, 0x487), (0x55a, 0x55f), (0x591, 0x5bd), (0x5bf, 0x5bf), (0x5c1, 0x5c2),
    (0x5c4, 0x5c5), (0x5c7, 0x5c7), (0x615, 0x61a), (0x64b, 0x65e), (0x670, 0x670), (0x6d6, 0x6e4), (0x6e7, 0x6ed),
    (0x6fd, 0x6fe), (0x70f, 0x70f), (0x711, 0x711), (0x730, 0x74c), (0x7a6, 0x7b0), (0x7eb, 0x7f3), (0x900, 0x903),
    (0x93c, 0x93c), (0x93e, 0x94e), (0x951, 0x955), (0x962, 0x963), (0x981, 0x983), (0x9bc, 0x9bc), (0x9be, 0x9c4),
    (0x9c7, 0x9c8), (0x9cb, 0x9cd), (0x9d7, 0x9d7), (0x9e2, 0x9e3), (0xa01, 0xa03), (0xa3c, 0xa3c), (0xa3e, 0xa4f),
    (0xa81, 0xa83), (0xabc, 0xabc), (0xabe, 0xacf), (0xb82, 0xb82), (0xbbe, 0xbc2), (0xbc6, 0xbc8), (0xbca, 0xbcd),
    (0xc01, 0xc03), (0xc3e, 0xc56), (0xd3e, 0xd44), (0xd46, 0xd48), (0xe31, 0xe31), (0xe34, 0xe3a), (0xe47, 0xe4e),
    (0xeb1, 0xeb1), (0xeb4, 0xebc), (0xec8, 0xecd),
];

/// Symbols and punctuation that are tokens by themselves.
#[rustfmt::skip]
const SYMBOLS: &[(u32, u32)] = &[
    (0xa1, 0xa1), (0xa5, 0xa9), (0xac, 0xac), (0xae, 0xb4), (0xb6, 0xb9), (0xbf, 0xbf), (0xd7, 0xd7), (0xf7, 0xf7),
    (0x37e, 0x37e), (0x387, 0x387), (0x589, 0x589), (0x5be, 0x5be), (0x5c0, 0x5c0), (0x5c3, 0x5c3), (0x5c6, 0x5c6),
    (0x5f3, 0x5f4), (0x600, 0x603), (0x606, 0x60c), (0x614, 0x614), (0x61b, 0x61b), (0x61e, 0x61f), (0x66a, 0x66a),
    (0x66d, 0x66d), (0x6d4, 0x6d4), (0x700, 0x70d), (0x7f6, 0x7f8), (0x964, 0x965), (0xe3f, 0xe3f), (0xe4f, 0xe4f),
    (0x1fbd, 0x1fbd), (0x2016, 0x2017), (0x201a, 0x201a), (0x201e, 0x2023), (0x2030, 0x2038), (0x203b, 0x203b),
    (0x203e, 0x2042), (0x2070, 0x2070), (0x2074, 0x207e), (0x2080, 0x208e), (0x20a4, 0x20a4), (0x2100, 0x2101),
    (0x2103, 0x2106), (0x2108, 0x2109), (0x2114, 0x2114), (0x2116, 0x2118), (0x211e, 0x2123), (0x2125, 0x2125),
    (0x2127, 0x2127), (0x2129, 0x2129), (0x212e, 0x212e), (0x213a, 0x213b), (0x2140, 0x2144), (0x214a, 0x214d),
    (0x214f, 0x214f), (0x2155, 0x215e), (0x2190, 0x2bff), (0x3001, 0x3002), (0x3012, 0x3012), (0x30fb, 0x30fb),
    (0xff01, 0xff0f), (0xff1a, 0xff20), (0xff3b, 0xff40), (0xff5b, 0xff65), (0xffe0, 0xffe1), (0xffe5, 0xffe6),
];
