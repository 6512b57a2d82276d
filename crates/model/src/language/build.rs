//! Making the language of a model: word pieces are chosen, concepts are described and embedded.

use std::collections::{BTreeMap, BTreeSet};

use burn::tensor::Device;

use super::sentence::SentenceEncoder;
use super::{Concept, Language, LanguageConfig};
use crate::JointModel;
use crate::error::ModelError;
use crate::zero_shot::ZeroShotHead;

/// Special tokens, which are kept.
const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// Cosine similarity from which two sentences about a concept say the same.
const SAME_MEANING: f32 = 0.78;

/// A concept and the sentences about it: its name first.
#[derive(Clone, Debug, PartialEq)]
pub struct ConceptSentences {
    /// Name, as in the captions of training.
    pub name: String,
    /// Synonyms, kinds, uses, places and descriptions.
    pub sentences: Vec<String>,
}

/// How a language is made.
#[derive(Clone, Debug)]
pub struct LanguageOptions<'a> {
    /// Texts whose word pieces are kept; all word pieces are kept if empty.
    pub texts: &'a [String],
    /// Number of word pieces to keep, the most frequent ones of `texts`; special tokens and single characters are always
    /// kept.
    pub pieces: usize,
    /// See [`LanguageConfig`].
    pub shape_scale: f32,
    /// See [`LanguageConfig`].
    pub query_scale: f32,
    /// See [`LanguageConfig`].
    pub feature_weight: f32,
}

impl Language {
    /// Makes the language of a model from a sentence encoder and descriptions of the concepts that the model knows.
    ///
    /// # Errors
    /// If there are no concepts or a factor is not finite, and the error of the model's text tower.
    pub fn build(
        model: &JointModel,
        encoder: SentenceEncoder,
        concepts: &[ConceptSentences],
        options: &LanguageOptions<'_>,
    ) -> Result<Self, ModelError> {
        let labels: Vec<String> = concepts.iter().map(|concept| concept.name.clone()).collect();
        let head = ZeroShotHead::new(model, &labels, &model.config().templates)?;
        let names = head.embeddings().iter().flat_map(|embedding| embedding.as_slice().to_vec()).collect();
        let keep = kept_pieces(&encoder, concepts, options);
        let encoder = encoder.with_pieces(&keep, &Device::flex());
        let rows: Vec<Vec<f32>> =
            concepts.iter().map(|concept| different(encoder.embed(&sentences(concept)))).collect();
        let sizes = rows.iter().map(|rows| rows.len() / encoder.width());
        let config = LanguageConfig {
            sentence: encoder.config().clone(),
            concepts: labels
                .into_iter()
                .zip(sizes)
                .map(|(name, sentences)| Concept { name, sentences })
                .collect(),
            shape_scale: options.shape_scale,
            query_scale: options.query_scale,
            feature_weight: options.feature_weight,
            fitted_to_shapes: false,
        };
        config.check().map_err(ModelError::InvalidLanguage)?;
        Ok(Self::of(encoder, config, rows.concat(), names))
    }
}

/// The name and the sentences of a concept, each once.
fn sentences(concept: &ConceptSentences) -> Vec<&str> {
    let mut seen = BTreeSet::new();
    let all = std::iter::once(&concept.name).chain(&concept.sentences).map(String::as_str);
    all.filter(|text| seen.insert(*text)).collect()
}

/// The rows that do not say nearly the same as one before, one after the other.
fn different(rows: Vec<Vec<f32>>) -> Vec<f32> {
    let mut kept: Vec<Vec<f32>> = Vec::with_capacity(rows.len());
    for row in rows {
        let cosine = |other: &Vec<f32>| row.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
        if kept.iter().all(|other| cosine(other) < SAME_MEANING) {
            kept.push(row);
        }
    }
    kept.concat()
}

/// Ids of the word pieces to keep, in order.
fn kept_pieces(
    encoder: &SentenceEncoder,
    concepts: &[ConceptSentences],
    options: &LanguageOptions<'_>,
) -> Vec<u32> {
    let pieces = &encoder.config().pieces;
    if options.texts.is_empty() {
        return (0..pieces.len() as u32).collect();
    }
    let is_basic = |piece: &str| {
        let text = piece.strip_prefix("##").unwrap_or(piece);
        SPECIAL_TOKENS.contains(&piece) || text.chars().count() == 1 && text.is_ascii()
    };
    let mut keep: BTreeSet<u32> =
        (0_u32..).zip(pieces).filter(|(_, piece)| is_basic(piece)).map(|(id, _)| id).collect();
    // What concepts are described by is kept whatever its frequency.
    let described = concepts.iter().flat_map(|concept| sentences(concept));
    keep.extend(described.flat_map(|text| encoder.pieces_of(text)));
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    for id in options.texts.iter().flat_map(|text| encoder.pieces_of(text)) {
        *counts.entry(id).or_default() += 1;
    }
    let mut frequent: Vec<(u32, usize)> = counts.into_iter().collect();
    frequent.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    for (id, _) in frequent {
        if keep.len() >= options.pieces {
            break;
        }
        keep.insert(id);
    }
    keep.into_iter().collect()
}
