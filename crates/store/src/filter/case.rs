//! Texts in lower case.

/// A text in lower case. Each letter is converted on its own, so that a part of a text stays a part of it: [`str::to_lowercase`] writes
/// a Greek "Σ" in two ways, depending on where in a word it is.
pub(super) fn fold_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
