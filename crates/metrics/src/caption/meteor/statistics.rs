//! From an alignment to a score.

use super::matching::Match;

/// How much recall counts, of the mean of precision and recall.
const ALPHA: f64 = 0.85;
/// Exponent of the penalty of fragmentation.
const BETA: f64 = 0.2;
/// Weight of the penalty of fragmentation.
const GAMMA: f64 = 0.6;
/// Weight of content words; function words have the rest.
const DELTA: f64 = 0.75;
/// Weights of matches of the same word, stem, meaning and phrase.
const MODULE_WEIGHTS: [f64; 4] = [1.0, 0.6, 0.8, 0.6];

/// Counts of words of one caption.
#[derive(Clone, Copy, Debug, Default)]
struct Words {
    length: usize,
    function: usize,
    /// Matched content words, per module.
    content_matches: [usize; 4],
    /// Matched function words, per module.
    function_matches: [usize; 4],
}

/// Counts from which METEOR is computed; those of several items can be added.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Statistics {
    candidate: Words,
    reference: Words,
    /// Runs of matches that are contiguous in both captions.
    chunks: usize,
}

impl Statistics {
    /// Counts an alignment; the lists say which words are function words.
    pub(super) fn new(candidate: &[bool], reference: &[bool], alignment: &[Option<Match>]) -> Self {
        let mut statistics = Self {
            candidate: Words::of(candidate),
            reference: Words::of(reference),
            chunks: chunks(alignment),
        };
        for found in alignment.iter().flatten() {
            let module = found.module as usize;
            statistics.candidate.count(module, &candidate[found.candidate_words()]);
            statistics.reference.count(module, &reference[found.reference_words()]);
        }
        statistics
    }

    /// Adds the counts of another item.
    pub(super) fn add(&mut self, other: &Self) {
        self.candidate.add(&other.candidate);
        self.reference.add(&other.reference);
        // An item without fragmentation adds none.
        if !other.is_whole() {
            self.chunks += other.chunks;
        }
    }

    /// The score: a weighted mean of precision and recall times a penalty of fragmentation.
    pub(super) fn score(&self) -> f64 {
        let precision = self.candidate.weighted_matches() / self.candidate.weighted_length();
        let recall = self.reference.weighted_matches() / self.reference.weighted_length();
        let mean = 1.0 / ((1.0 - ALPHA) / precision + ALPHA / recall);
        let matches = (self.candidate.matches() + self.reference.matches()) as f64 / 2.0;
        let fragmentation = if self.is_whole() { 0.0 } else { self.chunks as f64 / matches };
        let score = mean * (1.0 - GAMMA * fragmentation.powf(BETA));
        // Without matches, 0 is divided by 0.
        if score.is_nan() { 0.0 } else { score.max(0.0) }
    }

    /// Whether all words match in one chunk.
    fn is_whole(&self) -> bool {
        let all = |words: &Words| words.matches() == words.length;
        self.chunks == 1 && all(&self.candidate) && all(&self.reference)
    }
}

impl Words {
    fn of(is_function: &[bool]) -> Self {
        let function = is_function.iter().filter(|is_function| **is_function).count();
        Self { length: is_function.len(), function, ..Self::default() }
    }

    fn count(&mut self, module: usize, is_function: &[bool]) {
        for is_function in is_function {
            let matches = if *is_function { &mut self.function_matches } else { &mut self.content_matches };
            matches[module] += 1;
        }
    }

    fn add(&mut self, other: &Self) {
        self.length += other.length;
        self.function += other.function;
        for module in 0..MODULE_WEIGHTS.len() {
            self.content_matches[module] += other.content_matches[module];
            self.function_matches[module] += other.function_matches[module];
        }
    }

    fn matches(&self) -> usize {
        self.content_matches.iter().chain(&self.function_matches).sum()
    }

    fn weighted_length(&self) -> f64 {
        DELTA * (self.length - self.function) as f64 + (1.0 - DELTA) * self.function as f64
    }

    fn weighted_matches(&self) -> f64 {
        let sum = |matches: &[usize; 4], weight: f64| -> f64 {
            matches.iter().zip(MODULE_WEIGHTS).map(|(count, module)| *count as f64 * module * weight).sum()
        };
        sum(&self.content_matches, DELTA) + sum(&self.function_matches, 1.0 - DELTA)
    }
}

/// Runs of matches that are contiguous in both captions.
fn chunks(alignment: &[Option<Match>]) -> usize {
    let (mut chunks, mut end, mut place) = (0, None, 0);
    while let Some(found) = alignment.get(place) {
        match found {
            Some(found) => {
                chunks += usize::from(end != Some(found.candidate_start));
                end = Some(found.candidate_words().end);
                place = found.reference_words().end;
            }
            None => {
                end = None;
                place += 1;
            }
        }
    }
    chunks
}
