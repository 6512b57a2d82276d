//! METEOR's table of paraphrases, of which only those between words at hand are kept.

use std::collections::{HashMap, HashSet};
use std::io::BufRead;

use crate::MetricsError;

/// Longest line of the table: bounds memory when the file is another one.
const MAX_LINE: u64 = 1 << 16;

/// Phrases and what they may be replaced by.
pub(super) struct Paraphrases<'a> {
    /// Paraphrases of a phrase, whose words are separated by spaces, in the order of the table.
    table: HashMap<String, Vec<Vec<&'a str>>>,
    /// Words of the longest phrase.
    longest: usize,
}

impl<'a> Paraphrases<'a> {
    /// Reads a table of three lines per paraphrase: a probability, a phrase, another phrase.
    pub(super) fn read(mut reader: impl BufRead, words: HashSet<&'a str>) -> Result<Self, MetricsError> {
        let mut paraphrases = Self { table: HashMap::new(), longest: 0 };
        let (mut probability, mut phrase, mut paraphrase) = (Vec::new(), Vec::new(), Vec::new());
        for entry in 0_usize.. {
            if !read_line(&mut reader, &mut probability)? {
                break;
            }
            let is_number = str::from_utf8(&probability).is_ok_and(|text| text.trim().parse::<f64>().is_ok());
            let is_complete =
                is_number && read_line(&mut reader, &mut phrase)? && read_line(&mut reader, &mut paraphrase)?;
            if !is_complete {
                let message = format!(
                    "paraphrases, line {}: expected a probability and two phrases, a line each",
                    3 * entry + 1
                );
                return Err(MetricsError::InvalidTable(message));
            }
            if let (Some(phrase), Some(paraphrase)) = (known(&phrase, &words), known(&paraphrase, &words)) {
                paraphrases.longest = paraphrases.longest.max(phrase.len());
                paraphrases.table.entry(phrase.join(" ")).or_default().push(paraphrase);
            }
        }
        Ok(paraphrases)
    }

    /// Paraphrases of the phrases that these words start with, each with the number of words that it replaces: shorter phrases
    /// first, those of one phrase in the order of the table.
    pub(super) fn starting(&self, words: &[String]) -> Vec<(usize, &[&'a str])> {
        let mut found = Vec::new();
        let mut phrase = String::new();
        for (place, word) in words.iter().take(self.longest).enumerate() {
            if place > 0 {
                phrase.push(' ');
            }
            phrase.push_str(word);
            let paraphrases = self.table.get(&phrase).into_iter().flatten();
            found.extend(paraphrases.map(|paraphrase| (place + 1, paraphrase.as_slice())));
        }
        found
    }
}

/// The words of a line, if all of them are known.
fn known<'a>(line: &[u8], words: &HashSet<&'a str>) -> Option<Vec<&'a str>> {
    let line = str::from_utf8(line).ok()?;
    line.split_ascii_whitespace().map(|word| words.get(word).copied()).collect()
}

/// Reads a line; false at the end.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<bool, MetricsError> {
    line.clear();
    let mut limited = std::io::Read::take(reader, MAX_LINE);
    let read = limited
        .read_until(b'\n', line)
        .map_err(|error| MetricsError::InvalidTable(format!("paraphrases: {error}")))?;
    if read as u64 == MAX_LINE {
        return Err(MetricsError::InvalidTable("paraphrases: a line is too long".to_owned()));
    }
    Ok(read > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_phrases_of_known_words_are_kept() {
        let table = "0.5\na couch\na sofa\n0.1\na couch\nthe bench\n0.2\na\nthe\n";
        let paraphrases = Paraphrases::read(table.as_bytes(), ["a", "couch", "sofa", "the"].into()).unwrap();
        let words = ["a", "couch", "a"].map(str::to_owned);
        assert_eq!(paraphrases.starting(&words), [(1, &["the"][..]), (2, &["a", "sofa"])]);
        assert_eq!(paraphrases.starting(&words[1..]), []);
    }

    #[test]
    fn other_files_are_errors() {
        for text in ["a couch\n", "0.5\na\n", "0.5"] {
            assert!(Paraphrases::read(text.as_bytes(), HashSet::new()).is_err(), "{text:?}");
        }
        assert!(Paraphrases::read(&vec![b'1'; 1 << 17][..], HashSet::new()).is_err());
        assert!(Paraphrases::read(&b""[..], HashSet::new()).is_ok());
    }
}
