//! Counts of n-grams, in the order of their first occurrence.

use std::collections::HashMap;

/// A sequence of words.
pub(super) type Ngram<'a> = &'a [&'a str];

/// The words of a tokenized caption.
pub(super) fn words(caption: &str) -> Vec<&str> {
    caption.split_whitespace().collect()
}

/// How often each n-gram of `n` words occurs. The order is that of the first occurrence, so that sums over it are the same
/// in every run.
pub(super) fn count_ngrams<'a>(words: &'a [&'a str], n: usize) -> Vec<(Ngram<'a>, usize)> {
    let mut counts: Vec<(Ngram<'a>, usize)> = Vec::new();
    let mut places: HashMap<Ngram<'a>, usize> = HashMap::new();
    for ngram in words.windows(n) {
        let place = *places.entry(ngram).or_insert(counts.len());
        match counts.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counts.push((ngram, 1)),
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_in_order_of_occurrence() {
        let words = words("the cat the  cat sat");
        let counts = count_ngrams(&words, 2);
        assert_eq!(counts, [(&words[0..2], 2), (&words[1..3], 1), (&words[3..5], 1)]);
        assert!(count_ngrams(&words, 6).is_empty());
    }
}
