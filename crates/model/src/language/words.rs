//! The words of a query.

/// Words that say nothing about an object.
const STOP_WORDS: &[&str] = &[
    "a",
    "an",
    "and",
    "are",
    "as",
    "at",
    "be",
    "by",
    "can",
    "do",
    "does",
    "for",
    "from",
    "has",
    "have",
    "her",
    "his",
    "i",
    "in",
    "into",
    "is",
    "it",
    "its",
    "make",
    "me",
    "my",
    "of",
    "on",
    "one",
    "or",
    "our",
    "some",
    "someone",
    "something",
    "that",
    "the",
    "their",
    "them",
    "these",
    "they",
    "thing",
    "things",
    "this",
    "those",
    "to",
    "used",
    "use",
    "uses",
    "using",
    "we",
    "what",
    "when",
    "where",
    "which",
    "who",
    "with",
    "you",
    "your",
];
/// What people and class sentences begin with, which is about the picture and not about the object.
const LEAD_INS: &[&str] = &[
    "a 3d model of",
    "3d model of",
    "a model of",
    "model of",
    "a rendering of",
    "a render of",
    "a picture of",
    "a photo of",
    "a point cloud model of",
    "an image of",
    "a drawing of",
    "a low poly model of",
    "a low poly",
    "low poly",
    "a cad model of",
    "a 3d shape of",
    "show me",
    "find me",
    "find",
    "i need",
    "i want",
    "i am looking for",
    "there is",
    "this is",
];
/// What they end with.
const TAILS: &[&str] = &["3d model", "on a white background", "in the scene"];

/// The part of a query that names or describes the object.
pub(super) fn object_of(text: &str) -> &str {
    let mut text = text.trim().trim_end_matches(['.', '!', '?']);
    for (phrase, at_start) in LEAD_INS.iter().map(|p| (p, true)).chain(TAILS.iter().map(|p| (p, false))) {
        text = without(text, phrase, at_start).unwrap_or(text);
    }
    text
}

/// `text` without a phrase at its start or end, if something is left.
fn without<'a>(text: &'a str, phrase: &str, at_start: bool) -> Option<&'a str> {
    let cut = text.len().checked_sub(phrase.len())?;
    let (found, rest) = match at_start {
        true => (text.get(..phrase.len())?, text.get(phrase.len()..)?),
        false => (text.get(cut..)?, text.get(..cut)?),
    };
    let at_word = if at_start { rest.starts_with(' ') } else { rest.ends_with(' ') };
    (found.eq_ignore_ascii_case(phrase) && at_word).then_some(rest.trim())
}

/// The words of a text that say something, in lower case.
pub(super) fn content_words(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase);
    words.filter(|word| !word.is_empty() && !STOP_WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_about_pictures_are_about_objects() {
        assert_eq!(object_of("A photo of a red chair."), "a red chair");
        assert_eq!(object_of("a camera on a white background"), "a camera");
        // Nothing would be left.
        assert_eq!(object_of("3d model"), "3d model");
        assert_eq!(object_of("finder"), "finder");
        assert_eq!(content_words("something to sit on!").collect::<Vec<_>>(), ["sit"]);
    }
}
