//! Everyday language for a joint model whose text tower knows few words.
//!
//! A sentence encoder compares a query with sentences about *concepts*, the kinds of objects that the model was trained on; the
//! model's own features, compared with a direction for each concept, say how much a shape looks like it. Both are vectors over
//! concepts, appended to the features of text and shape, so that one cosine compares both: a shape's semantic embedding is made
//! of the concepts it is classified as, as in ConSE ([arXiv 1312.5650](https://arxiv.org/abs/1312.5650)).

mod build;
mod concepts;
mod sentence;
mod words;

use serde::{Deserialize, Serialize};

pub use self::build::{ConceptSentences, LanguageOptions};
pub use self::concepts::Concept;
use self::concepts::{Concepts, relevance, softmax};
use self::sentence::unit;
pub use self::sentence::{SentenceConfig, SentenceEncoder};
use crate::embedding::Embedding;
use crate::error::ModelError;
use crate::tokenizer::Tokenizer;
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Embeddings of the concepts' sentences, `[sentences, width]`.
const SENTENCES: &str = "concepts.sentences";
/// Directions of the concepts among the model's own features, `[concepts, dim]`: text features of their names.
const NAMES: &str = "concepts.names";
/// The same, fitted to features of shapes, `[concepts · dim]`: one list, so that it is part of the model's fingerprint.
const SHAPES: &str = "concepts.shapes";

/// How fast the text tower's weight falls with unknown words: half of the words known leave a sixteenth.
const KNOWN_POWER: i32 = 4;

/// The smallest similarity of sensible queries to their nearest concept. Of 81 queries in a person's own words, two have less;
/// of 30 words without meaning or in other languages, three have more (docs/log.md).
const FAMILIAR: f32 = 0.40;

/// Everything but the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LanguageConfig {
    /// The sentence encoder.
    pub sentence: SentenceConfig,
    /// The concepts.
    pub concepts: Vec<Concept>,
    /// Factor of a shape's similarities to concepts before softmax.
    pub shape_scale: f32,
    /// Factor of a query's similarities to concepts before softmax.
    pub query_scale: f32,
    /// Weight of the model's own text features of a query whose words it all knows and whose concepts it takes for the same as the
    /// sentence encoder; that of concepts is 1.
    pub feature_weight: f32,
    /// Whether shapes are compared with directions that were fitted to shapes, instead of those of the concepts' names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fitted_to_shapes: bool,
}

/// Extends features of texts and shapes by their relevance to concepts.
#[derive(Clone, Debug)]
pub struct Language {
    encoder: SentenceEncoder,
    concepts: Concepts,
    /// Unit directions of the concepts among the model's own features, row by row.
    names: Vec<f32>,
    /// Directions for shapes, if they are other ones.
    shapes: Option<Vec<f32>>,
    dim: usize,
    config: LanguageConfig,
}

impl LanguageConfig {
    /// Number of sentences of all concepts; an error for values of an untrusted file that shapes of tensors do not check.
    fn check(&self) -> Result<usize, String> {
        if self.concepts.is_empty() {
            return Err("language without concepts".to_owned());
        }
        if let Some(concept) = self.concepts.iter().find(|concept| concept.sentences == 0) {
            return Err(format!("the concept {:?} has no sentences", concept.name));
        }
        let factors = [self.shape_scale, self.query_scale, self.feature_weight];
        if factors.iter().any(|factor| !factor.is_finite()) {
            return Err(format!("factors of language must be finite, found {factors:?}"));
        }
        let mut sizes = self.concepts.iter().map(|concept| concept.sentences);
        let sum = sizes.try_fold(0_usize, usize::checked_add);
        sum.ok_or_else(|| "the concepts have too many sentences".to_owned())
    }
}

impl Language {
    /// Reads the tensors below `sentence` and `concepts`; `dim` is the dimension of the model's own features.
    ///
    /// # Errors
    /// If the configuration is invalid, or a tensor is missing or misshaped.
    pub(crate) fn load(
        source: &WeightSource,
        config: LanguageConfig,
        dim: usize,
    ) -> Result<Self, WeightsError> {
        let checked = config.check();
        let sentences = checked.map_err(|message| source.invalid(format!("invalid header: {message}")))?;
        let encoder = SentenceEncoder::load(source, config.sentence.clone())?;
        let (count, width) = (config.concepts.len(), encoder.width());
        let sentences = values(source, SENTENCES, [sentences, width])?;
        let names = values(source, NAMES, [count, dim])?;
        let shapes = config.fitted_to_shapes.then(|| values(source, SHAPES, [count * dim])).transpose()?;
        Ok(Self { shapes, ..Self::of(encoder, config, sentences, names) })
    }

    fn of(encoder: SentenceEncoder, config: LanguageConfig, sentences: Vec<f32>, names: Vec<f32>) -> Self {
        let concepts = Concepts::new(&config.concepts, sentences, encoder.width());
        let dim = names.len() / config.concepts.len().max(1);
        Self { encoder, concepts, names, shapes: None, dim, config }
    }

    /// Numbers that are appended to features: one per concept.
    pub fn n_concepts(&self) -> usize {
        self.config.concepts.len()
    }

    /// Sizes, concepts and factors.
    pub fn config(&self) -> &LanguageConfig {
        &self.config
    }

    /// The probabilities that a shape is of each concept, from the model's own embedding of it.
    pub fn concept_probabilities(&self, shape: &Embedding) -> Vec<f32> {
        self.probabilities(self.shapes.as_ref().unwrap_or(&self.names), shape)
    }

    fn probabilities(&self, directions: &[f32], embedding: &Embedding) -> Vec<f32> {
        let dot = |name: &[f32]| name.iter().zip(embedding.as_slice()).map(|(a, b)| a * b).sum::<f32>();
        let cosines: Vec<f32> = directions.chunks_exact(self.dim.max(1)).map(dot).collect();
        softmax(&cosines, self.config.shape_scale)
    }

    /// The embedding of a photo, with zeros for concepts. Concepts would do harm: a photo is often assigned to a wrong one, which
    /// would then count as much as what the photo looks like.
    ///
    /// # Errors
    /// [`ModelError::InvalidNorm`], for features that are not finite.
    pub fn extend_photo(&self, photo: &Embedding) -> Result<Embedding, ModelError> {
        let none = std::iter::repeat_n(0.0, self.n_concepts());
        Embedding::new(photo.as_slice().iter().copied().chain(none).collect())
    }

    /// The embedding of a shape, extended by its concepts.
    ///
    /// # Errors
    /// [`ModelError::InvalidNorm`], for features that are not finite.
    pub fn extend_shape(&self, shape: &Embedding) -> Result<Embedding, ModelError> {
        let concepts = unit(self.concept_probabilities(shape));
        Embedding::new(shape.as_slice().iter().copied().chain(concepts).collect())
    }

    /// The embeddings of texts, extended by their concepts. `tokenizer` is that of the text tower, `features` are its
    /// embeddings of the texts.
    ///
    /// # Errors
    /// [`ModelError::InvalidNorm`], for features that are not finite.
    pub fn extend_texts(
        &self,
        texts: &[&str],
        features: &[Embedding],
        tokenizer: &Tokenizer,
    ) -> Result<Vec<Embedding>, ModelError> {
        let queries = self.extend_queries(texts, features, tokenizer)?;
        Ok(queries.into_iter().map(|(embedding, _)| embedding).collect())
    }

    /// As [`extend_texts`](Self::extend_texts), with what [`understands`](Self::understands) says of each text, which then takes no
    /// time of its own.
    ///
    /// # Errors
    /// As for [`extend_texts`](Self::extend_texts).
    pub fn extend_queries(
        &self,
        texts: &[&str],
        features: &[Embedding],
        tokenizer: &Tokenizer,
    ) -> Result<Vec<(Embedding, bool)>, ModelError> {
        let objects: Vec<&str> = texts.iter().map(|text| words::object_of(text)).collect();
        let similarities = self.concepts.similarities(&self.encoder.embed(&objects));
        let extend = |((object, feature), similarities): ((&&str, &Embedding), &Vec<f32>)| {
            let relevance = relevance(similarities, self.config.query_scale);
            let weight = self.feature_weight(object, feature, &relevance, tokenizer);
            let own = feature.as_slice().iter().map(|x| weight * x);
            Ok((Embedding::new(own.chain(relevance).collect())?, is_familiar(similarities)))
        };
        objects.iter().zip(features).zip(&similarities).map(extend).collect()
    }

    /// Weight of the text tower's features: it says nothing about words that it does not know, and little about sentences whose
    /// concepts it takes for others than the sentence encoder does.
    fn feature_weight(
        &self,
        text: &str,
        feature: &Embedding,
        relevance: &[f32],
        tokenizer: &Tokenizer,
    ) -> f32 {
        let own_concepts = unit(self.probabilities(&self.names, feature));
        let agreement: f32 = own_concepts.iter().zip(relevance).map(|(a, b)| a * b).sum();
        self.config.feature_weight * agreement * known_fraction(text, tokenizer).powi(KNOWN_POWER)
    }

    /// Whether a text is about any of the concepts: not if it has no meaning, is not English, or is about something else.
    pub fn understands(&self, text: &str) -> bool {
        let queries = self.encoder.embed(&[words::object_of(text)]);
        self.concepts.similarities(&queries).iter().any(|similarities| is_familiar(similarities))
    }

    /// Whether the sentence encoder has a word piece for a word in lower case.
    pub fn knows_word(&self, word: &str) -> bool {
        self.encoder.has_piece(word)
    }

    /// Adds the tensors to `list`.
    pub(crate) fn save(&self, list: &mut TensorList) {
        self.encoder.save(list);
        let width = self.encoder.width();
        let sentences = self.concepts.sentences();
        list.push_values(SENTENCES.to_owned(), vec![sentences.len() / width, width], sentences.to_vec());
        list.push_values(NAMES.to_owned(), vec![self.n_concepts(), self.dim], self.names.clone());
        if let Some(shapes) = &self.shapes {
            list.push_values(SHAPES.to_owned(), vec![shapes.len()], shapes.clone());
        }
    }
}

/// Whether a query is near to any concept.
fn is_familiar(similarities: &[f32]) -> bool {
    similarities.iter().any(|similarity| *similarity >= FAMILIAR)
}

/// The numbers of a tensor.
fn values<const D: usize>(
    source: &WeightSource,
    name: &str,
    shape: [usize; D],
) -> Result<Vec<f32>, WeightsError> {
    let tensor = source.tensor(name, shape, Initializer::Normal(1.0))?;
    Ok(tensor.into_data().try_into_vec().expect("weights are f32"))
}

/// The fraction of a text's words that the text tower was trained on, 0–1.
fn known_fraction(text: &str, tokenizer: &Tokenizer) -> f32 {
    let (mut known, mut all) = (0.0, 0.0);
    for word in words::content_words(text) {
        all += 1.0;
        known += f32::from(u8::from(tokenizer.has_word(&word)));
    }
    if all > 0.0 { known / all } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn shapes_have_directions_of_their_own() {
        let pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "box"].map(str::to_owned).to_vec();
        let concept = |name: &str| Concept { name: name.to_owned(), sentences: 1 };
        let config = LanguageConfig {
            sentence: SentenceConfig { pieces, width: 32, layers: 1, mlp_width: 8, context: 4 },
            concepts: vec![concept("box"), concept("ball")],
            shape_scale: 2.0_f32.ln(),
            query_scale: 20.0,
            feature_weight: 3.0,
            fitted_to_shapes: true,
        };
        let source = WeightSource::random(1, &Device::flex());
        let mut language = Language::load(&source, config, 2).unwrap();
        language.names = vec![1.0, 0.0, 0.0, 1.0];
        language.shapes = Some(vec![0.0, 1.0, 1.0, 0.0]);
        let shape = Embedding::new(vec![1.0, 0.0]).unwrap();
        // A cosine of 1 more doubles the odds: 2 : 1 for the second concept, whose direction this is.
        let found = language.concept_probabilities(&shape);
        assert!((found[0] - 1.0 / 3.0).abs() < 1e-6 && (found[1] - 2.0 / 3.0).abs() < 1e-6, "{found:?}");
        let of_names = language.probabilities(&language.names, &shape);
        assert!((of_names[0] - 2.0 / 3.0).abs() < 1e-6, "{of_names:?}");
    }

    /// Headers of untrusted files: each would otherwise be a panic when a text is embedded.
    #[test]
    fn invalid_headers_are_errors() {
        let pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "box"].map(str::to_owned).to_vec();
        let valid = LanguageConfig {
            sentence: SentenceConfig { pieces, width: 32, layers: 1, mlp_width: 8, context: 4 },
            concepts: vec![Concept { name: "box".to_owned(), sentences: 2 }],
            shape_scale: 20.0,
            query_scale: 20.0,
            feature_weight: 3.0,
            fitted_to_shapes: false,
        };
        let load = |change: &dyn Fn(&mut LanguageConfig)| {
            let mut config = valid.clone();
            change(&mut config);
            Language::load(&WeightSource::random(1, &Device::flex()), config, 8)
                .map_err(|error| error.to_string())
        };
        assert_eq!(load(&|_| {}).unwrap().n_concepts(), 1);
        let check = |change: &dyn Fn(&mut LanguageConfig), expected: &str| {
            let error = load(change).unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(&|config| config.sentence.width = 0, "width 0");
        check(&|config| config.sentence.width = 40, "width 40, expected a multiple of 32");
        check(&|config| config.sentence.context = 1, "texts of 1 tokens");
        check(&|config| config.concepts.clear(), "without concepts");
        check(&|config| config.concepts[0].sentences = 0, "\"box\" has no sentences");
        check(&|config| config.query_scale = f32::INFINITY, "must be finite");
        check(
            &|config| config.concepts = vec![Concept { name: "box".to_owned(), sentences: usize::MAX }; 2],
            "too many sentences",
        );
    }
}
