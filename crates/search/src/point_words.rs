//! A point model and the words it can be compared with: shapes go through its encoder, text and pictures through the
//! CLIP model it was trained beside.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use lexiform_model::point::CloudOptions;
use lexiform_model::preprocess::Crop;
use lexiform_model::weights::WeightFile;
use lexiform_model::{
    Device, Embedding, JointModel, ModelConfig, ModelError, OpenOptions, PROMPTED_TOWER, Paired, PointModel,
    PointOptions, registry,
};

use crate::{EncodeError, Encoder, Error, Intake, Taken};

/// CLIP's own starting value: what a file without a learned scale is taken to have.
const USUAL_LOGIT_SCALE: f32 = 2.659_26;

/// How a model is opened.
#[derive(Clone, Debug)]
pub struct OpenEncoder {
    /// Replaces a view model's own window.
    pub crop: Option<Crop>,
    /// Edge of the images in pixels, where it is not the model's own.
    pub image_size: Option<usize>,
    /// CG3D checkpoint whose visual prompts and image tower take the place of the model's own; a point encoder's
    /// checkpoint brings them itself.
    pub prompts: Option<PathBuf>,
    /// Name or path of the CLIP model that gives a point model its words.
    pub text_model: Option<String>,
    /// How clouds are given to a point model, where not as it is used to.
    pub clouds: CloudOptions,
    /// Where it computes.
    pub device: Device,
}

impl Default for OpenEncoder {
    /// The model as it is, on the processor.
    fn default() -> Self {
        let OpenOptions { crop, image_size, device } = OpenOptions::default();
        Self { crop, image_size, prompts: None, text_model: None, clouds: CloudOptions::default(), device }
    }
}

impl OpenEncoder {
    /// Opens a model by name or path: one that looks at views, or one that takes points.
    ///
    /// # Errors
    /// [`Error::Model`] if it cannot be opened, [`Error::Pairing`] if the text model is not the one its embeddings can
    /// be compared with.
    pub fn open(&self, name: &str) -> Result<Arc<dyn Encoder>, Error> {
        let file = registry::locate(name)?;
        if PointModel::recognizes(&file) {
            let options =
                PointOptions { clouds: self.clouds, device: self.device.clone(), ..PointOptions::default() };
            let points = PointModel::from_file(&file, &options)?;
            let mut of_words = self.clone();
            if of_words.prompts.is_none() && file.containers().contains(&PROMPTED_TOWER) {
                of_words.prompts = Some(file.path().to_owned());
            }
            return Ok(Arc::new(PointsAndWords::new(points, of_words)?));
        }
        let model = self.open_joint(name)?;
        match &self.text_model {
            Some(text_model) => Err(Error::Pairing {
                model: model.id().to_owned(),
                reason: format!("it has a text tower of its own, {text_model} is not needed"),
            }),
            None => Ok(Arc::new(model)),
        }
    }

    fn open_joint(&self, name: &str) -> Result<JointModel, ModelError> {
        let Self { crop, image_size, device, .. } = self.clone();
        let options = OpenOptions { crop, image_size, device };
        let model = JointModel::open(name, &options)?;
        match &self.prompts {
            Some(path) => model.with_visual_prompts(&WeightFile::open(path)?),
            None => Ok(model),
        }
    }
}

/// A point model with the towers it was trained beside. They are opened when the first words come, unless they were
/// named.
struct PointsAndWords {
    points: PointModel,
    opener: OpenEncoder,
    words: OnceLock<Result<JointModel, String>>,
}

impl PointsAndWords {
    fn new(points: PointModel, opener: OpenEncoder) -> Result<Self, Error> {
        let words = OnceLock::new();
        if let Some(name) = &opener.text_model {
            let model = opener.open_joint(name)?;
            check_pairing(&points, &model)
                .map_err(|reason| Error::Pairing { model: points.id().to_owned(), reason })?;
            // A new cell is empty.
            let _ = words.set(Ok(model));
        }
        Ok(Self { points, opener, words })
    }

    fn words(&self) -> Result<&JointModel, EncodeError> {
        let words = self.words.get_or_init(|| {
            let id = self.points.id();
            let Some(paired) = self.points.paired_text() else {
                return Err(format!(
                    "{id} has no text tower: give the CLIP model it was trained beside by --text-model"
                ));
            };
            let words = self.opener.open_joint(registry_name(paired)).map_err(|error| {
                format!(
                    "{id} has no text tower: pairs with {}; give it by --text-model ({error})",
                    paired.name()
                )
            })?;
            check_pairing(&self.points, &words)?;
            Ok(words)
        });
        words.as_ref().map_err(|message| message.clone().into())
    }
}

/// The paired model's name in the registry.
fn registry_name(paired: Paired) -> &'static str {
    match paired {
        Paired::OpenClipBigG14 => "openclip-bigg14",
        Paired::SlipB16 => "slip-b16",
        Paired::OpenAiB32 => "openai-b32",
        Paired::OpenAiL14 => "openai-l14",
    }
}

/// Whether a CLIP model can be the one that a point model was trained beside. `Err` says why not.
fn check_pairing(points: &PointModel, words: &JointModel) -> Result<(), String> {
    if let Some(taught_by) = points.config().taught_by.as_deref().filter(|id| *id != words.towers_id()) {
        return Err(format!("it was trained towards {taught_by}, these words are of {}", words.towers_id()));
    }
    if words.dim() != points.dim() {
        return Err(format!(
            "its embeddings have {} numbers, those of {} have {}",
            points.dim(),
            words.id(),
            words.dim()
        ));
    }
    let expected = points.paired_text().map(|paired| (paired, towers(paired)));
    match expected {
        Some((paired, sizes)) if sizes != image_tower(words.config()) => {
            let [patch, width] = image_tower(words.config());
            Err(format!(
                "it pairs with {}, {} is another model (patches of {patch}, {width} wide)",
                paired.name(),
                words.id()
            ))
        }
        _ => Ok(()),
    }
}

/// Patch and width of the image tower: what tells CLIP models of one joint width apart.
fn towers(paired: Paired) -> [usize; 2] {
    match paired {
        Paired::OpenClipBigG14 => [14, 1664],
        Paired::SlipB16 => [16, 768],
        Paired::OpenAiB32 => [32, 768],
        Paired::OpenAiL14 => [14, 1024],
    }
}

fn image_tower(config: &ModelConfig) -> [usize; 2] {
    [config.clip.vision.patch, config.clip.vision.width]
}

impl Encoder for PointsAndWords {
    fn id(&self) -> &str {
        self.points.id()
    }

    fn dim(&self) -> usize {
        self.points.dim()
    }

    fn intake(&self) -> Intake {
        Intake::Points { count: self.points.n_points() }
    }

    fn preprocessing(&self) -> String {
        self.points.preprocessing()
    }

    fn templates(&self) -> Vec<String> {
        self.points.config().templates.clone()
    }

    fn logit_scale(&self) -> f32 {
        let of_words = || self.words.get().and_then(|words| words.as_ref().ok()).map(JointModel::logit_scale);
        self.points.logit_scale().or_else(of_words).unwrap_or(USUAL_LOGIT_SCALE)
    }

    fn embed_texts(&self, texts: &[&str]) -> Result<Vec<Embedding>, EncodeError> {
        Ok(self.words()?.embed_texts(texts)?)
    }

    fn text_features(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EncodeError> {
        Ok(self.words()?.text_features(texts)?)
    }

    fn embed_shapes(&self, shapes: Vec<Taken>) -> Result<Vec<Embedding>, EncodeError> {
        let clouds = shapes.into_iter().map(|shape| match shape {
            Taken::Points(cloud) | Taken::Both { cloud, .. } => Ok(cloud),
            Taken::Views(_) => Err(format!("{} takes points, it was given views", self.id())),
        });
        Ok(self.points.embed_clouds(&clouds.collect::<Result<Vec<_>, _>>()?)?)
    }

    fn embed_image(&self, image: &image::RgbaImage) -> Result<Embedding, EncodeError> {
        Ok(self.words()?.embed_image(image)?)
    }
}
