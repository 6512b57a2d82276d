//! Names of splits.

/// The split that a word names, in any common spelling: `train`, `val` or `test`.
pub fn known_split(word: &str) -> Option<&'static str> {
    match word.trim().to_ascii_lowercase().as_str() {
        "train" | "training" => Some("train"),
        "val" | "valid" | "validation" => Some("val"),
        "test" | "testing" => Some("test"),
        _ => None,
    }
}

/// The split that a word names.
///
/// # Errors
/// A message, if the word names no split.
pub fn split_called(word: &str) -> Result<&'static str, String> {
    known_split(word).ok_or_else(|| format!("expected split train, val or test, found {word:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_have_several_spellings() {
        for (word, expected) in
            [("train", "train"), (" Training", "train"), ("VALID", "val"), ("Test", "test")]
        {
            assert_eq!(split_called(word), Ok(expected), "{word}");
        }
        assert!(
            split_called("banana").unwrap_err().contains("found \"banana\"") && known_split("").is_none()
        );
    }
}
