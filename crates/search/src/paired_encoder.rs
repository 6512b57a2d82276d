//! A point model with its CLIP model: shapes go through the point encoder, texts and images through the CLIP model that
//! it was aligned to in training.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use lexiform_model::point::PointPreprocessOverrides;
use lexiform_model::preprocess::Crop;
use lexiform_model::weights::WeightFile;
use lexiform_model::{
    CG3D_VISION_CONTAINER, ComputePrecision, Device, Embedding, JointModel, ModelConfig, ModelError,
    OpenOptions, PairedClip, PointModel, PointModelOptions, TextModel, registry,
};

use crate::{EncodeError, Encoder, Error, InputSpec, ModelInput};

/// CLIP's initial value, ln(1 / 0.07): the default for files without a learned scale.
const DEFAULT_LOGIT_SCALE: f32 = 2.659_26;

/// Options for opening a model.
///
/// ```
/// use lexiform_search::{Encoder as _, EncoderOptions};
///
/// let encoder = EncoderOptions::default().open("nano")?;
/// let embeddings = encoder.embed_texts(&["a chair", "an airplane"]).unwrap();
/// assert_eq!(embeddings[0].as_slice().len(), encoder.dim());
/// # Ok::<(), lexiform_search::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EncoderOptions {
    /// Crop of views; default: the model's.
    pub crop: Option<Crop>,
    /// Width and height of images in pixels; default: the model's.
    pub image_size: Option<usize>,
    /// CG3D checkpoint whose visual prompts and image tower replace the model's; checkpoints of CG3D's point encoders
    /// contain them.
    pub visual_prompts: Option<PathBuf>,
    /// Name or path of the CLIP model for the texts and images of a point model.
    pub text_model: Option<String>,
    /// Input of a point model; default: as in its training.
    pub clouds: PointPreprocessOverrides,
    /// Device for inference.
    pub device: Device,
    /// Precision of products on the CPU.
    pub precision: ComputePrecision,
}

impl Default for EncoderOptions {
    /// The model without changes, on the CPU.
    fn default() -> Self {
        let OpenOptions { crop, image_size, device, precision } = OpenOptions::default();
        Self {
            crop,
            image_size,
            visual_prompts: None,
            text_model: None,
            clouds: PointPreprocessOverrides::default(),
            device,
            precision,
        }
    }
}

impl EncoderOptions {
    /// Opens a model of views or points by name or path.
    ///
    /// # Errors
    /// [`Error::Model`] if it cannot be opened, [`Error::TextModelMismatch`] if the text model is not the one that a
    /// point model was trained with.
    pub fn open(&self, name: &str) -> Result<Arc<dyn Encoder>, Error> {
        let file = registry::open_weights(name)?;
        if PointModel::matches_file(&file) {
            let options = PointModelOptions {
                clouds: self.clouds,
                device: self.device.clone(),
                precision: self.precision,
                ..PointModelOptions::default()
            };
            let points = PointModel::from_file(&file, &options)?;
            let mut clip_options = self.clone();
            // CG3D checkpoints contain the image tower with visual prompts: queries must use it, as in training
            // (https://arxiv.org/abs/2303.11313).
            if clip_options.visual_prompts.is_none() && file.containers().contains(&CG3D_VISION_CONTAINER) {
                clip_options.visual_prompts = Some(file.path().to_owned());
            }
            if let Some(trained) = prompted_clip(file.path()).filter(|_| clip_options.uses_default_clip()) {
                clip_options.text_model = Some(trained.to_string_lossy().into_owned());
            }
            return Ok(Arc::new(PairedPointEncoder::new(points, clip_options)?));
        }
        let model = self.open_joint(name)?;
        match &self.text_model {
            Some(text_model) => Err(Error::TextModelMismatch {
                model: model.id().to_owned(),
                reason: format!("the model has a text tower, expected no text model, found {text_model}"),
            }),
            None => Ok(Arc::new(model)),
        }
    }

    /// Whether neither a CLIP model nor prompts for it are given.
    fn uses_default_clip(&self) -> bool {
        self.text_model.is_none() && self.visual_prompts.is_none()
    }

    /// The model of texts and images for a point model.
    fn open_text_side(&self, name: &str) -> Result<TextSide, ModelError> {
        let file = registry::open_weights(name)?;
        match TextModel::without_images(&file, &self.device, self.precision)? {
            Some(text) => Ok(TextSide::Text(Box::new(text))),
            None => Ok(TextSide::Clip(Box::new(self.open_joint(name)?))),
        }
    }

    fn open_joint(&self, name: &str) -> Result<JointModel, ModelError> {
        let Self { crop, image_size, device, precision, .. } = self.clone();
        let options = OpenOptions { crop, image_size, device, precision };
        let model = JointModel::open(name, &options)?;
        match &self.visual_prompts {
            Some(path) => model.with_visual_prompts(&WeightFile::open(path)?),
            None => Ok(model),
        }
    }
}

/// The CLIP model with visual prompts that training writes next to a point model, if it did.
fn prompted_clip(points: &Path) -> Option<PathBuf> {
    Some(points.with_extension("images.safetensors")).filter(|path| path.is_file())
}

/// A point model with the CLIP model it was aligned to. The CLIP model is opened at the first text or image, unless the
/// options name it: shapes alone can be embedded without its weights.
struct PairedPointEncoder {
    points: PointModel,
    options: EncoderOptions,
    /// The CLIP model or why it cannot be opened; empty until it is needed.
    clip: OnceLock<Result<TextSide, String>>,
}

/// What embeds texts, and images if it can.
enum TextSide {
    Clip(Box<JointModel>),
    /// A text tower whose image tower is of a kind that is not read.
    Text(Box<TextModel>),
}

impl TextSide {
    fn id(&self) -> &str {
        match self {
            Self::Clip(model) => model.id(),
            Self::Text(model) => model.id(),
        }
    }

    fn dim(&self) -> usize {
        match self {
            Self::Clip(model) => model.dim(),
            Self::Text(model) => model.dim(),
        }
    }

    /// The id that models record which were trained on its features.
    fn clip_id(&self) -> &str {
        match self {
            Self::Clip(model) => model.clip_id(),
            Self::Text(model) => model.id(),
        }
    }

    fn fits(&self, paired: PairedClip) -> bool {
        match self {
            Self::Clip(model) => paired.fits(model.config()),
            Self::Text(model) => paired.fits_text(model),
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Clip(model) => {
                let [patch, width] = image_tower_size(model.config());
                format!("{} (patch {patch}, width {width})", model.id())
            }
            Self::Text(model) => format!("{} (a text tower of width {})", model.id(), model.sizes().width),
        }
    }

    /// The model with an image tower.
    fn images(&self) -> Result<&JointModel, EncodeError> {
        match self {
            Self::Clip(model) => Ok(model),
            Self::Text(model) => Err(format!(
                "{}: its image tower is not supported; search by text, or by 3D files",
                model.id()
            )
            .into()),
        }
    }
}

impl PairedPointEncoder {
    fn new(points: PointModel, options: EncoderOptions) -> Result<Self, Error> {
        let clip = OnceLock::new();
        if let Some(name) = &options.text_model {
            let model = options.open_text_side(name)?;
            check_pairing(&points, &model)
                .map_err(|reason| Error::TextModelMismatch { model: points.id().to_owned(), reason })?;
            // Cannot fail: the cell is new.
            let _ = clip.set(Ok(model));
        }
        Ok(Self { points, options, clip })
    }

    /// The CLIP model, opened by the first call.
    fn clip(&self) -> Result<&TextSide, EncodeError> {
        let clip = self.clip.get_or_init(|| {
            let id = self.points.id();
            let Some(paired) = self.points.paired_clip() else {
                return Err(format!(
                    "{id} has no text tower: pass the CLIP model of its training with --text-model"
                ));
            };
            let clip = self.options.open_text_side(paired.name()).map_err(|error| {
                format!("{id} has no text tower: pass {} with --text-model ({error})", paired.name())
            })?;
            check_pairing(&self.points, &clip)?;
            Ok(clip)
        });
        clip.as_ref().map_err(|message| message.clone().into())
    }
}

/// Checks that a CLIP model can be the one that a point model was trained with. The error is the reason if not.
fn check_pairing(points: &PointModel, clip: &TextSide) -> Result<(), String> {
    if let Some(taught_by) = points.config().taught_by.as_deref().filter(|id| *id != clip.clip_id()) {
        return Err(format!("expected text model {taught_by}, found {}", clip.clip_id()));
    }
    if clip.dim() != points.dim() {
        return Err(format!(
            "expected a text model of dimension {}, found {} of dimension {}",
            points.dim(),
            clip.id(),
            clip.dim()
        ));
    }
    // Dimensions alone do not distinguish ViT-B/32 from SLIP's ViT-B/16.
    match points.paired_clip() {
        Some(paired) if !clip.fits(paired) => {
            Err(format!("expected text model {}, found {}", paired.name(), clip.describe()))
        }
        _ => Ok(()),
    }
}

/// Patch size and width of a model's image tower.
fn image_tower_size(config: &ModelConfig) -> [usize; 2] {
    [config.clip.vision.patch, config.clip.vision.width]
}

impl Encoder for PairedPointEncoder {
    fn id(&self) -> &str {
        self.points.id()
    }

    fn dim(&self) -> usize {
        self.points.dim()
    }

    fn input_spec(&self) -> InputSpec {
        InputSpec::Points { count: self.points.n_points() }
    }

    fn preprocessing(&self) -> String {
        self.points.preprocessing()
    }

    fn templates(&self) -> Vec<String> {
        self.points.config().templates.clone()
    }

    fn logit_scale(&self) -> f32 {
        // Of the CLIP model only if it is open: reading a number should not load a model.
        let clip = self.clip.get().and_then(|clip| clip.as_ref().ok());
        let clip_scale = || clip.and_then(|clip| clip.images().ok()).map(JointModel::logit_scale);
        self.points.logit_scale().or_else(clip_scale).unwrap_or(DEFAULT_LOGIT_SCALE)
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        Ok(match self.clip()? {
            TextSide::Clip(model) => model.embed_texts(texts)?,
            TextSide::Text(model) => model.embed_texts(texts)?,
        })
    }

    fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        Ok(match self.clip()? {
            TextSide::Clip(model) => model.text_features(texts)?,
            TextSide::Text(model) => model.text_features(texts)?,
        })
    }

    fn knows_word(&self, word: &str) -> Option<bool> {
        // The text that the word is from needs the CLIP model anyway.
        self.clip().ok().map(|clip| match clip {
            TextSide::Clip(model) => model.knows_word(word),
            TextSide::Text(model) => model.knows_word(word),
        })
    }

    fn embed_shapes(&self, shapes: Vec<ModelInput>) -> Result<Vec<Embedding>, EncodeError> {
        let (mut clouds, mut embeddings) = (Vec::new(), Vec::new());
        for shape in shapes {
            embeddings.push(match shape {
                // A model of points ignores views where it has points.
                ModelInput::Points(cloud) | ModelInput::Both { cloud, .. } => {
                    clouds.push(cloud);
                    None
                }
                // Without points, the image tower has the same joint space.
                ModelInput::Views(views) => Some(self.clip()?.images()?.embed_views(&[views])?.remove(0)),
            });
        }
        // A point model fails for an empty batch.
        let of_clouds = if clouds.is_empty() { Vec::new() } else { self.points.embed_clouds(&clouds)? };
        let mut of_clouds = of_clouds.into_iter();
        Ok(embeddings.into_iter().filter_map(|of_views| of_views.or_else(|| of_clouds.next())).collect())
    }

    fn embed_image(&self, image: &image::RgbaImage) -> Result<Embedding, EncodeError> {
        Ok(self.clip()?.images()?.embed_image(image)?)
    }
}
