//! Which words and phrases of two captions match.

use std::collections::HashSet;

use rust_stemmers::{Algorithm, Stemmer};

use super::paraphrases::Paraphrases;
use super::synonyms::Synonyms;

/// Why a match is one, in the order of METEOR's modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Module {
    /// The same word.
    Exact,
    /// The same stem.
    Stem,
    /// A meaning in common.
    Synonym,
    /// A paraphrase.
    Paraphrase,
}

/// A phrase of the reference that matches one of the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match {
    /// First word in the reference.
    pub(super) start: usize,
    /// Number of words in the reference.
    pub(super) length: usize,
    /// First word in the candidate.
    pub(super) candidate_start: usize,
    /// Number of words in the candidate.
    pub(super) candidate_length: usize,
    /// Why they match.
    pub(super) module: Module,
}

/// All matches of a candidate and a reference, from which an alignment selects.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// Matches that start at each word of the reference, in the order in which they are found.
    pub(super) at: Vec<Vec<Match>>,
    /// How many matches cover each word of the reference.
    pub(super) coverage: Vec<usize>,
    /// How many matches cover each word of the candidate.
    pub(super) candidate_coverage: Vec<usize>,
}

impl Matches {
    fn new(candidate: usize, reference: usize) -> Self {
        Self {
            at: vec![Vec::new(); reference],
            coverage: vec![0; reference],
            candidate_coverage: vec![0; candidate],
        }
    }

    fn add(&mut self, found: Match) {
        let Match { start, length, candidate_start, candidate_length, .. } = found;
        self.at[start].push(found);
        self.coverage[start..start + length].iter_mut().for_each(|count| *count += 1);
        let candidate = candidate_start..candidate_start + candidate_length;
        self.candidate_coverage[candidate].iter_mut().for_each(|count| *count += 1);
    }

    /// Adds the pairs of words for which this is true.
    fn add_pairs(&mut self, module: Module, matches: impl Fn(usize, usize) -> bool) {
        for start in 0..self.at.len() {
            for candidate_start in 0..self.candidate_coverage.len() {
                if matches(candidate_start, start) {
                    self.add(Match { start, length: 1, candidate_start, candidate_length: 1, module });
                }
            }
        }
    }
}

/// Finds matches with METEOR's four modules.
pub(super) struct Matcher<'a> {
    stemmer: Stemmer,
    synonyms: &'a Synonyms,
    paraphrases: &'a Paraphrases<'a>,
}

impl<'a> Matcher<'a> {
    pub(super) fn new(synonyms: &'a Synonyms, paraphrases: &'a Paraphrases<'a>) -> Self {
        Self { stemmer: Stemmer::create(Algorithm::English), synonyms, paraphrases }
    }

    /// All matches of two captions.
    pub(super) fn candidates(&self, candidate: &[String], reference: &[String]) -> Matches {
        let mut matches = Matches::new(candidate.len(), reference.len());
        let keys = |words: &[String]| -> Vec<i32> { words.iter().map(|word| key(word)).collect() };
        let (own, other) = (keys(candidate), keys(reference));
        matches.add_pairs(Module::Exact, |i, j| own[i] == other[j]);
        if own == other {
            return matches;
        }
        let stems = |words: &[String]| -> Vec<i32> {
            words.iter().map(|word| key(&self.stemmer.stem(word))).collect()
        };
        let (own_stems, other_stems) = (stems(candidate), stems(reference));
        matches.add_pairs(Module::Stem, |i, j| own_stems[i] == other_stems[j] && own[i] != other[j]);
        let meanings = |words: &[String]| -> Vec<HashSet<u32>> {
            words.iter().map(|word| self.synonyms.meanings(word)).collect()
        };
        let (own_meanings, other_meanings) = (meanings(candidate), meanings(reference));
        matches.add_pairs(Module::Synonym, |i, j| {
            own[i] != other[j] && !own_meanings[i].is_disjoint(&other_meanings[j])
        });
        self.add_paraphrases(&mut matches, candidate, reference);
        matches
    }

    fn add_paraphrases(&self, matches: &mut Matches, candidate: &[String], reference: &[String]) {
        let module = Module::Paraphrase;
        for start in 0..reference.len() {
            for (length, phrase) in self.paraphrases.starting(&reference[start..]) {
                for candidate_start in places(candidate, phrase) {
                    matches.add(Match {
                        start,
                        length,
                        candidate_start,
                        candidate_length: phrase.len(),
                        module,
                    });
                }
            }
        }
        for candidate_start in 0..candidate.len() {
            for (candidate_length, phrase) in self.paraphrases.starting(&candidate[candidate_start..]) {
                for start in places(reference, phrase) {
                    matches.add(Match {
                        start,
                        length: phrase.len(),
                        candidate_start,
                        candidate_length,
                        module,
                    });
                }
            }
        }
    }
}

/// Where a phrase occurs.
fn places<'a>(words: &'a [String], phrase: &'a [&str]) -> impl Iterator<Item = usize> + 'a {
    let occurs = move |window: &[String]| window.iter().zip(phrase).all(|(a, b)| a == b);
    (0..words.len()).filter(move |start| words[*start..].len() >= phrase.len() && occurs(&words[*start..]))
}

/// What METEOR compares words by: Java's hash of a string. Words with equal hashes are rare, and are the same word to METEOR.
fn key(word: &str) -> i32 {
    word.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_hashes_of_java() {
        // From the documentation of `String.hashCode`: s[0]·31 + s[1]; both are 2112.
        assert_eq!((key("Aa"), key("BB")), (65 * 31 + 97, 66 * 31 + 66));
        assert_eq!(key("Aa"), key("BB"));
    }
}
