//! Words of names: `WoodenChair_03b.glb` and `wooden-chair` are both "wooden chair".

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longest word, in characters: longer ones are encoded data, not words.
const MAX_WORD: usize = 40;

/// The words of a name or a query, in order: split where letters end or camelCase begins a new word, in lower case, without
/// diacritics, numbers, single Latin letters, and identifiers made of hexadecimal digits.
///
/// ```
/// use lexiform_store::name_words;
///
/// assert_eq!(name_words("WoodenChair_03b"), ["wooden", "chair"]);
/// assert_eq!(name_words("Café-table (2)"), ["cafe", "table"]);
/// ```
pub fn name_words(text: &str) -> Vec<String> {
    // Also between words of letters and digits only, so that an identifier is recognized as a whole.
    let parts = text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c));
    parts.filter(|part| !is_identifier(part)).flat_map(split_part).filter(|word| is_word(word)).collect()
}

/// A text in lower case and without diacritics, as the index of names has it.
fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect()
}

/// Whether a run of letters and digits is an id, such as those of Objaverse and ShapeNet: its letters are no words.
fn is_identifier(part: &str) -> bool {
    let has_digit = part.bytes().any(|byte| byte.is_ascii_digit());
    part.len() >= 12 && has_digit && part.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_word(word: &str) -> bool {
    let length = word.chars().count();
    // "Chair_b" and "chair_c" are variants of one thing. In other scripts, one character can be a word.
    (length > 1 || !word.is_ascii()) && length <= MAX_WORD
}

/// The words in a run of letters and digits.
fn split_part(part: &str) -> Vec<String> {
    let letters: Vec<char> = part.chars().collect();
    let (mut words, mut start) = (Vec::new(), 0);
    for end in 1..=letters.len() {
        if end == letters.len() || is_boundary(&letters, end) {
            let word = &letters[start..end];
            // A boundary separates letters from digits, so the first character decides.
            words.extend((!word[0].is_numeric()).then(|| fold(&word.iter().collect::<String>())));
            start = end;
        }
    }
    words
}

/// Whether a word begins at `at`: letters after digits or the reverse, `camelCase`, and `GLTFFile`, whose second word begins at the
/// last capital letter.
fn is_boundary(letters: &[char], at: usize) -> bool {
    let (before, here) = (letters[at - 1], letters[at]);
    let next_is_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
    before.is_numeric() != here.is_numeric()
        || here.is_uppercase() && (before.is_lowercase() || before.is_uppercase() && next_is_lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        let check = |name: &str, words: &[&str]| assert_eq!(name_words(name), words, "{name}");
        check("Chair_03b", &["chair"]);
        check("woodenChair", &["wooden", "chair"]);
        check("street_lamp-old.v2", &["street", "lamp", "old"]);
        check("GLTFFile", &["gltf", "file"]);
        check("SM_Rock01_LOD0", &["sm", "rock", "lod"]);
        check("4x4 truck", &["truck"]);
        check("TISCH", &["tisch"]);
        check("a chair", &["chair"]);
        check("2024 - 001", &[]);
        check("", &[]);
    }

    #[test]
    fn letters_are_folded() {
        let check = |name: &str, words: &[&str]| assert_eq!(name_words(name), words, "{name}");
        check("Café", &["cafe"]);
        check("Cafe\u{301}_Stuhl", &["cafe", "stuhl"]);
        check("TÜR", &["tur"]);
        check("ﬁre", &["fire"]);
        check("椅子", &["椅子"]);
        check("车", &["车"]);
    }

    #[test]
    fn identifiers_are_no_words() {
        assert!(name_words("8476c4170df24cf5bbe6967222d1a42d").is_empty());
        assert_eq!(name_words("chair-8476c4170df24cf5bbe6967222d1a42d"), ["chair"]);
        assert_eq!(name_words("facade"), ["facade"]);
        assert!(name_words(&"x".repeat(41)).is_empty());
    }
}
