//! A captioner with a Q-Former between an embedding and a language model, as ULIP-2's third downstream task
//! ([arXiv 2305.08275](https://arxiv.org/abs/2305.08275), by the method of X-InstructBLIP,
//! [arXiv 2311.18799](https://arxiv.org/abs/2311.18799)).
//!
//! A frozen encoder gives one token, learned queries attend to it, and a linear layer turns them into tokens of a language model, which
//! may be frozen: cue, queries, instruction, answer. Unlike X-InstructBLIP's, the queries do not read the instruction.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use super::config::DECODER;
use super::qformer_config::{CaptionLanguage, QFormerCaptionerConfig};
use super::words::CaptionWords;
use crate::blip::QFormer;
use crate::config_key;
use crate::embedding::Embedding;
use crate::error::ModelError;
use crate::lm::{
    DecodingStrategy, EndTokens, Generation, LanguageModel, LengthLimits, TextGenerator, TextOptions, decode,
};
use crate::nn::LayerNorm;
use crate::precision::WeightPrecision;
use crate::registry;
use crate::weights::{Precision, TensorList, WeightFile, WeightSource, WeightsError};

/// Prefix of the norm of embeddings.
const NORM: &str = "norm";
/// Added to the variance of an embedding.
const EPSILON: f64 = 1e-5;

/// Embeddings → the next words.
#[derive(Module, Debug)]
pub struct QFormerNetwork {
    norm: LayerNorm,
    qformer: QFormer,
    language: LanguageModel,
}

/// The language model of a captioner, with its tokenizer.
pub struct LanguagePart {
    /// Name and fingerprint of a pretrained one.
    id: Option<String>,
    language: LanguageModel,
    words: CaptionWords,
    ends: EndTokens,
    context: usize,
    width: usize,
}

/// A text as ids: what is given, and what is to be learned or generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstructionTokens {
    /// The instruction.
    pub instruction: Vec<u32>,
    /// The answer and the end.
    pub answer: Vec<u32>,
}

/// A captioner with a Q-Former.
#[derive(Clone)]
pub struct QFormerCaptioner {
    id: String,
    config: QFormerCaptionerConfig,
    network: QFormerNetwork,
    words: CaptionWords,
    ends: EndTokens,
    context: usize,
}

impl LanguagePart {
    /// Opens a pretrained language model, or reads `text_decoder.*` of `source`, which is random for a new one.
    ///
    /// # Errors
    /// If the weights cannot be opened, or are not those that the configuration names.
    pub fn load(source: &WeightSource, config: &QFormerCaptionerConfig) -> Result<Self, ModelError> {
        match &config.language {
            CaptionLanguage::Pretrained { path, id } => {
                let generator = TextGenerator::open(path, source.device())?;
                if !id.is_empty() && generator.id() != id {
                    let message = format!(
                        "{} needs the language model {id}, found {} in {path}",
                        config.name,
                        generator.id()
                    );
                    return Err(ModelError::InvalidLanguage(message));
                }
                Ok(Self {
                    id: Some(generator.id().to_owned()),
                    language: generator.language_model().clone(),
                    words: CaptionWords::BytePair(generator.tokenizer().clone()),
                    ends: generator.ends(),
                    context: generator.config().context,
                    width: generator.config().block.transformer.width,
                })
            }
            CaptionLanguage::Own { sizes, words } => {
                let language = sizes.config(words.len()).map_err(ModelError::InvalidLanguage)?;
                Ok(Self {
                    id: None,
                    language: LanguageModel::load(source, DECODER, &language)?,
                    words: CaptionWords::Words(words.clone()),
                    ends: EndTokens::new(&[words.end()]),
                    context: sizes.context,
                    width: sizes.width,
                })
            }
        }
    }

    /// Name and fingerprint of the weights, if it is a pretrained one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl QFormerNetwork {
    fn load(
        source: &WeightSource,
        config: &QFormerCaptionerConfig,
        language: LanguageModel,
        width: usize,
    ) -> Result<Self, ModelError> {
        let sizes = config.qformer.config().map_err(ModelError::InvalidLanguage)?;
        Ok(Self {
            norm: LayerNorm::load(source, NORM, config.dim, EPSILON)?,
            qformer: QFormer::load(source, &sizes, [config.dim, width])?,
            language,
        })
    }

    /// The tokens that the language model reads of embeddings: `[rows, dim]` → `[rows, queries, width]`.
    pub fn queries(&self, features: Tensor<2>) -> Tensor<3> {
        self.qformer.forward(self.norm.forward(features).unsqueeze_dim(1))
    }

    /// Cue and queries, `[rows, cue + queries, width]`.
    fn prefix(&self, features: Tensor<2>, cue: &[u32]) -> Tensor<3> {
        let queries = self.queries(features);
        let rows = queries.dims()[0];
        if cue.is_empty() {
            return queries;
        }
        Tensor::cat(vec![self.language.embed(&cue.repeat(rows), rows), queries], 1)
    }

    /// Logits of each token of texts, given the ones before: features `[rows, dim]` and ids of `rows` texts of the same length, row by
    /// row, padded at the end → `[rows, tokens, vocabulary]`.
    pub fn forward(&self, features: Tensor<2>, cue: &[u32], ids: &[u32]) -> Tensor<3> {
        let prefix = self.prefix(features, cue);
        let [rows, before, width] = prefix.dims();
        let tokens = ids.len() / rows.max(1);
        // The last token has no successor.
        let read: Vec<u32> = ids.chunks_exact(tokens).flat_map(|row| row[..tokens - 1].to_vec()).collect();
        let x = match tokens {
            1 => prefix,
            _ => Tensor::cat(vec![prefix, self.language.embed(&read, rows)], 1),
        };
        let x = self.language.append(&mut self.language.init_state(None), x);
        let x = x.slice([0..rows, before - 1..before - 1 + tokens, 0..width]);
        let logits = self.language.logits(x.reshape([rows * tokens, width]));
        let [_, vocabulary] = logits.dims();
        logits.reshape([rows, tokens, vocabulary])
    }

    fn save(&self, with_language: bool) -> TensorList {
        let mut list = TensorList::default();
        self.norm.save(NORM, &mut list);
        self.qformer.save(&mut list);
        if with_language {
            self.language.save(DECODER, &mut list);
        }
        list
    }
}

impl QFormerCaptioner {
    /// A new captioner to be trained, with random weights of `source` except for a pretrained language model.
    ///
    /// # Errors
    /// If sizes are out of range, or the language model cannot be opened.
    pub fn new(
        config: QFormerCaptionerConfig,
        source: &WeightSource,
        language: LanguagePart,
    ) -> Result<Self, ModelError> {
        let LanguagePart { language, words, ends, context, width, .. } = language;
        let network = QFormerNetwork::load(source, &config, language, width)?;
        let id = config.name.clone();
        let captioner = Self { id, config, network, words, ends, context };
        let before = captioner.prefix_length() + captioner.instruction(None).len();
        if before + 1 >= context {
            let (max_tokens, model) = (context, captioner.id);
            return Err(ModelError::PromptTooLong { model, prompt_tokens: before, max_tokens });
        }
        Ok(captioner)
    }

    /// Whether a file is such a captioner.
    pub fn matches_file(file: &WeightFile) -> bool {
        file.metadata(config_key::QFORMER_CAPTIONER).is_some()
    }

    /// Opens a captioner.
    ///
    /// # Errors
    /// If there is no such file, its language model cannot be opened, or a tensor is missing, misshaped or unused.
    pub fn open(path: &str, device: &Device) -> Result<Self, ModelError> {
        Self::from_file(&registry::open_weights(path)?, device, WeightPrecision::F32)
    }

    /// As [`open`](Self::open), from an open file, with the weights of the language model rounded to a precision.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_file(
        file: &WeightFile,
        device: &Device,
        precision: WeightPrecision,
    ) -> Result<Self, ModelError> {
        let source = WeightSource::file(file, "", device).with_weight_precision(precision);
        let Some(header) = file.metadata(config_key::QFORMER_CAPTIONER) else {
            return Err(source.invalid("it is no captioner with a Q-Former".to_owned()).into());
        };
        let config: QFormerCaptionerConfig = serde_json::from_str(header)
            .map_err(|error| source.invalid(format!("invalid header: {error}")))?;
        let language = LanguagePart::load(&source, &config)?;
        let source = source.with_weight_precision(WeightPrecision::F32);
        let mut captioner = Self::new(config, &source, language)?;
        captioner.id = format!("{}@{:08x}", captioner.config.name, source.fingerprint());
        source.finish(|_| false)?;
        Ok(captioner)
    }

    /// Name and fingerprint of the weights.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sizes, texts, and the model whose embeddings it describes.
    pub fn config(&self) -> &QFormerCaptionerConfig {
        &self.config
    }

    /// The network.
    pub fn network(&self) -> &QFormerNetwork {
        &self.network
    }

    /// The same captioner with another network of the same sizes.
    #[must_use]
    pub fn with_network(self, network: QFormerNetwork) -> Self {
        Self { network, ..self }
    }

    /// Ids in front of the queries.
    pub fn cue(&self) -> Vec<u32> {
        [self.words.start(), self.words.encode(&self.config.cue)].concat()
    }

    /// Ids of the instruction: a question, or the prompt of a caption.
    fn instruction(&self, question: Option<&str>) -> Vec<u32> {
        match question {
            Some(question) => self.words.encode(&format!("Question: {question} Answer:")),
            None => self.words.encode(&self.config.prompt),
        }
    }

    fn prefix_length(&self) -> usize {
        self.cue().len() + self.config.qformer.queries
    }

    /// A caption, or the answer to a question, as training reads it, cut to the context.
    pub fn tokens(&self, question: Option<&str>, answer: &str) -> InstructionTokens {
        let room = self.context.saturating_sub(self.prefix_length() + 1);
        let mut instruction = self.instruction(question);
        instruction.truncate(room.saturating_sub(1));
        let mut answer = self.words.encode(answer);
        answer.truncate(room - instruction.len());
        answer.extend(self.words.end(self.ends));
        InstructionTokens { instruction, answer }
    }

    /// The features of an embedding that the network reads.
    ///
    /// # Errors
    /// [`ModelError::Dimension`] if the embedding is shorter, [`ModelError::InvalidNorm`] if it has no direction.
    pub fn features(&self, embedding: &Embedding) -> Result<Embedding, ModelError> {
        let (dim, values) = (self.config.dim, embedding.as_slice());
        if values.len() < dim {
            let (captioner, found) = (self.id.clone(), values.len());
            return Err(ModelError::Dimension { captioner, expected: dim, found });
        }
        // Relevances of kinds of objects may follow the features.
        Embedding::new(values[..dim].to_vec())
    }

    /// Captions of an embedding, or answers to a question about it, best first: one, or as many as are sampled.
    ///
    /// # Errors
    /// As [`features`](Self::features), and [`ModelError::PromptTooLong`] if the question leaves no room for an answer.
    pub fn answer(
        &self,
        embedding: &Embedding,
        question: Option<&str>,
        options: &TextOptions,
    ) -> Result<Vec<String>, ModelError> {
        let features = self.features(embedding)?;
        let texts = self.generate(&[features.as_slice()], question, options)?;
        Ok(texts.into_iter().next().unwrap_or_default())
    }

    /// The texts of several rows of features, each with the same instruction.
    ///
    /// # Errors
    /// [`ModelError::PromptTooLong`] if the question leaves no room for an answer.
    pub fn generate(
        &self,
        features: &[&[f32]],
        question: Option<&str>,
        options: &TextOptions,
    ) -> Result<Vec<Vec<String>>, ModelError> {
        let rows = features.len();
        let instruction = self.instruction(question);
        let prompt_length = self.prefix_length() + instruction.len();
        let max_length = prompt_length.saturating_add(options.max_tokens).min(self.context);
        if prompt_length >= max_length {
            let (model, max_tokens) = (self.id.clone(), self.context);
            return Err(ModelError::PromptTooLong { model, prompt_tokens: prompt_length, max_tokens });
        }
        let limits = LengthLimits {
            ends: EndTokens::new(&self.words.end(self.ends).into_iter().collect::<Vec<_>>()),
            padding: 0,
            prompt_length,
            min_length: prompt_length + options.min_tokens,
            max_length,
        };
        let seed = |row: usize| options.seed.wrapping_add(row as u64);
        let mut searches: Vec<Generation> =
            (0..rows).map(|row| Generation::new(options.decoding, limits, seed(row))).collect();
        let (network, language) = (&self.network, &self.network.language);
        let data = TensorData::new(features.concat(), [rows, self.config.dim]);
        let mut x = network.prefix(Tensor::from_data(data, &network.norm.device()), &self.cue());
        if !instruction.is_empty() {
            x = Tensor::cat(vec![x, language.embed(&instruction.repeat(rows), rows)], 1);
        }
        let mut state = language.init_state(None);
        let logits = language.prompt(&mut state, x);
        decode(language, &mut state, logits, &mut searches, &mut |_| ControlFlow::Continue(()));
        let texts =
            |search: Generation| search.sentences().iter().map(|ids| self.words.decode(ids)).collect();
        Ok(searches.into_iter().map(texts).collect())
    }

    /// Options of captions: five beams, as ULIP-2's evaluation, at most 80 tokens.
    pub fn default_options() -> TextOptions {
        TextOptions {
            decoding: DecodingStrategy::BeamSearch(5),
            min_tokens: 1,
            max_tokens: 80,
            ..TextOptions::default()
        }
    }

    /// Saves the captioner as one `.safetensors` file, without a pretrained language model.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), WeightsError> {
        let is_own = matches!(self.config.language, CaptionLanguage::Own { .. });
        let header = serde_json::to_string(&self.config).expect("a configuration has only strings for keys");
        let header = HashMap::from([(config_key::QFORMER_CAPTIONER.to_owned(), header)]);
        self.network.save(is_own).write(path, precision, header)
    }
}
