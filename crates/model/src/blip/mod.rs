//! BLIP's image captioner ([arXiv 2201.12086](https://arxiv.org/abs/2201.12086)): an image tower, and a text decoder with
//! cross-attention to its tokens.

mod checkpoint_format;
mod config;
mod decoder;
mod generation;

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use image::RgbaImage;
use rayon::prelude::*;

pub use self::checkpoint_format::CheckpointFormat;
pub use self::config::{BlipConfig, DecoderConfig, SpecialTokens};
pub use self::decoder::{DecoderState, TextDecoder};
pub use self::generation::DecodingStrategy;
use self::generation::{Generation, LengthLimits};
use crate::clip::ClipVision;
use crate::error::ModelError;
use crate::preprocess::Preprocess;
use crate::registry;
use crate::tokenizer::BertTokenizer;
use crate::weights::{WeightFile, WeightSource, WeightsError};

/// The vocabulary file next to the weights.
const VOCAB_FILE: &str = "vocab.txt";
/// Batch size: cached keys and values of one image take about 40 MB in the published models.
const MAX_IMAGE_BATCH: usize = 12;
/// The prompt that the original captioner was trained with (`caption_coco.yaml`).
pub const DEFAULT_PROMPT: &str = "a picture of ";

/// Options of caption generation.
#[derive(Clone, Debug, PartialEq)]
pub struct GenerationConfig {
    /// Start of each caption; not part of the result.
    pub prompt: String,
    /// Decoding method.
    pub decoding: DecodingStrategy,
    /// Minimum number of tokens, including start token and prompt.
    pub min_length: usize,
    /// Maximum number of tokens, including start token and prompt.
    pub max_length: usize,
}

impl Default for GenerationConfig {
    /// The options of the original captioner (`caption_coco.yaml`).
    fn default() -> Self {
        Self {
            prompt: DEFAULT_PROMPT.to_owned(),
            decoding: DecodingStrategy::BeamSearch(3),
            min_length: 5,
            max_length: 20,
        }
    }
}

/// An image captioner ([arXiv 2201.12086](https://arxiv.org/abs/2201.12086)).
///
/// ```no_run
/// use image::RgbaImage;
/// use lexiform_model::Device;
/// use lexiform_model::blip::{Captioner, GenerationConfig};
///
/// let captioner = Captioner::open("blip", &Device::flex())?;
/// let captions = captioner.caption(&[RgbaImage::new(384, 384)], &GenerationConfig::default(), 0)?;
/// println!("{}", captions[0][0]);
/// # Ok::<(), lexiform_model::ModelError>(())
/// ```
pub struct Captioner {
    id: String,
    config: BlipConfig,
    vision: ClipVision,
    decoder: TextDecoder,
    tokenizer: BertTokenizer,
    preprocess: Preprocess,
    device: Device,
}

impl Captioner {
    /// Whether a file holds a BLIP captioner.
    pub fn matches_file(file: &WeightFile) -> bool {
        CheckpointFormat::of(file).is_some()
    }

    /// Opens a captioner by name (`blip`, `blip-large`) or by the path of its weights.
    ///
    /// # Errors
    /// If there is no such model or file, or the weights do not load.
    pub fn open(name_or_path: &str, device: &Device) -> Result<Self, ModelError> {
        let file = registry::open_weights(name_or_path)?;
        let is_path = Path::new(name_or_path) == file.path();
        Self::named(&file, if is_path { stem(&file) } else { name_or_path.to_owned() }, device)
    }

    /// Loads the network from a file, with the `vocab.txt` in the same folder and, in the format of `transformers`, the
    /// `config.json`.
    ///
    /// # Errors
    /// If the file is not a BLIP captioner, its `vocab.txt` or `config.json` is missing, or a tensor is missing, misshaped
    /// or unused.
    pub fn from_file(file: &WeightFile, device: &Device) -> Result<Self, ModelError> {
        Self::named(file, stem(file), device)
    }

    fn named(file: &WeightFile, name: String, device: &Device) -> Result<Self, ModelError> {
        let (format, config) = detect_config(file)?;
        let tokenizer = load_tokenizer(file, &config)?;
        let source = WeightSource::with_layout(file, format.layout(), device);
        let vision = ClipVision::without_projection(&source, config.vision)?;
        let decoder = TextDecoder::load(&source, &config.decoder, config.vision.width)?;
        // Output layer and token embedding are one matrix in the network; the file may hold both.
        format.check_ties(file)?;
        let id = format!("{name}@{:08x}", source.fingerprint());
        source.finish(|name| format.ignores(name))?;
        let preprocess = Preprocess::clip(config.vision.image_size);
        Ok(Self { id, config, vision, decoder, tokenizer, preprocess, device: device.clone() })
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

    /// The text decoder.
    pub fn decoder(&self) -> &TextDecoder {
        &self.decoder
    }

    /// The tokenizer.
    pub fn tokenizer(&self) -> &BertTokenizer {
        &self.tokenizer
    }

    /// Images → normalized pixels, `[images, 3, size, size]`.
    pub fn pixels(&self, pictures: &[RgbaImage]) -> Tensor<4> {
        let size = self.preprocess.size;
        let pixels = TensorData::new(self.preprocess.views(pictures), [pictures.len(), 3, size, size]);
        Tensor::from_data(pixels, &self.device)
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
        for pictures in pictures.chunks(MAX_IMAGE_BATCH) {
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
        // The decoder has no positional embedding beyond its context.
        let max_length = generation.max_length.min(self.config.decoder.context);
        let prompt_length = given.len();
        if prompt_length >= max_length {
            return Err(ModelError::PromptTooLong {
                model: self.id.clone(),
                prompt_tokens: prompt_length,
                max_tokens: max_length,
            });
        }
        Ok(LengthLimits {
            special_tokens: self.config.special_tokens,
            prompt_length,
            min_length: generation.min_length,
            max_length,
        })
    }

    /// Runs one search per image on the images' tokens, `[images, tokens, width]`.
    fn generate(
        &self,
        pictures: Tensor<3>,
        given: &[u32],
        mut searches: Vec<Generation>,
    ) -> Vec<Vec<Vec<u32>>> {
        let (count, [before @ .., last]) = (searches.len(), given) else { return Vec::new() };
        if count == 0 {
            return Vec::new();
        }
        let vocabulary = self.config.decoder.vocabulary;
        let mut state = self.decoder.init_state(pictures);
        // Fills the cache with the prompt; its logits are not needed.
        for word in before {
            self.decoder.step(&mut state, &vec![*word; count]);
        }
        // The last prompt token is the first whose logits are used.
        let mut words = vec![*last; count];
        loop {
            let logits = self.decoder.step(&mut state, &words).into_data();
            let logits: Vec<f32> = logits.try_into_vec().expect("logits are f32");
            let rows = words.len() / count;
            // Searches are independent of each other: sorting a vocabulary is slow enough to share out.
            let each = searches.par_iter_mut().zip(logits.par_chunks(rows * vocabulary));
            let steps: Vec<_> = each.map(|(search, logits)| search.step(logits, vocabulary)).collect();
            if searches.iter().all(Generation::is_done) {
                break;
            }
            let steps =
                || steps.iter().enumerate().flat_map(|(i, steps)| steps.iter().map(move |step| (i, step)));
            // Beams change places: the cache must follow the rows they continue.
            state.reorder(&steps().map(|(i, (row, _))| i * rows + row).collect::<Vec<_>>());
            words = steps().map(|(_, (_, word))| *word).collect();
        }
        searches.into_iter().map(Generation::sentences).collect()
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
        message: "no image tower and text decoder in the names of BLIP or transformers".to_owned(),
    })?;
    Ok((format, BlipConfig::of(file, format)?))
}

/// File name without extension.
fn stem(file: &WeightFile) -> String {
    file.path().file_stem().map_or("blip".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

fn load_tokenizer(file: &WeightFile, config: &BlipConfig) -> Result<BertTokenizer, WeightsError> {
    let path = file.path().with_file_name(VOCAB_FILE);
    let failed = |message: String| WeightsError::CompanionFile {
        path: file.path().to_owned(),
        file: VOCAB_FILE.to_owned(),
        message,
    };
    let words = BertTokenizer::read(&path).map_err(failed)?;
    match words.len() <= config.decoder.vocabulary {
        true => Ok(words),
        false => Err(failed(format!(
            "it has {} words, the network knows {}",
            words.len(),
            config.decoder.vocabulary
        ))),
    }
}
