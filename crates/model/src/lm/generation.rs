//! Decoding texts from logits: greedy, beam search, sampling.

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

use super::{DecoderState, LanguageModel};

/// Ids of special tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Start of a text: BLIP's `[DEC]`, OPT's `</s>`.
    pub start: u32,
    /// End of a text: BERT's `[SEP]`, a line break in BLIP-2's OPT.
    pub end: u32,
    /// Padding of finished texts.
    pub padding: u32,
}

/// Most tokens that may end a text.
const MAX_ENDS: usize = 8;

/// The tokens that end a text; none if texts end at their maximum length alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndTokens([Option<u32>; MAX_ENDS]);

impl EndTokens {
    /// These tokens, of which the first eight count.
    pub fn new(ids: &[u32]) -> Self {
        let mut ends = [None; MAX_ENDS];
        ends.iter_mut().zip(ids).for_each(|(end, id)| *end = Some(*id));
        Self(ends)
    }

    /// Whether a token ends a text.
    pub fn contains(&self, id: u32) -> bool {
        self.0.contains(&Some(id))
    }

    /// The ids.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.into_iter().flatten()
    }
}

/// Decoding method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DecodingStrategy {
    /// The most probable token in each step.
    Greedy,
    /// Beam search with this number of beams; captions are scored by the mean log-probability of their tokens.
    BeamSearch(usize),
    /// Random tokens by their probabilities.
    Sample {
        /// Which tokens are candidates, and how probable they are.
        sampling: Sampling,
        /// Texts per image or prompt.
        sentences: usize,
    },
}

/// Candidates of sampling; as in `transformers`, first the temperature applies, then `top_k`, then `top_p`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Logits are divided by this number, which is positive.
    pub temperature: f32,
    /// Only this many most probable tokens, if given ([arXiv 1805.04833](https://arxiv.org/abs/1805.04833)).
    pub top_k: Option<usize>,
    /// Only the most probable tokens with this total probability (nucleus sampling,
    /// [arXiv 1904.09751](https://arxiv.org/abs/1904.09751)).
    pub top_p: f32,
}

impl Sampling {
    /// Nucleus sampling: the most probable tokens with this total probability.
    pub fn nucleus(top_p: f32) -> Self {
        Self { temperature: 1.0, top_k: None, top_p }
    }
}

impl DecodingStrategy {
    /// Texts that are written at the same time for each image.
    pub(crate) fn texts(self) -> usize {
        match self {
            Self::Greedy => 1,
            Self::BeamSearch(texts) | Self::Sample { sentences: texts, .. } => texts.max(1),
        }
    }
}

/// Minimum and maximum length of texts, in tokens, including the start token, and what ends them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LengthLimits {
    pub ends: EndTokens,
    /// Padding of finished texts.
    pub padding: u32,
    /// Tokens of start token and prompt.
    pub prompt_length: usize,
    pub min_length: usize,
    pub max_length: usize,
}

impl LengthLimits {
    /// The tokens that are impossible at a length: those that end a text until the minimum length, as
    /// `MinLengthLogitsProcessor` does.
    fn banned(&self, length: usize) -> EndTokens {
        if length < self.min_length { self.ends } else { EndTokens::default() }
    }
}

/// Runs one search per text of `state`, of which `logits` are those of the next token, `[texts, vocabulary]`. `on_step` is called
/// after each step, and may end the generation.
pub(crate) fn decode(
    language: &LanguageModel,
    state: &mut DecoderState,
    mut logits: Tensor<2>,
    searches: &mut [Generation],
    on_step: &mut dyn FnMut(&[Generation]) -> ControlFlow<()>,
) {
    let (count, [_, vocabulary]) = (searches.len(), logits.dims());
    loop {
        let values: Vec<f32> = logits.into_data().try_into_vec().expect("logits are f32");
        let rows = values.len() / (count * vocabulary);
        // Searches are independent of each other: sorting a vocabulary is slow enough to share out.
        let each = searches.par_iter_mut().zip(values.par_chunks(rows * vocabulary));
        let steps: Vec<_> = each.map(|(search, logits)| search.step(logits, vocabulary)).collect();
        if on_step(searches).is_break() || searches.iter().all(Generation::is_done) {
            return;
        }
        let steps =
            || steps.iter().enumerate().flat_map(|(i, steps)| steps.iter().map(move |step| (i, step)));
        // Beams change places: the cache must follow the rows they continue.
        let order: Vec<usize> = steps().map(|(i, (row, _))| i * rows + row).collect();
        if order.iter().copied().ne(0..count * rows) {
            state.reorder(&order);
        }
        let words: Vec<u32> = steps().map(|(_, (_, word))| *word).collect();
        logits = language.step(state, &words);
    }
}

/// The row that a caption continues, and its next token.
pub(crate) type NextToken = (usize, u32);

/// The captions of one image.
pub(crate) enum Generation {
    Sequences(Sequences),
    BeamSearch(BeamSearch),
}

impl Generation {
    pub fn new(decoding: DecodingStrategy, limits: LengthLimits, seed: u64) -> Self {
        match decoding {
            DecodingStrategy::Greedy => Self::Sequences(Sequences::new(limits, vec![None])),
            DecodingStrategy::Sample { sampling, sentences } => {
                let sampler =
                    // A generator per caption: its number does not change the others.
                    |i: u64| Some(Sampler { sampling, rng: SmallRng::seed_from_u64(seed ^ (i << 32)) });
                Self::Sequences(Sequences::new(limits, (0..sentences.max(1) as u64).map(sampler).collect()))
            }
            DecodingStrategy::BeamSearch(beams) => Self::BeamSearch(BeamSearch::new(limits, beams.max(1))),
        }
    }

    /// Logits `[rows, vocabulary]` → one step per caption or beam, always the same number. In the first step there is one row.
    pub fn step(&mut self, logits: &[f32], vocabulary: usize) -> Vec<NextToken> {
        match self {
            Self::Sequences(sequences) => sequences.step(logits, vocabulary),
            Self::BeamSearch(beams) => beams.step(logits, vocabulary),
        }
    }

    pub fn is_done(&self) -> bool {
        match self {
            Self::Sequences(sequences) => sequences.sequences.iter().all(|line| line.is_done),
            Self::BeamSearch(beams) => beams.is_done,
        }
    }

    /// The tokens of the first text so far; of beam search, those of the best unfinished one.
    pub fn first_words(&self) -> &[u32] {
        let words = match self {
            Self::Sequences(sequences) => sequences.sequences.first().map(|line| &line.words),
            Self::BeamSearch(beams) => beams.running.first().map(|beam| &beam.words),
        };
        words.map_or(&[], Vec::as_slice)
    }

    /// The chosen tokens, without the end token; the best caption first.
    pub fn sentences(self) -> Vec<Vec<u32>> {
        match self {
            Self::Sequences(sequences) => sequences.sequences.into_iter().map(|line| line.words).collect(),
            Self::BeamSearch(beams) => beams.finished.into_iter().take(1).map(|beam| beam.words).collect(),
        }
    }
}

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
    fn new(limits: LengthLimits, draws: Vec<Option<Sampler>>) -> Self {
        let line = |sampler| Sequence { words: Vec::new(), is_done: false, sampler };
        Self { limits, sequences: draws.into_iter().map(line).collect(), length: limits.prompt_length }
    }

    fn step(&mut self, logits: &[f32], vocabulary: usize) -> Vec<NextToken> {
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

/// Ids with their logits, except for banned ids and NaN logits.
fn allowed(logits: &[f32], banned: EndTokens) -> impl Iterator<Item = (u32, f32)> + '_ {
    let ids = logits.iter().enumerate().map(|(id, logit)| (id as u32, *logit));
    ids.filter(move |(id, logit)| !logit.is_nan() && !banned.contains(*id))
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
    fn new(limits: LengthLimits, width: usize) -> Self {
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

    fn step(&mut self, logits: &[f32], vocabulary: usize) -> Vec<NextToken> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 1;
    const LIMITS: LengthLimits = LengthLimits {
        ends: EndTokens([Some(END), None, None, None, None, None, None, None]),
        padding: 0,
        prompt_length: 1,
        min_length: 0,
        max_length: 6,
    };

    /// Runs a search over a language in which the next word's probabilities depend on the last word alone.
    fn run(mut search: Generation, language: &[[f32; 4]; 4]) -> Vec<Vec<u32>> {
        let mut last = vec![0_u32];
        while !search.is_done() {
            let logits: Vec<f32> =
                last.iter().flat_map(|word| language[*word as usize].map(f32::ln)).collect();
            last = search.step(&logits, 4).into_iter().map(|(_, word)| word).collect();
        }
        search.sentences()
    }

    /// After the start, word 2 is likelier than 3, but what follows 3 is certain.
    const LANGUAGE: [[f32; 4]; 4] =
        [[0.0, 0.0, 0.6, 0.4], [0.25; 4], [0.3, 0.4, 0.15, 0.15], [0.01, 0.97, 0.01, 0.01]];

    #[test]
    fn beam_search_finds_better_captions_than_greedy() {
        assert_eq!(run(Generation::new(DecodingStrategy::Greedy, LIMITS, 0), &LANGUAGE), [[2]]);
        assert_eq!(run(Generation::new(DecodingStrategy::BeamSearch(3), LIMITS, 0), &LANGUAGE), [[3]]);
        assert_eq!(run(Generation::new(DecodingStrategy::BeamSearch(1), LIMITS, 0), &LANGUAGE), [[2]]);
    }

    #[test]
    fn minimum_and_maximum_lengths_hold() {
        let limits = LengthLimits { min_length: 4, ..LIMITS };
        for decoding in [
            DecodingStrategy::Greedy,
            DecodingStrategy::BeamSearch(2),
            DecodingStrategy::Sample { sampling: Sampling::nucleus(0.9), sentences: 3 },
        ] {
            for sentence in run(Generation::new(decoding, limits, 1), &LANGUAGE) {
                assert!((3..=5).contains(&sentence.len()), "{decoding:?}: {sentence:?}");
            }
        }
    }

    fn sampled(seed: u64, sampling: Sampling) -> Vec<Vec<u32>> {
        let decoding = DecodingStrategy::Sample { sampling, sentences: 20 };
        run(Generation::new(decoding, LIMITS, seed), &LANGUAGE)
    }

    #[test]
    fn nucleus_sampling_is_seeded_and_stays_in_the_nucleus() {
        let drawn = |seed, top_p| sampled(seed, Sampling::nucleus(top_p));
        assert_eq!(drawn(1, 0.9), drawn(1, 0.9));
        assert_ne!(drawn(1, 0.9), drawn(2, 0.9));
        assert!(drawn(3, 0.5).iter().all(|sentence| sentence[0] == 2), "only the likeliest is left");
        assert!(drawn(3, 1.0).iter().any(|sentence| sentence[0] == 3));
    }

    #[test]
    fn top_k_and_temperature_narrow_the_choice() {
        let all = Sampling::nucleus(1.0);
        // 2 has 0.6 and 3 has 0.4; cubed, as with a temperature of a third, 0.77 and 0.23.
        assert!(sampled(3, Sampling { top_k: Some(1), ..all }).iter().all(|sentence| sentence[0] == 2));
        let share = |temperature: f32| {
            let first = |seed| sampled(seed, Sampling { temperature, ..all });
            let drawn: Vec<u32> = (0..50).flat_map(|seed| first(100 + seed)).map(|words| words[0]).collect();
            drawn.iter().filter(|word| **word == 2).count() as f64 / drawn.len() as f64
        };
        // Of 1,000 draws, three standard deviations are at most 0.047.
        assert!((share(1.0) - 0.6).abs() < 0.047 && (share(1.0 / 3.0) - 0.771).abs() < 0.047);
    }

    #[test]
    fn any_of_several_tokens_ends_a_text() {
        let limits = LengthLimits { ends: EndTokens::new(&[3, 2]), ..LIMITS };
        assert_eq!(run(Generation::new(DecodingStrategy::Greedy, limits, 0), &LANGUAGE), [[0_u32; 0]]);
        let limits = LengthLimits { ends: EndTokens::default(), ..LIMITS };
        let endless = run(Generation::new(DecodingStrategy::Greedy, limits, 0), &LANGUAGE);
        assert_eq!(endless[0].len(), LIMITS.max_length - LIMITS.prompt_length);
    }

    #[test]
    fn nan_logits_terminate() {
        for decoding in [
            DecodingStrategy::Greedy,
            DecodingStrategy::BeamSearch(3),
            DecodingStrategy::Sample { sampling: Sampling::nucleus(0.9), sentences: 1 },
        ] {
            let sentences = run(Generation::new(decoding, LIMITS, 0), &[[f32::NAN; 4]; 4]);
            assert!(sentences.iter().all(|sentence| sentence.len() <= 5), "{decoding:?}");
        }
    }
}
