//! Texts without differences of case.

/// A text without differences of case. Letter by letter, unlike [`str::to_lowercase`], so that a part of a text is folded as it is in the
/// whole text.
pub(super) fn fold_case(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}
