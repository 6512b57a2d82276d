//! Words and phrases that a reader would have to decode, with what to write instead.
//!
//! They are refused in source files (comments, help texts, messages, names alike), Markdown and TOML files.
//! `docs/log.md` is a record and keeps the words of its day.

/// A refused phrase, in lower case, and what to write instead.
type Refused = (&'static str, &'static str);

/// Matched as whole words, case ignored.
const REFUSED: &[Refused] = &[
    ("anew", "again"),
    ("beside", "next to, alongside, with"),
    ("as it is.", "unchanged"),
    ("as it is,", "unchanged"),
    ("as it is:", "unchanged"),
    ("as they are.", "unchanged"),
    ("by rule", "procedurally"),
    ("dwells", "is"),
    ("goes on with", "continues with, resumes"),
    ("held_out", "val_per_class"),
    ("hold_out", "val_fraction"),
    ("in its stead", "instead"),
    ("in the stead of", "instead of"),
    ("in their stead", "instead"),
    ("is none", "is invalid"),
    ("is told", "is reported"),
    ("are told", "are reported"),
    ("it is told", "it is reported"),
    ("lie in", "are in"),
    ("lies at", "is at"),
    ("lies in", "is in"),
    ("lies next to", "is next to"),
    ("named right", "correct (top-1)"),
    ("of chance", "random"),
    ("of so many", "of N"),
    ("right among", "in the top"),
    ("so many", "N"),
    ("stand in", "are in"),
    ("stands at", "is at"),
    ("stands in", "is in"),
    ("stood in", "was in"),
    ("take the place of", "replace"),
    ("taken for a", "predicted as, treated as"),
    ("taken for an", "predicted as, treated as"),
    ("that is none", "that is invalid"),
    ("that is there", "existing"),
    ("that are there", "existing"),
    ("what is there", "what exists"),
    ("whatever is there", "whatever exists"),
];

/// The refused phrases of a line, each with its replacement.
pub fn refused_in(line: &str) -> Vec<&'static Refused> {
    let line = line.to_lowercase();
    REFUSED.iter().filter(|(phrase, _)| contains_words(&line, phrase)).collect()
}

/// Whether `phrase` occurs between word boundaries.
fn contains_words(line: &str, phrase: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(phrase).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + phrase.len()..].chars().next();
        // A phrase that ends in punctuation may be followed by anything.
        let open = phrase.ends_with(is_word) && after.is_some_and(is_word);
        !before.is_some_and(is_word) && !open
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_whole_words_only() {
        assert_eq!(refused_in("Views are drawn anew").len(), 1);
        assert!(refused_in("besides, a renewal").is_empty());
        assert_eq!(refused_in("The file stays as it is.").len(), 1);
        assert!(refused_in("as it is read").is_empty());
    }
}
