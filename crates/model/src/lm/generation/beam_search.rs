//! Beam search.

use super::candidates::{LengthLimits, NextToken, allowed};

/// Beam search as in `transformers`, with a length penalty of 1 and without early stopping.
pub(crate) struct BeamSearch {
    limits: LengthLimits,
    width: usize,
    /// The best unfinished captions, best first.
    running: Vec<Hypothesis>,
    /// The best finished captions, best first.
    finished: Vec<Hypothesis>,
    length: usize,
    is_done: bool,
}

#[derive(Clone)]
struct Hypothesis {
    words: Vec<u32>,
    /// Sum of the log-probabilities of its tokens; the mean once it is finished.
    score: f32,
}

/// A possible next token of a beam.
#[derive(Clone, Copy)]
struct Candidate {
    score: f32,
    beam: usize,
    word: u32,
}

impl BeamSearch {
    pub fn new(limits: LengthLimits, width: usize) -> Self {
        let empty = Hypothesis { words: Vec::new(), score: 0.0 };
        Self {
            limits,
            width,
            running: vec![empty],
            finished: Vec::new(),
            length: limits.prompt_length,
            is_done: false,
        }
    }

    /// The tokens of the best unfinished text.
    pub fn first_words(&self) -> &[u32] {
        self.running.first().map_or(&[], |beam| &beam.words)
    }

    /// The tokens of the best finished text, if there is one.
    pub fn into_best(self) -> Option<Vec<u32>> {
        self.finished.into_iter().next().map(|beam| beam.words)
    }

    /// Whether no unfinished text can become one of the best.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Logits `[beams, vocabulary]` → a step per beam.
    pub fn step(&mut self, logits: &[f32], vocabulary: usize) -> Vec<NextToken> {
        let LengthLimits { ends, padding, prompt_length, max_length, .. } = self.limits;
        let mut steps = Vec::with_capacity(self.width);
        if !self.is_done {
            let best = self.candidates(logits, vocabulary);
            self.length += 1;
            // The length penalty counts generated tokens only, without the prompt.
            let generated = (self.length - prompt_length) as f32;
            let (at_end, mut running) = (self.length >= max_length, Vec::with_capacity(self.width));
            for (rank, candidate) in best.into_iter().enumerate() {
                let Candidate { score, beam, word } = candidate;
                let mut words = self.running[beam].words.clone();
                if !ends.contains(word) {
                    words.push(word);
                }
                if !ends.contains(word) && !at_end {
                    if running.len() < self.width {
                        steps.push((beam, word));
                        running.push(Hypothesis { words, score });
                    }
                // As transformers: an ending candidate below the first `width` is no hypothesis.
                } else if rank < self.width {
                    self.finished.push(Hypothesis { words, score: score / generated });
                }
            }
            self.finished.sort_by(|a, b| b.score.total_cmp(&a.score));
            self.finished.truncate(self.width);
            self.running = running;
            self.is_done = !self.can_improve(generated);
        }
        // A done search still returns a step per beam: the batch keeps its shape.
        steps.resize(self.width, (0, padding));
        steps
    }

    /// The best candidates, twice as many as beams, so that enough remain if the best of each beam ends here; best first, the
    /// earlier among equals.
    fn candidates(&self, logits: &[f32], vocabulary: usize) -> Vec<Candidate> {
        let banned = self.limits.banned(self.length);
        let most = 2 * self.width;
        let mut best: Vec<Candidate> = Vec::with_capacity(most + 1);
        for (beam, (row, before)) in logits.chunks_exact(vocabulary).zip(&self.running).enumerate() {
            let normalizer = log_sum_exp(row);
            for (word, logit) in allowed(row, banned) {
                let score = logit - normalizer + before.score;
                // Most candidates fail here; the sorted insertion below is rare.
                let is_beaten = best.len() == most && best.last().is_some_and(|worst| score <= worst.score);
                if is_beaten || score.is_nan() {
                    continue;
                }
                // After equals: the earlier candidate wins.
                let place = best.partition_point(|better| better.score >= score);
                best.insert(place, Candidate { score, beam, word });
                best.truncate(most);
            }
        }
        best
    }

    /// Whether the best unfinished caption, scored at its current length, is better than the worst finished one.
    fn can_improve(&self, generated: f32) -> bool {
        let Some(best) = self.running.first() else { return false };
        let worst = self.finished.get(self.width - 1);
        worst.is_none_or(|worst| best.score / generated > worst.score)
    }
}

/// The logarithm of the sum of exponentials.
fn log_sum_exp(logits: &[f32]) -> f32 {
    // The usual shift against overflow; NaN logits are skipped.
    let most = logits.iter().fold(f32::NEG_INFINITY, |most, x| if *x > most { *x } else { most });
    let sum: f64 = logits.iter().filter(|x| !x.is_nan()).map(|x| f64::from(x - most).exp()).sum();
    most + sum.ln() as f32
}
