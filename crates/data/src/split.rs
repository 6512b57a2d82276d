//! Names of splits.

/// The split that a word names, in any common spelling: `train`, `val` or `test`.
pub fn normalize_split(word: &str) -> Option<&'static str> {
    match word.trim().to_ascii_lowercase().as_str() {
        "train" | "training" => Some("train"),
        // `validation` is the spelling of Hugging Face data sets.
        "val" | "valid" | "validation" => Some("val"),
        "test" | "testing" => Some("test"),
        _ => None,
    }
}

/// The split that a word names.
///
/// # Errors
/// A message, if the word names no split.
pub fn parse_split(word: &str) -> Result<&'static str, String> {
    normalize_split(word).ok_or_else(|| format!("expected split train, val or test, found {word:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_have_several_spellings() {
        for (word, expected) in
            [("train", "train"), (" Training", "train"), ("VALID", "val"), ("Test", "test")]
        {
            assert_eq!(parse_split(word), Ok(expected), "{word}");
        }
        assert!(
            parse_split("banana").unwrap_err().contains("found \"banana\"") && normalize_split("").is_none()
        );
    }
}
