//! Joint models: text and image towers (and perhaps a point tower) with tokenizer and preprocessing.

mod config;
mod detect;
mod points;
mod save;
mod text_only;
mod tower_work;
mod view_subsets;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};
use image::RgbaImage;

pub use self::config::{ModelConfig, PointBranchConfig};
pub(crate) use self::detect::detect_config;
use self::detect::{DetectedModel, fingerprint, prompts_fingerprint};
pub use self::save::{JointTowers, save};
pub use self::text_only::TextModel;
pub use self::tower_work::TowerWork;
pub use self::view_subsets::ViewSubsetEmbeddings;
use crate::clip::{CheckpointFormat, ClipText, ClipVision};
use crate::config_key;
use crate::embedding::{Embedding, rows};
use crate::error::ModelError;
use crate::language::Language;
use crate::point::PointTower;
use crate::precision::ComputePrecision;
use crate::preprocess::{Crop, Normalization, PhotoCrop, Preprocess};
use crate::registry;
use crate::weights::{Precision, WeightFile, WeightSource};

/// Batch size of the image tower: bounds memory, and larger batches are not faster on a CPU.
const MAX_IMAGE_BATCH: usize = 48;
/// Largest image size that positional embeddings are resampled for: 4096 of the smallest patches in use.
const MAX_IMAGE_SIZE: usize = 2048;
/// Options of opening a model.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Replaces the model's crop of views.
    pub crop: Option<Crop>,
    /// Replaces the model's image size, in pixels: positional embeddings are resampled.
    pub image_size: Option<usize>,
    /// Device of the tensors.
    pub device: Device,
    /// Precision of products on the CPU. A model opened in another one than `f32` is for inference only.
    pub precision: ComputePrecision,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { crop: None, image_size: None, device: Device::flex(), precision: ComputePrecision::default() }
    }
}

/// A text tower and an image tower, and perhaps a point tower, with one joint space. Clones share tensors.
///
/// ```
/// use lexiform_model::{JointModel, OpenOptions};
///
/// let model = JointModel::open("nano", &OpenOptions::default())?;
/// let [chair, red_chair, plane] = ["a chair", "a red chair", "an airplane"];
/// let embeddings = model.embed_texts(&[chair, red_chair, plane])?;
/// assert_eq!(embeddings[0].as_slice().len(), model.dim());
/// assert!(embeddings[0].dot(&embeddings[1]) > embeddings[0].dot(&embeddings[2]));
/// # Ok::<(), lexiform_model::ModelError>(())
/// ```
#[derive(Clone)]
pub struct JointModel {
    id: String,
    /// Id of the text and image towers, without the point tower.
    clip_id: String,
    config: ModelConfig,
    text: ClipText,
    vision: ClipVision,
    points: Option<PointTower>,
    language: Option<Arc<Language>>,
    logit_scale: f32,
    device: Device,
    precision: ComputePrecision,
}

impl JointModel {
    /// Opens a model by name (`nano`, `duoduo` …) or by the path of a checkpoint.
    ///
    /// # Errors
    /// If there is no such model or file, the weights do not load, or the image size does not fit the patches.
    pub fn open(name_or_path: &str, options: &OpenOptions) -> Result<Self, ModelError> {
        let file = registry::open_weights(name_or_path)?;
        let mut model = Self::from_file_with(&file, &options.device, options.precision)?;
        // The crop first: a new image size resets it.
        if let Some(crop) = options.crop {
            model = model.with_crop(crop);
        }
        match options.image_size {
            Some(size) => model.with_image_size(size),
            None => Ok(model),
        }
    }

    /// Replaces the crop of views.
    #[must_use]
    pub fn with_crop(mut self, crop: Crop) -> Self {
        self.config.preprocess.crop = crop;
        self
    }

    /// Changes the image size, resampling positional embeddings as OpenCLIP does.
    ///
    /// # Errors
    /// [`ModelError::ImageSize`] if patches do not divide the size, or it is above 2048.
    pub fn with_image_size(mut self, size: usize) -> Result<Self, ModelError> {
        let vision = &mut self.config.clip.vision;
        let patch = vision.patch.max(1);
        if size == 0 || size > MAX_IMAGE_SIZE || !size.is_multiple_of(patch) {
            return Err(ModelError::ImageSize { model: self.id, size, patch });
        }
        if size != vision.image_size {
            vision.image_size = size;
            self.config.preprocess.size = size;
            self.vision = self.vision.with_grid(size / patch);
            // Duoduo CLIP's crop is defined for views of 224 pixels.
            self.config.preprocess.crop = Crop::None;
        }
        Ok(self)
    }

    /// Loads the towers from a file: our own, a Lightning checkpoint of Duoduo CLIP, OpenCLIP's, SLIP's, or that of CLIP in
    /// `transformers`.
    ///
    /// # Errors
    /// If the file is not a joint model, or a tensor is missing, misshaped or unused.
    pub fn from_file(file: &WeightFile, device: &Device) -> Result<Self, ModelError> {
        Self::from_file_with(file, device, ComputePrecision::F32)
    }

    fn from_file_with(
        file: &WeightFile,
        device: &Device,
        precision: ComputePrecision,
    ) -> Result<Self, ModelError> {
        let DetectedModel { format, prefix, config } = DetectedModel::of(file)?;
        let precision = precision.with_language(config.language.is_some());
        let layout = format.layout(&prefix);
        let source = WeightSource::with_layout(file, layout.clone(), device).with_precision(precision);
        let text = ClipText::load(&source, &config.clip)?;
        let vision = ClipVision::load(&source, &config.clip)?;
        // Read even if unused: otherwise strict loading would report it as unused.
        let own_scale = source.scalar("logit_scale", 0.0)?;
        let mut print = fingerprint(file, format, &prefix)?;
        let clip_id = config.prompts_of.clone().unwrap_or_else(|| format!("{}@{print:08x}", config.name));
        if config.clip.vision.prompts > 0 {
            // Like the point tower, prompts are trained while the towers of `clip_id` are frozen.
            print ^= prompts_fingerprint(file, &layout)?;
        }
        let points =
            config.points.as_ref().map(|part| part.load(&source, file, config.clip.dim)).transpose()?;
        let language = config.language.clone().map(|part| Language::load(&source, part, config.clip.dim));
        let language = language.transpose()?.map(Arc::new);
        if points.is_some() || language.is_some() {
            // The id changes with these parts, `clip_id` does not.
            print ^= source.fingerprint();
        }
        let id = format!("{}@{print:08x}", config.name);
        // Strict: a tensor that nothing used is an error.
        source.finish(|name| name == LOSS_LOGIT_SCALE || format.ignores(name))?;
        let logit_scale = if file.contains(LOSS_LOGIT_SCALE) {
            file.read(LOSS_LOGIT_SCALE)?[0]
        } else {
            own_scale.into_scalar::<f32>()
        };
        let device = device.clone();
        Ok(Self { id, clip_id, config, text, vision, points, language, logit_scale, device, precision })
    }

    /// Replaces the image tower by that of a CG3D checkpoint, or of a file that training wrote, with its visual prompts
    /// ([arXiv 2303.11313](https://arxiv.org/abs/2303.11313)). Text tower, projections and scale stay SLIP's: they were frozen
    /// when the prompts were trained.
    ///
    /// # Errors
    /// If the checkpoint has no image tower of the same width with prompts, or those of another model.
    pub fn with_visual_prompts(mut self, checkpoint: &WeightFile) -> Result<Self, ModelError> {
        if checkpoint.metadata(config_key::JOINT).is_some() {
            return self.with_own_prompts(checkpoint);
        }
        let tower = checkpoint.container(CG3D_VISION_CONTAINER)?;
        let layout = CheckpointFormat::Slip.layout("").rename("visual.", "");
        let prompts = tower.shape(&layout.name("visual.prompt_embeddings"))?.get(1).copied().unwrap_or(0);
        self.config.clip.vision.prompts = prompts;
        let print = prompts_fingerprint(&tower, &layout)?;
        let source = WeightSource::with_layout(&tower, layout, &self.device).with_precision(self.precision);
        self.vision = ClipVision::with_projection(&source, &self.config.clip, self.vision.projection())?;
        self.config.prompts_of = Some(self.clip_id.clone());
        self.id = format!("{}+prompts@{:08x}", self.id, print ^ source.fingerprint());
        source.finish(|_| false)?;
        Ok(self)
    }

    /// Replaces the image tower by that of a file of our own.
    fn with_own_prompts(mut self, file: &WeightFile) -> Result<Self, ModelError> {
        let prompted = Self::from_file_with(file, &self.device, self.precision)?;
        if prompted.config.prompts_of.as_deref() != Some(&self.clip_id) {
            let of = prompted.config.prompts_of;
            let found = of.map_or_else(|| "no prompts".to_owned(), |of| format!("those of {of}"));
            return Err(ModelError::PromptsMismatch { path: file.path().to_owned(), found, model: self.id });
        }
        self.config.clip.vision = prompted.config.clip.vision;
        self.vision = prompted.vision;
        self.id = format!("{}+prompts of {}", self.id, prompted.id);
        Ok(self)
    }

    /// Adds `count` new visual prompts before every block of the image tower, to be trained (CG3D,
    /// [arXiv 2303.11313](https://arxiv.org/abs/2303.11313)).
    ///
    /// # Errors
    /// None in practice: new prompts are initialized, not read.
    pub fn with_new_prompts(mut self, count: usize, seed: u64) -> Result<Self, ModelError> {
        self.config.clip.vision.prompts = count;
        self.config.prompts_of = Some(self.clip_id.clone());
        let source = WeightSource::random(seed, &self.device);
        self.vision = self.vision.with_prompts(&source, &self.config.clip.vision)?;
        self.id = format!("{}+{count} new prompts@{seed:x}", self.id);
        Ok(self)
    }

    /// The model without autodiff, sharing its tensors.
    pub fn frozen(&self) -> Self {
        Self {
            id: self.id.clone(),
            clip_id: self.clip_id.clone(),
            config: self.config.clone(),
            text: self.text.valid(),
            vision: self.vision.valid(),
            points: self.points.as_ref().map(PointTower::valid),
            language: self.language.clone(),
            logit_scale: self.logit_scale,
            device: self.device.clone().inner(),
            precision: self.precision,
        }
    }

    /// Replaces the preprocessing of photos.
    pub fn with_photo_crop(mut self, crop: PhotoCrop) -> Self {
        self.config.preprocess.photo_crop = crop;
        self
    }

    /// Name and fingerprint of the weights; recorded with every embedding.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Id of the text and image towers alone: point towers are trained on their features.
    pub fn clip_id(&self) -> &str {
        &self.clip_id
    }

    /// Sizes, preprocessing, tokenizer.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Dimension of the joint space.
    pub fn dim(&self) -> usize {
        self.config.clip.dim
    }

    /// Edge of a view in pixels.
    pub fn view_size(&self) -> u32 {
        self.config.preprocess.size as u32
    }

    /// What the model knows of everyday language; the embeddings of this type do not use it.
    pub fn language(&self) -> Option<&Language> {
        self.language.as_deref()
    }

    /// Adds everyday language.
    #[must_use]
    pub fn with_language(mut self, language: Language) -> Self {
        self.config.language = Some(language.config().clone());
        self.language = Some(Arc::new(language));
        self
    }

    /// The text tower.
    pub fn text(&self) -> &ClipText {
        &self.text
    }

    /// The image tower.
    pub fn vision(&self) -> &ClipVision {
        &self.vision
    }

    /// Default number of views of a shape.
    pub fn n_views(&self) -> usize {
        self.config.n_views
    }

    /// Describes the preprocessing in one line; recorded with every embedding.
    pub fn preprocessing(&self) -> String {
        let Preprocess { size, crop, normalization, photo_crop } = self.config.preprocess;
        let crop = match crop {
            Crop::None => "no crop".to_owned(),
            Crop::Center => "center crop".to_owned(),
            Crop::Seed(seed) => format!("random crop, seed {seed}"),
            Crop::Reference(seed) => format!("random crop, seed {seed}, half-precision pixels"),
            Crop::At { top, left } => format!("crop at {top}, {left}"),
        };
        let colors = match normalization {
            Normalization::Clip => "",
            Normalization::ImageNet => ", ImageNet colors",
        };
        let photos = if photo_crop == PhotoCrop::Object { ", objects of photos" } else { "" };
        let clouds =
            self.config.points.as_ref().map_or(String::new(), |p| format!("; points: {}", p.describe()));
        let ModelConfig { n_views, rig, .. } = &self.config;
        format!("{n_views} {rig} views, {size} px on white, {crop}{colors}{photos}{clouds}")
    }

    /// The learned logarithm of the factor of similarities, as in CLIP.
    pub fn logit_scale(&self) -> f32 {
        self.logit_scale
    }

    /// Whether the tokenizer has a token for a word in lower case. Others are spelled in pieces, which the model may not have seen
    /// together in its training.
    pub fn knows_word(&self, word: &str) -> bool {
        let is_known_to = |language: &Arc<Language>| language.knows_word(word);
        self.config.tokenizer.has_word(word) || self.language.as_ref().is_some_and(is_known_to)
    }

    /// Features of texts `[texts, dim]`, not normalized.
    ///
    /// # Errors
    /// [`ModelError::Vocabulary`] if the tower has fewer tokens than its tokenizer.
    pub fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, ModelError> {
        let ModelConfig { clip, tokenizer, .. } = &self.config;
        text_only::text_features(&self.id, (tokenizer, &clip.text), &self.text, texts)
    }

    /// Features of shapes `[shapes, dim]`, not normalized; all shapes have the same number of views.
    fn view_features(&self, shapes: &[&[RgbaImage]], views: usize) -> Vec<Vec<f32>> {
        // Whole shapes only: their views attend to each other.
        let at_once = (MAX_IMAGE_BATCH / views).max(1);
        let chunks = shapes.chunks(at_once).flat_map(|chunk| {
            let images: Vec<&RgbaImage> = chunk.iter().copied().flatten().collect();
            let pixels = self.config.preprocess.tensor(&images, &self.device);
            rows(self.vision.encode(pixels, views, self.config.joint_from))
        });
        chunks.collect()
    }

    /// Embeddings of texts.
    ///
    /// # Errors
    /// [`ModelError::Vocabulary`] if the tower has fewer tokens than its tokenizer, [`ModelError::InvalidNorm`] if
    /// features have no norm.
    pub fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, ModelError> {
        self.text_features(texts)?.into_iter().map(Embedding::new).collect()
    }

    /// Embeddings of shapes, each with one or more views, in any order.
    ///
    /// ```
    /// use image::{Rgba, RgbaImage};
    /// use lexiform_model::{JointModel, OpenOptions};
    ///
    /// let model = JointModel::open("nano", &OpenOptions::default())?;
    /// let size = model.view_size();
    /// let views = vec![RgbaImage::from_pixel(size, size, Rgba([200, 30, 30, 255])); 2];
    /// let embeddings = model.embed_views(&[views])?;
    /// assert_eq!(embeddings.len(), 1);
    /// # Ok::<(), lexiform_model::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// [`ModelError::NoViews`] if a shape has none, [`ModelError::InvalidNorm`] if features have no norm.
    pub fn embed_views(&self, shapes: &[Vec<RgbaImage>]) -> Result<Vec<Embedding>, ModelError> {
        // A batch has shapes with the same number of views.
        let mut by_views: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (i, views) in shapes.iter().enumerate() {
            by_views.entry(views.len()).or_default().push(i);
        }
        if by_views.contains_key(&0) {
            return Err(ModelError::NoViews);
        }
        let mut embeddings: Vec<Option<Embedding>> = vec![None; shapes.len()];
        for (views, members) in by_views {
            let group: Vec<&[RgbaImage]> = members.iter().map(|i| shapes[*i].as_slice()).collect();
            for (i, features) in members.into_iter().zip(self.view_features(&group, views)) {
                embeddings[i] = Some(Embedding::new(features)?);
            }
        }
        Ok(embeddings.into_iter().flatten().collect())
    }

    /// Embedding of a photo or drawing, cropped according to the model's [`PhotoCrop`].
    ///
    /// # Errors
    /// [`ModelError::InvalidNorm`] if features have no norm.
    pub fn embed_image(&self, image: &RgbaImage) -> Result<Embedding, ModelError> {
        self.embed_photos(std::slice::from_ref(image))
    }

    /// One embedding of several photos of the same object, in any order: they attend to each other like the views of a shape
    /// ([Duoduo CLIP](https://arxiv.org/abs/2406.11579)). Each is cropped according to the model's [`PhotoCrop`].
    ///
    /// # Errors
    /// [`ModelError::NoViews`] without photos, [`ModelError::InvalidNorm`] if features have no norm.
    pub fn embed_photos(&self, photos: &[RgbaImage]) -> Result<Embedding, ModelError> {
        if photos.is_empty() {
            return Err(ModelError::NoViews);
        }
        let pixels = photos.iter().flat_map(|photo| self.config.preprocess.photo(photo)).collect();
        let shape = [photos.len(), 3, self.config.preprocess.size, self.config.preprocess.size];
        let pixels = Tensor::<4>::from_data(TensorData::new::<f32, _>(pixels, shape), &self.device);
        let features = rows(self.vision.encode(pixels, photos.len(), self.config.joint_from));
        features.into_iter().next().ok_or(ModelError::NoViews).and_then(Embedding::new)
    }

    /// Saves the model as one self-contained `.safetensors` file.
    ///
    /// # Errors
    /// If the file cannot be written, or [`ModelError::Rounded`] if the model was opened in another precision than `f32`.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), ModelError> {
        if self.precision != ComputePrecision::F32 {
            return Err(ModelError::Rounded { model: self.id.clone(), precision: self.precision });
        }
        let (text, vision, points) = (&self.text, &self.vision, self.points.as_ref());
        let language = self.language.as_deref();
        let towers = JointTowers { text, vision, points, language, logit_scale: self.logit_scale };
        save(path, &self.config, towers, precision)
    }
}

/// The container of the image tower in a CG3D checkpoint.
pub const CG3D_VISION_CONTAINER: &str = "visual_clip_model";
/// Logit scale in a checkpoint of Duoduo CLIP: its loss has a scale of its own, next to an unused one of CLIP.
const LOSS_LOGIT_SCALE: &str = "contrastive_loss.logit_scale";
