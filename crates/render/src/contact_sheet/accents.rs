//! Accents of the caption font: letters with a mark are drawn as the letter and its mark.

/// Two rows of pixels, five wide; bit 4 is the leftmost pixel.
pub(super) type Mark = [u8; 2];

pub(super) const NONE: Mark = [0x00, 0x00];
/// Open below: the letter closes it.
pub(super) const RING: Mark = [0x0e, 0x0a];

/// Letters with a mark, their base letters in the same order, the combining character, and the mark above the letter.
const MARKS: [(&str, &str, char, Mark); 8] = [
    ("äëïöüÿÄËÏÖÜŸ", "aeiouyAEIOUY", '\u{308}', [0x0a, 0x00]),
    ("áéíóúýćńśźÁÉÍÓÚÝĆŃŚŹ", "aeiouycnszAEIOUYCNSZ", '\u{301}', [0x02, 0x04]),
    ("àèìòùÀÈÌÒÙ", "aeiouAEIOU", '\u{300}', [0x08, 0x04]),
    ("âêîôûÂÊÎÔÛ", "aeiouAEIOU", '\u{302}', [0x04, 0x0a]),
    ("ãñõÃÑÕ", "anoANO", '\u{303}', [0x05, 0x0a]),
    ("åůÅŮ", "auAU", '\u{30a}', RING),
    ("čěňřšžČĚŇŘŠŽ", "cenrszCENRSZ", '\u{30c}', [0x0a, 0x04]),
    ("żŻ", "zZ", '\u{307}', [0x04, 0x00]),
];

/// A letter as its base letter and mark, if it has one.
pub(super) fn split(letter: char) -> (char, Mark) {
    let in_row = |(letters, bases, _, mark): &(&str, &str, char, Mark)| {
        let index = letters.chars().position(|l| l == letter)?;
        Some((bases.chars().nth(index)?, *mark))
    };
    MARKS.iter().find_map(in_row).unwrap_or((letter, NONE))
}

/// The mark of a combining character, which names of files from macOS have after the letter.
pub(super) fn combining(letter: char) -> Option<Mark> {
    MARKS.iter().find(|(_, _, combining, _)| *combining == letter).map(|(.., mark)| *mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_has_a_base() {
        for (letters, bases, ..) in MARKS {
            assert_eq!(letters.chars().count(), bases.chars().count(), "{letters}");
            assert!(bases.is_ascii(), "{bases}");
        }
        assert_eq!(split('ü'), ('u', [0x0a, 0x00]));
        assert_eq!(split('u'), ('u', NONE));
        assert_eq!(combining('\u{308}'), Some([0x0a, 0x00]));
    }
}
