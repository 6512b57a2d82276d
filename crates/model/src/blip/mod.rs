//! The image captioners BLIP ([arXiv 2201.12086](https://arxiv.org/abs/2201.12086)) and BLIP-2
//! ([arXiv 2301.12597](https://arxiv.org/abs/2301.12597)): an image tower and a language model.
//!
//! BLIP's language model attends to the tokens of the image. BLIP-2's reads what a [`QFormer`] makes of them as embeddings in
//! front of the text.

mod checkpoint_format;
mod config;
mod qformer;
mod tokenizer;

use std::ops::ControlFlow;

use burn::tensor::{Device, Tensor};
use image::RgbaImage;

pub use self::checkpoint_format::CheckpointFormat;
pub use self::config::BlipConfig;
pub use self::qformer::{QFormer, QFormerConfig};
pub use self::tokenizer::CaptionTokenizer;
use crate::clip::ClipVision;
use crate::error::ModelError;
use crate::lm::{DecoderState, EndTokens, Generation, LanguageModel, LengthLimits, SpecialTokens, decode};
pub use crate::lm::{DecodingStrategy, Sampling};
use crate::nn::TransformerConfig;
use crate::preprocess::Preprocess;
use crate::registry;
use crate::weights::{WeightFile, WeightSource, WeightsError};

/// Most images that are captioned together.
const MAX_IMAGE_BATCH: usize = 12;
/// Memory for keys and values of a batch, in bytes.
const CACHE_BYTES: usize = 1 << 30;
/// The prompt that BLIP was trained with (`caption_coco.yaml`).
const BLIP_PROMPT: &str = "a picture of ";

/// Options of caption generation.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerationConfig {
    /// Start of each caption; not part of the result.
    pub prompt: String,
    /// Decoding method.
    pub decoding: DecodingStrategy,
    /// Minimum number of tokens.
    pub min_length: usize,
    /// Maximum number of tokens.
    pub max_length: usize,
    /// Whether the lengths include start token and prompt, as BLIP's, or count generated tokens only, as BLIP-2's.
    pub counts_prompt: bool,
}

impl GenerationConfig {
    /// The options of BLIP's captioner (`caption_coco.yaml`).
    pub fn blip() -> Self {
        Self {
            prompt: BLIP_PROMPT.to_owned(),
            decoding: DecodingStrategy::BeamSearch(3),
            min_length: 5,
            max_length: 20,
            counts_prompt: true,
        }
    }

    /// The options of BLIP-2 in [LAVIS](https://github.com/salesforce/LAVIS): no prompt, five beams, up to 30 tokens.
    pub fn blip_2() -> Self {
        Self {
            prompt: String::new(),
            decoding: DecodingStrategy::BeamSearch(5),
            min_length: 1,
            max_length: 30,
            counts_prompt: false,
        }
    }
}

/// An image captioner: BLIP ([arXiv 2201.12086](https://arxiv.org/abs/2201.12086)) or BLIP-2
/// ([arXiv 2301.12597](https://arxiv.org/abs/2301.12597)).
///
/// ```no_run
/// use image::RgbaImage;
/// use lexiform_model::Device;
/// use lexiform_model::blip::Captioner;
///
/// let captioner = Captioner::open("blip", &Device::flex())?;
/// let captions = captioner.caption(&[RgbaImage::new(384, 384)], &captioner.default_generation(), 0)?;
/// println!("{}", captions[0][0]);
/// # Ok::<(), lexiform_model::ModelError>(())
/// ```
pub struct Captioner {
    id: String,
    config: BlipConfig,
    vision: ClipVision,
    qformer: Option<QFormer>,
    language: LanguageModel,
    tokenizer: CaptionTokenizer,
    preprocess: Preprocess,
    device: Device,
}

impl Captioner {
    /// Whether a file holds a BLIP or BLIP-2 captioner.
    pub fn matches_file(file: &WeightFile) -> bool {
        CheckpointFormat::of(file).is_some()
    }

    /// Opens a captioner by name (`blip`, `blip-large`, `blip2-opt-2.7b`, `blip2-opt-6.7b`), or by the path of its weights or of
    /// the folder with them.
    ///
    /// # Errors
    /// If there is no such model or file, or the weights do not load.
    pub fn open(name_or_path: &str, device: &Device) -> Result<Self, ModelError> {
        let file = registry::open_weights(name_or_path)?;
        // Not whether the path exists: a folder without weights may have the name of a model.
        let is_path = file.path().starts_with(name_or_path);
        Self::named(&file, if is_path { stem(&file) } else { name_or_path.to_owned() }, device)
    }

    /// Loads the network from a file, with `vocab.txt` (BLIP-2: `tokenizer.json`) in the same folder and, in the formats of
    /// `transformers`, `config.json`.
    ///
    /// # Errors
    /// If the file is not a captioner, one of the other files is missing, or a tensor is missing, misshaped or unused.
    pub fn from_file(file: &WeightFile, device: &Device) -> Result<Self, ModelError> {
        Self::named(file, stem(file), device)
    }

    fn named(file: &WeightFile, name: String, device: &Device) -> Result<Self, ModelError> {
        let (format, config) = detect_config(file)?;
        let tokenizer = CaptionTokenizer::read(file, config.qformer.is_some(), config.language.vocabulary)?;
        let source = WeightSource::with_layout(file, format.layout(), device);
        let vision = ClipVision::without_projection(&source, config.vision)?;
        let widths = [config.vision.width, config.language.block.transformer.width];
        let qformer = config.qformer.map(|qformer| QFormer::load(&source, &qformer, widths)).transpose()?;
        let language = LanguageModel::load(&source, "text_decoder", &config.language)?;
        // Output layer and token embedding are one matrix in the network; the file may hold both.
        format.check_ties(file)?;
        let id = format!("{name}@{:08x}", source.fingerprint());
        source.finish(|name| format.ignores(name))?;
        let preprocess = Preprocess::clip(config.vision.image_size);
        Ok(Self { id, config, vision, qformer, language, tokenizer, preprocess, device: device.clone() })
    }

    /// Name and fingerprint of the weights.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sizes and special tokens.
    pub fn config(&self) -> &BlipConfig {
        &self.config
    }

    /// The image tower.
    pub fn vision(&self) -> &ClipVision {
        &self.vision
    }

    /// The Q-Former of a BLIP-2.
    pub fn qformer(&self) -> Option<&QFormer> {
        self.qformer.as_ref()
    }

    /// The language model.
    pub fn language_model(&self) -> &LanguageModel {
        &self.language
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &CaptionTokenizer {
        &self.tokenizer
    }

    /// The options that the authors caption with.
    pub fn default_generation(&self) -> GenerationConfig {
        if self.qformer.is_some() { GenerationConfig::blip_2() } else { GenerationConfig::blip() }
    }

    /// Images → normalized pixels, `[images, 3, size, size]`.
    pub fn pixels(&self, pictures: &[RgbaImage]) -> Tensor<4> {
        self.preprocess.tensor(pictures, &self.device)
    }

    /// Captions of each image, best first. The random seed of image `i` is `seed + i`, so that captions do not depend on how
    /// images are batched.
    ///
    /// # Errors
    /// [`ModelError::PromptTooLong`] if the prompt leaves no room for a caption.
    pub fn caption(
        &self,
        pictures: &[RgbaImage],
        generation: &GenerationConfig,
        seed: u64,
    ) -> Result<Vec<Vec<String>>, ModelError> {
        let given = self.prompt_ids(&generation.prompt);
        let limits = self.limits(&given, generation)?;
        let mut captions = Vec::with_capacity(pictures.len());
        for pictures in pictures.chunks(self.batch_size(generation, limits)) {
            // Seeds count images, not batches.
            let seed = seed.wrapping_add(captions.len() as u64);
            let searches = searches(pictures.len(), generation.decoding, limits, seed);
            let tokens = self.vision.encode_tokens(self.pixels(pictures));
            for sentences in self.generate(tokens, &given, searches) {
                captions.push(sentences.iter().map(|words| self.tokenizer.decode(words)).collect());
            }
        }
        Ok(captions)
    }

    /// As [`caption`](Self::caption) for pixels, `[images, 3, size, size]`, returning token ids, with start token and prompt but
    /// without end token.
    ///
    /// # Errors
    /// [`ModelError::PromptTooLong`] if the prompt leaves no room for a caption.
    pub fn caption_ids(
        &self,
        pixels: Tensor<4>,
        generation: &GenerationConfig,
        seed: u64,
    ) -> Result<Vec<Vec<Vec<u32>>>, ModelError> {
        let given = self.prompt_ids(&generation.prompt);
        let limits = self.limits(&given, generation)?;
        let searches = searches(pixels.dims()[0], generation.decoding, limits, seed);
        let sentences = self.generate(self.vision.encode_tokens(pixels), &given, searches);
        let whole = |words: Vec<u32>| [given.as_slice(), &words].concat();
        Ok(sentences.into_iter().map(|said| said.into_iter().map(whole).collect()).collect())
    }

    /// The start token and the prompt.
    fn prompt_ids(&self, prompt: &str) -> Vec<u32> {
        let mut given = vec![self.config.special_tokens.start];
        given.extend(self.tokenizer.encode(prompt));
        given
    }

    fn limits(&self, given: &[u32], generation: &GenerationConfig) -> Result<LengthLimits, ModelError> {
        let prompt_length = given.len();
        let before = if generation.counts_prompt { 0 } else { prompt_length };
        // The language model has no positions beyond its context, of which embeddings of the image are a part.
        let queries = self.config.qformer.map_or(0, |qformer| qformer.queries);
        let max_length =
            (before + generation.max_length).min(self.config.language.context.saturating_sub(queries));
        if prompt_length >= max_length {
            return Err(ModelError::PromptTooLong {
                model: self.id.clone(),
                prompt_tokens: prompt_length,
                max_tokens: max_length,
            });
        }
        let SpecialTokens { end, padding, .. } = self.config.special_tokens;
        Ok(LengthLimits {
            ends: EndTokens::new(&[end]),
            padding,
            prompt_length,
            min_length: before + generation.min_length,
            max_length,
        })
    }

    /// As many images as keep the cached keys and values in bounds; captions do not depend on it.
    fn batch_size(&self, generation: &GenerationConfig, limits: LengthLimits) -> usize {
        let queries = self.config.qformer.map_or(0, |qformer| qformer.queries);
        let texts = generation.decoding.texts() * (queries + limits.max_length);
        // In BLIP each layer keeps keys and values of the image too.
        let image = if self.qformer.is_some() { 0 } else { self.config.vision.n_tokens() };
        let TransformerConfig { width, layers, .. } = self.config.language.block.transformer;
        let bytes = (texts + image) * 2 * width * layers * size_of::<f32>();
        (CACHE_BYTES / bytes.max(1)).clamp(1, MAX_IMAGE_BATCH)
    }

    /// Runs one search per image on the images' tokens, `[images, tokens, width]`.
    fn generate(
        &self,
        images: Tensor<3>,
        given: &[u32],
        mut searches: Vec<Generation>,
    ) -> Vec<Vec<Vec<u32>>> {
        let count = searches.len();
        if count == 0 {
            return Vec::new();
        }
        let (mut state, logits) = self.begin(images, given, count);
        decode(&self.language, &mut state, logits, &mut searches, &mut |_| ControlFlow::Continue(()));
        searches.into_iter().map(Generation::sentences).collect()
    }

    /// Reads images and the start of their captions: the state behind it, and the logits of the next token, `[images, vocabulary]`.
    fn begin(&self, images: Tensor<3>, given: &[u32], count: usize) -> (DecoderState, Tensor<2>) {
        let start = self.language.embed(&given.repeat(count), count);
        let (context, x) = match &self.qformer {
            None => (Some(images), start),
            Some(qformer) => (None, Tensor::cat(vec![qformer.forward(images), start], 1)),
        };
        let mut state = self.language.init_state(context);
        let logits = self.language.prompt(&mut state, x);
        (state, logits)
    }
}

/// One generation per image.
fn searches(pictures: usize, decoding: DecodingStrategy, limits: LengthLimits, seed: u64) -> Vec<Generation> {
    (0..pictures as u64).map(|i| Generation::new(decoding, limits, seed.wrapping_add(i))).collect()
}

/// Checkpoint format and sizes of a file.
pub(crate) fn detect_config(file: &WeightFile) -> Result<(CheckpointFormat, BlipConfig), WeightsError> {
    let format = CheckpointFormat::of(file).ok_or_else(|| WeightsError::Unrecognized {
        path: file.path().to_owned(),
        message: "no image tower and text decoder in the names of BLIP, BLIP-2 or transformers".to_owned(),
    })?;
    Ok((format, BlipConfig::of(file, format)?))
}

fn stem(file: &WeightFile) -> String {
    file.stem().unwrap_or_else(|| "blip".to_owned())
}
