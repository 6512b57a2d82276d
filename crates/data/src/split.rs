//! The parts of a benchmark, and the ways they are written.

/// The split that a word stands for, however it is written: `train`, `val` or `test`.
pub fn known_split(word: &str) -> Option<&'static str> {
    match word.trim().to_ascii_lowercase().as_str() {
        "train" | "training" => Some("train"),
        "val" | "valid" | "validation" => Some("val"),
        "test" | "testing" => Some("test"),
        _ => None,
    }
}

/// The same of a word that must be one.
///
/// # Errors
/// A sentence that says what was expected and found.
pub fn split_called(word: &str) -> Result<&'static str, String> {
    known_split(word).ok_or_else(|| format!("expected split train, val or test, found {word:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_are_known_however_they_are_written() {
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
