//! Texts that are written independently of each other: the most probable tokens, or random ones.

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::candidates::{EndTokens, LengthLimits, NextToken, Sampling, allowed};

/// Independent captions: greedy or sampled.
pub(crate) struct Sequences {
    limits: LengthLimits,
    sequences: Vec<Sequence>,
    length: usize,
}

struct Sequence {
    words: Vec<u32>,
    is_done: bool,
    sampler: Option<Sampler>,
}

/// A sampler of tokens.
struct Sampler {
    sampling: Sampling,
    rng: SmallRng,
}

impl Sequences {
    /// One text, of the most probable tokens.
    pub fn greedy(limits: LengthLimits) -> Self {
        Self::new(limits, vec![None])
    }

    /// Some texts of random tokens.
    pub fn sampled(limits: LengthLimits, sampling: Sampling, sentences: usize, seed: u64) -> Self {
        // A generator per caption: its number does not change the others.
        let sampler = |i: u64| Some(Sampler { sampling, rng: SmallRng::seed_from_u64(seed ^ (i << 32)) });
        Self::new(limits, (0..sentences.max(1) as u64).map(sampler).collect())
    }

    fn new(limits: LengthLimits, draws: Vec<Option<Sampler>>) -> Self {
        let line = |sampler| Sequence { words: Vec::new(), is_done: false, sampler };
        Self { limits, sequences: draws.into_iter().map(line).collect(), length: limits.prompt_length }
    }

    /// The tokens of the first text so far.
    pub fn first_words(&self) -> &[u32] {
        self.sequences.first().map_or(&[], |line| &line.words)
    }

    /// The tokens of each text.
    pub fn into_words(self) -> Vec<Vec<u32>> {
        self.sequences.into_iter().map(|line| line.words).collect()
    }

    /// Whether all texts have ended.
    pub fn is_done(&self) -> bool {
        self.sequences.iter().all(|line| line.is_done)
    }

    /// Logits `[rows, vocabulary]` → a step per text.
    pub fn step(&mut self, logits: &[f32], vocabulary: usize) -> Vec<NextToken> {
        let LengthLimits { ends, padding, max_length, .. } = self.limits;
        let banned = self.limits.banned(self.length);
        let rows: Vec<&[f32]> = logits.chunks_exact(vocabulary).collect();
        self.length += 1;
        let at_end = self.length >= max_length;
        let each = self.sequences.iter_mut().enumerate().map(|(i, line)| {
            // After the prompt, all captions of an image share one row of logits.
            let row = if rows.len() == 1 { 0 } else { i };
            if line.is_done {
                // Finished captions keep their row, so that the batch keeps its shape.
                return (row, padding);
            }
            let word = match &mut line.sampler {
                Some(sampler) => sampler.word(rows[row], banned),
                None => argmax(rows[row], banned),
            };
            line.is_done = ends.contains(word) || at_end;
            if !ends.contains(word) {
                line.words.push(word);
            }
            (row, word)
        });
        each.collect()
    }
}

/// The most probable id, the lowest among equals.
fn argmax(logits: &[f32], banned: EndTokens) -> u32 {
    let better = |best: (u32, f32), next: (u32, f32)| if next.1 > best.1 { next } else { best };
    // All logits NaN: the caption still has to end somewhere.
    allowed(logits, banned).reduce(better).map_or(0, |(id, _)| id)
}

impl Sampler {
    fn word(&mut self, logits: &[f32], banned: EndTokens) -> u32 {
        let Sampling { temperature, top_k, top_p } = self.sampling;
        let mut words: Vec<(u32, f32)> = allowed(logits, banned).collect();
        words.sort_by(|a, b| b.1.total_cmp(&a.1));
        words.truncate(top_k.unwrap_or(usize::MAX).max(1));
        // Subtracting the maximum keeps `exp` from overflowing.
        let most = words.first().map_or(0.0, |(_, logit)| *logit);
        let weight = |logit: f32| (f64::from(logit - most) / f64::from(temperature)).exp();
        let weights: Vec<f64> = words.iter().map(|(_, logit)| weight(*logit)).collect();
        let enough = f64::from(top_p) * weights.iter().sum::<f64>();
        let mut kept = 0;
        let mut sum = 0.0;
        // The token that crosses `top_p` is included, and at least one is kept.
        while kept < weights.len() && (kept == 0 || sum < enough) {
            sum += weights[kept];
            kept += 1;
        }
        // Inverse transform sampling over the kept weights, without normalizing them.
        let mut left = self.rng.random::<f64>() * sum;
        for ((id, _), weight) in words.iter().zip(&weights[..kept]) {
            left -= weight;
            if left < 0.0 {
                return *id;
            }
        }
        // Rounding may leave a remainder after the last weight.
        words.get(kept.saturating_sub(1)).map_or(0, |(id, _)| *id)
    }
}
