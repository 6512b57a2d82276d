//! A language model of `transformers`, with its tokenizer: text → text.

use std::ops::ControlFlow;

use burn::tensor::{Device, Tensor};

use super::architecture::{Architecture, NAME, check_tie};
use super::config_file::{StatedModel, companion_error, read_config};
use super::{
    DecodingStrategy, EndTokens, Generation, LanguageModel, LanguageModelConfig, LengthLimits, decode,
};
use crate::error::ModelError;
use crate::precision::WeightPrecision;
use crate::registry;
use crate::tokenizer::BytePairTokenizer;
use crate::weights::{Layout, WeightFile, WeightSource, WeightsError};

/// Name of the tokenizer's file.
pub(crate) const TOKENIZER_FILE: &str = "tokenizer.json";
/// Name of SentencePiece's file, from which `transformers` makes the other.
const PIECES_FILE: &str = "tokenizer.model";
/// Name of the output layer in `transformers`.
const HEAD: &str = "lm_head.weight";

/// Options of text generation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextOptions {
    /// Decoding method.
    pub decoding: DecodingStrategy,
    /// Minimum number of new tokens.
    pub min_tokens: usize,
    /// Maximum number of new tokens.
    pub max_tokens: usize,
    /// Seed of sampling.
    pub seed: u64,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { decoding: DecodingStrategy::Greedy, min_tokens: 0, max_tokens: 64, seed: 0 }
    }
}

/// A language model with its tokenizer: GPT-2, OPT, Llama, Mistral, Qwen2, Qwen3 or Phi, as `transformers` stores them.
///
/// ```no_run
/// use lexiform_model::Device;
/// use lexiform_model::lm::{TextGenerator, TextOptions};
///
/// let generator = TextGenerator::open("folder/with/gpt2", &Device::flex())?;
/// let texts = generator.generate("A chair is", &TextOptions::default(), &mut |part| print!("{part}"))?;
/// assert_eq!(texts.len(), 1);
/// # Ok::<(), lexiform_model::ModelError>(())
/// ```
#[derive(Debug)]
pub struct TextGenerator {
    id: String,
    stated: StatedModel,
    language: LanguageModel,
    tokenizer: BytePairTokenizer,
}

impl TextGenerator {
    /// Opens the weights at a path (`model.safetensors`, its index, `pytorch_model.bin`), or those in a folder, with `config.json`
    /// and `tokenizer.json` next to them.
    ///
    /// # Errors
    /// If there is no such file, one of the other files is missing or describes a network or tokenizer that is not supported, or a
    /// tensor is missing, misshaped or unused.
    pub fn open(path: &str, device: &Device) -> Result<Self, ModelError> {
        Self::from_file(&registry::open_weights(path)?, device, WeightPrecision::F32)
    }

    /// As [`open`](Self::open), from an open file, with weights rounded to a precision. They are read and rounded one tensor at a
    /// time, so that loading needs little more memory than the rounded network.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_file(
        file: &WeightFile,
        device: &Device,
        precision: WeightPrecision,
    ) -> Result<Self, ModelError> {
        let stated = read_config(file)?;
        let tokenizer = read_tokenizer(file, stated.config.vocabulary)?;
        let prefix = stated.architecture.prefix(file);
        let layout = stated.architecture.layout(Layout::prefixed(""), prefix);
        let table = layout.name(&format!("{NAME}.token_embedding.weight"));
        let source = WeightSource::with_layout(file, layout, device).with_weight_precision(precision);
        let language = LanguageModel::load(&source, NAME, &stated.config)?;
        let is_tied = stated.config.output.is_tied;
        if is_tied {
            check_tie(file, HEAD, &table)?;
        }
        let name = file.stem().unwrap_or_else(|| stated.architecture.name().to_lowercase());
        let id = format!("{name}@{:08x}", source.fingerprint());
        source.finish(|name| (is_tied && name == HEAD) || stated.architecture.ignores(name))?;
        Ok(Self { id, stated, language, tokenizer })
    }

    /// A generator of a network that is a part of another.
    pub(crate) fn from_parts(
        id: String,
        stated: StatedModel,
        language: LanguageModel,
        tokenizer: BytePairTokenizer,
    ) -> Self {
        Self { id, stated, language, tokenizer }
    }

    /// Name and fingerprint of the weights.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The kind of model.
    pub fn architecture(&self) -> Architecture {
        self.stated.architecture
    }

    /// Sizes, and in what it differs from others.
    pub fn config(&self) -> &LanguageModelConfig {
        &self.stated.config
    }

    /// The tokens that end a text.
    pub fn ends(&self) -> EndTokens {
        self.stated.ends
    }

    /// The network.
    pub fn language_model(&self) -> &LanguageModel {
        &self.language
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &BytePairTokenizer {
        &self.tokenizer
    }

    /// Generates continuations of a prompt. `on_text` gets the text of the first one, each part when it is generated; with beam search, at the
    /// end.
    ///
    /// # Errors
    /// [`ModelError::PromptTooLong`] if the prompt leaves no room for a token.
    pub fn generate(
        &self,
        prompt: &str,
        options: &TextOptions,
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Vec<String>, ModelError> {
        let ids = self.prompt_ids(prompt);
        self.generate_after(self.language.embed(&ids, 1), options, on_text)
    }

    /// As [`generate`](Self::generate), after an embedded prompt, `[1, tokens, width]`.
    ///
    /// # Errors
    /// [`ModelError::PromptTooLong`] if the prompt leaves no room for a token.
    pub fn generate_after(
        &self,
        prompt: Tensor<3>,
        options: &TextOptions,
        on_text: &mut dyn FnMut(&str),
    ) -> Result<Vec<String>, ModelError> {
        let mut shown = 0;
        let mut show = |text: &str, is_end: bool| {
            // A character may need several tokens: until they are complete, it is U+FFFD.
            let end = if is_end { text.len() } else { text.trim_end_matches('\u{FFFD}').len() };
            if let Some(part) = text.get(shown..end).filter(|part| !part.is_empty()) {
                on_text(part);
                shown = end;
            }
        };
        let is_streamed = !matches!(options.decoding, DecodingStrategy::BeamSearch(_));
        let texts = self.generate_ids_after(prompt, options, &mut |ids| {
            if is_streamed {
                show(&self.tokenizer.decode(ids), false);
            }
            ControlFlow::Continue(())
        })?;
        let texts: Vec<String> = texts.iter().map(|ids| self.tokenizer.decode(ids)).collect();
        if let Some(text) = texts.first() {
            show(text, true);
        }
        Ok(texts)
    }

    /// The ids of a prompt, with the start tokens that the model was trained with.
    pub fn prompt_ids(&self, prompt: &str) -> Vec<u32> {
        let ids = [self.tokenizer.start(), &self.tokenizer.encode(prompt)].concat();
        // A network needs a token to begin with.
        if ids.is_empty() { vec![self.stated.start.unwrap_or(self.stated.padding)] } else { ids }
    }

    /// As [`generate`](Self::generate), on ids of tokens: those generated after `prompt`, which is not empty, without end tokens.
    /// `on_step` gets the ids of the first text so far, and may end the generation.
    ///
    /// # Errors
    /// [`ModelError::PromptTooLong`] if the prompt leaves no room for a token.
    pub fn generate_ids(
        &self,
        prompt: &[u32],
        options: &TextOptions,
        on_step: &mut dyn FnMut(&[u32]) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<u32>>, ModelError> {
        self.generate_ids_after(self.language.embed(prompt, 1), options, on_step)
    }

    /// As [`generate_ids`](Self::generate_ids), after an embedded prompt, `[1, tokens, width]`.
    ///
    /// # Errors
    /// [`ModelError::PromptTooLong`] if the prompt leaves no room for a token.
    pub fn generate_ids_after(
        &self,
        prompt: Tensor<3>,
        options: &TextOptions,
        on_step: &mut dyn FnMut(&[u32]) -> ControlFlow<()>,
    ) -> Result<Vec<Vec<u32>>, ModelError> {
        let (context, [_, prompt_length, _]) = (self.stated.config.context, prompt.dims());
        let max_length = prompt_length.saturating_add(options.max_tokens).min(context);
        if prompt_length == 0 || prompt_length >= max_length {
            let (model, max_tokens) = (self.id.clone(), context);
            return Err(ModelError::PromptTooLong { model, prompt_tokens: prompt_length, max_tokens });
        }
        let StatedModel { ends, padding, .. } = self.stated;
        let min_length = prompt_length + options.min_tokens;
        let limits = LengthLimits { ends, padding, prompt_length, min_length, max_length };
        let mut search = Generation::new(options.decoding, limits, options.seed);
        let mut state = self.language.init_state(None);
        let logits = self.language.prompt(&mut state, prompt);
        let searches = std::slice::from_mut(&mut search);
        let mut step = |searches: &[Generation]| match searches.first() {
            Some(search) => on_step(search.first_words()),
            None => ControlFlow::Break(()),
        };
        decode(&self.language, &mut state, logits, searches, &mut step);
        Ok(search.sentences())
    }
}

/// `tokenizer.json`, or `tokenizer.model` of SentencePiece, next to the weights of a network that knows `vocabulary` ids.
pub(crate) fn read_tokenizer(
    file: &WeightFile,
    vocabulary: usize,
) -> Result<BytePairTokenizer, WeightsError> {
    let failed = |message: String| companion_error(file, TOKENIZER_FILE, message);
    let [path, pieces] = [TOKENIZER_FILE, PIECES_FILE].map(|name| file.path().with_file_name(name));
    // Both hold the same tokens where there are both.
    let (path, name) =
        if !path.is_file() && pieces.is_file() { (pieces, PIECES_FILE) } else { (path, TOKENIZER_FILE) };
    let tokenizer = BytePairTokenizer::read(&path).map_err(|message| companion_error(file, name, message))?;
    match tokenizer.len() <= vocabulary {
        true => Ok(tokenizer),
        false => Err(failed(format!("it has {} tokens, the network knows {vocabulary}", tokenizer.len()))),
    }
}
