//! Decoding texts from logits: greedy, beam search, sampling.

mod beam_search;
mod candidates;
mod sequences;

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use rayon::prelude::*;

use self::beam_search::BeamSearch;
pub(crate) use self::candidates::LengthLimits;
use self::candidates::NextToken;
pub use self::candidates::{EndTokens, Sampling};
use self::sequences::Sequences;
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

impl DecodingStrategy {
    /// Texts that are written at the same time for each image.
    pub(crate) fn texts(self) -> usize {
        match self {
            Self::Greedy => 1,
            Self::BeamSearch(texts) | Self::Sample { sentences: texts, .. } => texts.max(1),
        }
    }
}

/// Runs one search per text of `state`, of which `logits` are those of the next token, `[texts, vocabulary]`. `on_step` is called
/// after each step, and may end the generation.
pub(crate) fn decode(
    language: &LanguageModel,
    state: &mut DecoderState,
    logits: Tensor<2>,
    searches: &mut [Generation],
    on_step: &mut dyn FnMut(&[Generation]) -> ControlFlow<()>,
) {
    let (count, [_, vocabulary]) = (searches.len(), logits.dims());
    let mut values: Vec<f32> = logits.into_data().try_into_vec().expect("logits are f32");
    loop {
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
        language.step_into(state, &words, &mut values);
    }
}

/// The captions of one image.
pub(crate) enum Generation {
    Sequences(Sequences),
    BeamSearch(BeamSearch),
}

impl Generation {
    pub fn new(decoding: DecodingStrategy, limits: LengthLimits, seed: u64) -> Self {
        match decoding {
            DecodingStrategy::Greedy => Self::Sequences(Sequences::greedy(limits)),
            DecodingStrategy::Sample { sampling, sentences } => {
                Self::Sequences(Sequences::sampled(limits, sampling, sentences, seed))
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
            Self::Sequences(sequences) => sequences.is_done(),
            Self::BeamSearch(beams) => beams.is_done(),
        }
    }

    /// The tokens of the first text so far; of beam search, those of the best unfinished one.
    pub fn first_words(&self) -> &[u32] {
        match self {
            Self::Sequences(sequences) => sequences.first_words(),
            Self::BeamSearch(beams) => beams.first_words(),
        }
    }

    /// The chosen tokens, without the end token; the best caption first.
    pub fn sentences(self) -> Vec<Vec<u32>> {
        match self {
            Self::Sequences(sequences) => sequences.into_words(),
            Self::BeamSearch(beams) => beams.into_best().into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 1;
    const LIMITS: LengthLimits = LengthLimits {
        ends: EndTokens::one(END),
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
