//! Captions from embeddings: a language model that continues an embedding of a joint space.
//!
//! ClipCap ([arXiv 2111.09734](https://arxiv.org/abs/2111.09734)) learns from images with captions, and makes several tokens of an
//! embedding. DeCap ([arXiv 2303.03032](https://arxiv.org/abs/2303.03032)) learns to reconstruct texts from their own embeddings, and
//! replaces the embedding of an image or shape by a mean of near embeddings of texts ([`TextMemory`]): no pairs are needed, so that it
//! works in any joint space. With pairs, a [`QFormerCaptioner`] learns what a frozen language model needs to know of an embedding.

mod clipcap;
mod config;
mod kinds;
mod mapper;
mod memory;
mod qformer_captioner;
mod qformer_config;
mod words;

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};

use self::config::{DECODER, MAPPER};
pub use self::config::{PrefixCaptionerConfig, PrefixSizes};
use self::kinds::{built_in_kinds, other_kind};
use self::mapper::PrefixMapper;
pub use self::memory::{MemoryConfig, TextMemory};
pub use self::qformer_captioner::{InstructionTokens, LanguagePart, QFormerCaptioner, QFormerNetwork};
pub use self::qformer_config::{CaptionLanguage, LanguageSizes, QFormerCaptionerConfig, QFormerSizes};
use self::words::CaptionWords;
use crate::config_key;
use crate::embedding::Embedding;
use crate::error::ModelError;
use crate::lm::{
    self, DecodingStrategy, EndTokens, Generation, LanguageModel, LengthLimits, TextOptions, decode,
};
use crate::precision::WeightPrecision;
use crate::registry;
use crate::weights::{Precision, TensorList, WeightFile, WeightSource, WeightsError};

/// The end of a sentence in ClipCap.
const FULL_STOP: &str = ".";

/// The trained part of a captioner.
#[derive(Module, Debug)]
pub struct PrefixNetwork {
    prefix: PrefixMapper,
    language: LanguageModel,
}

/// A language model that describes embeddings of one joint space.
#[derive(Debug)]
pub struct PrefixCaptioner {
    id: String,
    config: PrefixCaptionerConfig,
    network: PrefixNetwork,
    words: CaptionWords,
    ends: EndTokens,
    memory: Option<TextMemory>,
}

impl PrefixNetwork {
    /// Reads `prefix.*` and `text_decoder.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, config: &PrefixSizes) -> Result<Self, WeightsError> {
        Ok(Self {
            prefix: PrefixMapper::load(source, MAPPER, config)?,
            language: LanguageModel::load(source, DECODER, &config.language)?,
        })
    }

    /// Logits of each token of captions, given the ones before: features `[rows, dim]` and ids of `rows` captions of the same
    /// length, row by row → `[rows, tokens, vocabulary]`.
    pub fn forward(&self, features: Tensor<2>, ids: &[u32]) -> Tensor<3> {
        let prefix = self.prefix.forward(features);
        let [rows, prefix_tokens, width] = prefix.dims();
        let tokens = ids.len() / rows.max(1);
        // The last token has no successor.
        let read: Vec<u32> = ids.chunks_exact(tokens).flat_map(|row| row[..tokens - 1].to_vec()).collect();
        let x = match tokens {
            1 => prefix,
            _ => Tensor::cat(vec![prefix, self.language.embed(&read, rows)], 1),
        };
        let mut state = self.language.init_state(None);
        let x = self.language.append(&mut state, x);
        let from = prefix_tokens - 1;
        let x = x.slice([0..rows, from..from + tokens, 0..width]).reshape([rows * tokens, width]);
        let logits = self.language.logits(x);
        let [_, vocabulary] = logits.dims();
        logits.reshape([rows, tokens, vocabulary])
    }
}

impl PrefixCaptioner {
    /// Opens a captioner of ours, or a checkpoint of ClipCap with GPT-2's `tokenizer.json`, and perhaps its `config.json`,
    /// next to it.
    ///
    /// # Errors
    /// If there is no such file, it is not a captioner, or a tensor is missing, misshaped or unused.
    pub fn open(path: &str, device: &Device) -> Result<Self, ModelError> {
        Self::from_file(&registry::open_weights(path)?, device, WeightPrecision::F32)
    }

    /// The captioner of a built-in model.
    ///
    /// # Errors
    /// None in practice: the file is part of the library.
    pub fn built_in(device: &Device) -> Result<Self, ModelError> {
        let mut captioner = Self::from_file(&registry::nano_captioner()?, device, WeightPrecision::F32)?;
        captioner.config.kinds = built_in_kinds()?;
        Ok(captioner)
    }

    /// Whether a file is a captioner.
    pub fn matches_file(file: &WeightFile) -> bool {
        file.metadata(config_key::CAPTIONER).is_some() || clipcap::matches_file(file)
    }

    /// As [`open`](Self::open), from an open file, with weights rounded to a precision.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_file(
        file: &WeightFile,
        device: &Device,
        precision: WeightPrecision,
    ) -> Result<Self, ModelError> {
        match file.metadata(config_key::CAPTIONER) {
            Some(header) => Self::own(file, header, device, precision),
            None => Self::released(file, device, precision),
        }
    }

    fn own(
        file: &WeightFile,
        header: &str,
        device: &Device,
        precision: WeightPrecision,
    ) -> Result<Self, ModelError> {
        let source = WeightSource::file(file, "", device).with_weight_precision(precision);
        let invalid = |message: String| source.invalid(format!("invalid header: {message}"));
        let config: PrefixCaptionerConfig =
            serde_json::from_str(header).map_err(|error| invalid(error.to_string()))?;
        let sizes = config.sizes().map_err(invalid)?;
        let network = PrefixNetwork::load(&source, &sizes)?;
        let memory = config.memory.map(|stated| TextMemory::load(&source, stated, config.dim)).transpose()?;
        let id = format!("{}@{:08x}", config.name, source.fingerprint());
        source.finish(|_| false)?;
        let ends = EndTokens::new(&[config.words.end()]);
        let words = CaptionWords::Words(config.words.clone());
        Ok(Self { id, config, network, words, ends, memory })
    }

    fn released(file: &WeightFile, device: &Device, precision: WeightPrecision) -> Result<Self, ModelError> {
        if !clipcap::matches_file(file) {
            let message = "neither a captioner of ours nor the tensors of ClipCap".to_owned();
            return Err(WeightsError::Unrecognized { path: file.path().to_owned(), message }.into());
        }
        let sizes = clipcap::sizes(file)?;
        let tokenizer = lm::read_tokenizer(file, sizes.language.vocabulary)?;
        let source =
            WeightSource::with_layout(file, clipcap::layout(), device).with_weight_precision(precision);
        let network = PrefixNetwork::load(&source, &sizes)?;
        clipcap::check_tie(file)?;
        let name = file.stem().unwrap_or_else(|| "clipcap".to_owned());
        let id = format!("{name}@{:08x}", source.fingerprint());
        source.finish(clipcap::ignores)?;
        let config = PrefixCaptionerConfig::released(name, &sizes);
        // A caption ends at its first full stop, as in the authors' code.
        let ends = EndTokens::new(&tokenizer.encode(FULL_STOP));
        Ok(Self { id, config, network, words: CaptionWords::BytePair(tokenizer), ends, memory: None })
    }

    /// A new captioner to be saved, of a trained network.
    ///
    /// # Errors
    /// If sizes do not fit each other.
    pub fn new(
        config: PrefixCaptionerConfig,
        network: PrefixNetwork,
        memory: Option<TextMemory>,
    ) -> Result<Self, ModelError> {
        config.sizes().map_err(ModelError::InvalidLanguage)?;
        let ends = EndTokens::new(&[config.words.end()]);
        let words = CaptionWords::Words(config.words.clone());
        Ok(Self { id: config.name.clone(), config, network, words, ends, memory })
    }

    /// Name and fingerprint of the weights.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sizes, vocabulary, and the model whose embeddings it describes.
    pub fn config(&self) -> &PrefixCaptionerConfig {
        &self.config
    }

    /// The network.
    pub fn network(&self) -> &PrefixNetwork {
        &self.network
    }

    /// Embeddings of texts that embeddings are projected on, if it has them.
    pub fn memory(&self) -> Option<&TextMemory> {
        self.memory.as_ref()
    }

    /// Captions of an embedding, best first: one, or as many as are sampled. The embedding may have relevances of kinds of objects
    /// after its `dim` features, as those of a model with everyday language do.
    ///
    /// # Errors
    /// [`ModelError::Dimension`] if the embedding is of another length, [`ModelError::InvalidNorm`] if it has no direction.
    pub fn caption(&self, embedding: &Embedding, options: &TextOptions) -> Result<Vec<String>, ModelError> {
        let ids = self.caption_ids(&self.prefix_features(embedding)?, options);
        Ok(ids.iter().map(|ids| self.words.decode(ids)).collect())
    }

    /// The most probable caption of an embedding. If it may as well be of a kind of objects that the caption does not name, that
    /// follows: "a wooden desk with four drawers (perhaps dresser)".
    ///
    /// # Errors
    /// As [`caption`](Self::caption).
    pub fn describe(&self, embedding: &Embedding) -> Result<String, ModelError> {
        let captions = self.caption(embedding, &Self::default_options())?;
        let caption = captions.into_iter().next().unwrap_or_default();
        let relevances = embedding.as_slice().get(self.config.dim..).unwrap_or_default();
        Ok(match other_kind(&self.config.kinds, relevances, &caption) {
            Some(kind) => format!("{caption} (perhaps {kind})"),
            None => caption,
        })
    }

    /// The features that the network continues: the embedding's own, or their projection on texts.
    ///
    /// # Errors
    /// As [`caption`](Self::caption).
    pub fn prefix_features(&self, embedding: &Embedding) -> Result<Embedding, ModelError> {
        let (dim, values) = (self.config.dim, embedding.as_slice());
        let kinds = self.memory.as_ref().map_or(0, TextMemory::n_kinds);
        let has_kinds = kinds > 0 && values.len() == dim + kinds;
        if values.len() != dim && !has_kinds {
            let (captioner, found) = (self.id.clone(), values.len());
            return Err(ModelError::Dimension { captioner, expected: dim, found });
        }
        let features = Embedding::new(values[..dim].to_vec())?;
        match &self.memory {
            Some(memory) => memory.project(&features, has_kinds.then(|| &values[dim..])),
            None => Ok(features),
        }
    }

    /// Ids of captions of features, without the end.
    fn caption_ids(&self, features: &Embedding, options: &TextOptions) -> Vec<Vec<u32>> {
        let values = features.as_slice().to_vec();
        let shape = [1, values.len()];
        let features = Tensor::<2>::from_data(TensorData::new(values, shape), &self.network.device());
        let prefix = self.network.prefix.forward(features);
        let prompt_length = prefix.dims()[1];
        let context = self.config.context;
        let limits = LengthLimits {
            ends: self.ends,
            padding: 0,
            prompt_length,
            min_length: prompt_length + options.min_tokens,
            max_length: prompt_length.saturating_add(options.max_tokens).min(context),
        };
        let mut search = Generation::new(options.decoding, limits, options.seed);
        let language = &self.network.language;
        let mut state = language.init_state(None);
        let logits = language.prompt(&mut state, prefix);
        let searches = std::slice::from_mut(&mut search);
        decode(language, &mut state, logits, searches, &mut |_| ControlFlow::Continue(()));
        search.sentences()
    }

    /// Options of captions: beam search.
    pub fn default_options() -> TextOptions {
        TextOptions { decoding: DecodingStrategy::BeamSearch(3), min_tokens: 1, ..TextOptions::default() }
    }

    /// Saves a captioner of ours as one `.safetensors` file.
    ///
    /// # Errors
    /// If it is a released one, or the file cannot be written.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), ModelError> {
        let CaptionWords::Words(_) = &self.words else {
            return Err(ModelError::InvalidLanguage(format!(
                "{}: only captioners of ours are saved",
                self.id
            )));
        };
        let mut list = TensorList::default();
        self.network.prefix.save(MAPPER, &mut list);
        self.network.language.save(DECODER, &mut list);
        if let Some(memory) = &self.memory {
            memory.save(&mut list);
        }
        let header = serde_json::to_string(&self.config).expect("a configuration has only strings for keys");
        Ok(list.write(path, precision, HashMap::from([(config_key::CAPTIONER.to_owned(), header)]))?)
    }
}

impl PrefixNetwork {
    fn device(&self) -> Device {
        self.prefix.device()
    }
}
