//! Point models: a point encoder with its preprocessing, whose embeddings are in the joint space of a CLIP model.

mod embed;

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use lexiform_geometry::PointCloud;
use serde::{Deserialize, Serialize};

pub(crate) use self::embed::embed_clouds;
use self::embed::run_batched;
use crate::clip::VisionStyle;
use crate::embedding::Embedding;
use crate::error::ModelError;
use crate::joint::{ModelConfig, PointBranchConfig, TextModel};
use crate::nn::Activation;
use crate::point::{
    DetectedEncoder, FpsStart, ModelFamily, PointPreprocess, PointPreprocessOverrides, PointTower,
    PointTowerConfig, detect_encoder,
};
use crate::pointllm::PointLlm;
use crate::precision::ComputePrecision;
use crate::templates::default_templates;
use crate::weights::{Layout, Precision, TensorList, WeightFile, WeightSource, WeightsError};
use crate::{config_key, registry};

/// Everything but the weights of a point model; stored in the header of our `.safetensors` files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointModelConfig {
    /// Name of the model.
    pub name: String,
    /// Sizes of the network.
    pub tower: PointTowerConfig,
    /// Preprocessing of point clouds.
    pub input: PointPreprocess,
    /// The CLIP model with the same joint space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired: Option<PairedClip>,
    /// Id of the model whose features it was trained on, if trained by lexiform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taught_by: Option<String>,
    /// Templates of its paper, with `{}` for the name of a class.
    #[serde(default = "default_templates")]
    pub templates: Vec<String>,
    /// Names of the classes of its classification head, if known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

impl PointModelConfig {
    /// The point tower of a joint model as a model of its own, if it has one.
    fn of_joint(joint: ModelConfig) -> Option<Self> {
        let PointBranchConfig { tower, input } = joint.points?;
        let (name, templates) = (joint.name, joint.templates);
        Some(Self { name, tower, input, paired: None, taught_by: None, templates, labels: Vec::new() })
    }
}

/// Width of the text tower of EVA02-CLIP-E-14-plus.
const EVA02_E14_TEXT_WIDTH: usize = 1280;

/// The CLIP model that a point encoder was trained with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PairedClip {
    /// OpenCLIP ViT-bigG-14, `laion2b_s39b_b160k`, 1280 wide.
    // Headers of older files have the aliases.
    #[serde(rename = "openclip-bigg14", alias = "open-clip-big-g14")]
    OpenClipBigG14,
    /// SLIP ViT-B/16, 100 epochs, 512 wide.
    #[serde(rename = "slip-b16")]
    SlipB16,
    /// OpenAI's ViT-B/32, 512 wide.
    #[serde(rename = "openai-b32", alias = "open-ai-b32")]
    OpenAiB32,
    /// OpenAI's ViT-L/14, 768 wide.
    #[serde(rename = "openai-l14", alias = "open-ai-l14")]
    OpenAiL14,
    /// EVA02-CLIP-E-14-plus, `laion2b_s9b_b144k`, 1024 wide; only its text tower is read.
    #[serde(rename = "eva02-e14-plus")]
    Eva02E14Plus,
}

impl PairedClip {
    /// All of them.
    const ALL: [Self; 4] = [Self::OpenClipBigG14, Self::SlipB16, Self::OpenAiB32, Self::OpenAiL14];

    /// Its name in the list of models.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenClipBigG14 => "openclip-bigg14",
            Self::SlipB16 => "slip-b16",
            Self::OpenAiB32 => "openai-b32",
            Self::OpenAiL14 => "openai-l14",
            Self::Eva02E14Plus => "eva02-e14-plus",
        }
    }

    /// Whether a model has the architecture of this one.
    pub fn fits(self, config: &ModelConfig) -> bool {
        let vision = &config.clip.vision;
        let style = if self == Self::SlipB16 { VisionStyle::Timm } else { VisionStyle::Clip };
        // OpenCLIP's own ViT-B/32 and ViT-L/14 have OpenAI's sizes and another activation.
        let openai = matches!(self, Self::OpenAiB32 | Self::OpenAiL14);
        let activation = !openai || config.clip.activation == Activation::QuickGelu;
        let sizes = match self {
            Self::OpenClipBigG14 => [14, 1664],
            Self::SlipB16 => [16, 768],
            Self::OpenAiB32 => [32, 768],
            Self::OpenAiL14 => [14, 1024],
            Self::Eva02E14Plus => return false,
        };
        config.clip.dim == self.dim()
            && vision.style == style
            && activation
            && sizes == [vision.patch, vision.width]
    }

    /// Whether a text tower whose image tower is not read has the sizes of this one's.
    pub fn fits_text(self, text: &TextModel) -> bool {
        self == Self::Eva02E14Plus && text.dim() == self.dim() && text.sizes().width == EVA02_E14_TEXT_WIDTH
    }

    /// The model of this architecture, if it is one of them.
    pub fn of_model(config: &ModelConfig) -> Option<Self> {
        Self::ALL.into_iter().find(|paired| paired.fits(config))
    }

    /// Dimension of its joint space.
    pub fn dim(self) -> usize {
        match self {
            Self::OpenClipBigG14 => 1280,
            Self::SlipB16 | Self::OpenAiB32 => 512,
            Self::OpenAiL14 => 768,
            Self::Eva02E14Plus => 1024,
        }
    }

    /// The CLIP model of a released file, by its system and the dimension of its joint space.
    fn of(family: ModelFamily, dim: usize) -> Option<Self> {
        match (family, dim) {
            (ModelFamily::Ulip | ModelFamily::OpenShapeZUp, 1280) => Some(Self::OpenClipBigG14),
            (ModelFamily::Ulip | ModelFamily::Cg3d, 512) => Some(Self::SlipB16),
            (ModelFamily::Uni3d, 1024) => Some(Self::Eva02E14Plus),
            (ModelFamily::OpenShapeYUp, 512) => Some(Self::OpenAiB32),
            (ModelFamily::OpenShapeYUp, 768) => Some(Self::OpenAiL14),
            _ => None,
        }
    }
}

/// Options of opening a point model.
#[derive(Clone, Debug)]
pub struct PointModelOptions {
    /// Changes to the preprocessing of point clouds.
    pub clouds: PointPreprocessOverrides,
    /// Replaces the number of groups of a cloud, which no weight depends on.
    pub groups: Option<usize>,
    /// First point of farthest-point sampling, if the reference starts at a random one.
    pub start: FpsStart,
    /// Device of the tensors.
    pub device: Device,
    /// Precision of products on the CPU. A model opened in another one than `f32` is for inference only.
    pub precision: ComputePrecision,
}

impl Default for PointModelOptions {
    fn default() -> Self {
        Self {
            clouds: PointPreprocessOverrides::default(),
            groups: None,
            start: FpsStart::default(),
            device: Device::flex(),
            precision: ComputePrecision::default(),
        }
    }
}

/// A point encoder in the joint space of its paired CLIP model.
pub struct PointModel {
    id: String,
    config: PointModelConfig,
    tower: PointTower,
    logit_scale: Option<f32>,
    start: FpsStart,
    precision: ComputePrecision,
}

impl PointModel {
    /// Opens a model by name or by the path of a checkpoint.
    ///
    /// # Errors
    /// If there is no such model or file, or the weights do not load.
    pub fn open(name_or_path: &str, options: &PointModelOptions) -> Result<Self, ModelError> {
        Self::from_file(&registry::open_weights(name_or_path)?, options)
    }

    /// Loads a network from a file: our own, also the point tower of a joint model, or one released by ULIP, OpenShape, Uni3D
    /// or CG3D.
    ///
    /// # Errors
    /// If the file is not a point encoder, a tensor is missing, misshaped or unused, or the encoder has no groups to
    /// change.
    pub fn from_file(file: &WeightFile, options: &PointModelOptions) -> Result<Self, ModelError> {
        let (mut config, detected) = read_config(file)?;
        if let Some(groups) = options.groups {
            let wrong = |message| WeightsError::Unrecognized { path: file.path().to_owned(), message };
            config.tower.encoder = config.tower.encoder.with_groups(groups).map_err(wrong)?;
        }
        // Our own files have canonical names.
        let layout = detected.as_ref().map_or_else(Layout::default, |found| found.layout.clone());
        let scale_name = layout.name("logit_scale");
        let source =
            WeightSource::with_layout(file, layout, &options.device).with_precision(options.precision);
        let tower = PointTower::load(&source, &config.tower)?;
        let fingerprint = source.fingerprint();
        // The other towers of a joint model.
        let is_joint = file.metadata(config_key::JOINT).is_some();
        let ignored = |name: &str| {
            is_joint || detected.as_ref().map_or(name == "logit_scale", |found| found.ignores(name))
        };
        source.finish(ignored)?;
        let logit_scale =
            if file.contains(&scale_name) { file.read(&scale_name)?.first().copied() } else { None };
        // After loading: overrides change preprocessing, not weights.
        config.input = config.input.with_overrides(options.clouds);
        let id = format!("{}@{fingerprint:08x}", config.name);
        let (start, precision) = (options.start, options.precision);
        Ok(Self { id, config, tower, logit_scale, start, precision })
    }

    /// The model with names for the classes of its head, in the head's order: published checkpoints have none.
    ///
    /// # Errors
    /// [`ModelError::ClassNames`] if there is not one name for each class, [`ModelError::NoClassifier`] without a head.
    pub fn with_class_names(mut self, names: Vec<String>) -> Result<Self, ModelError> {
        let model = self.id.clone();
        let Some(head) = self.config.tower.classes else { return Err(ModelError::NoClassifier { model }) };
        if head.classes != names.len() {
            return Err(ModelError::ClassNames { model, classes: head.classes, names: names.len() });
        }
        self.config.labels = names;
        Ok(self)
    }

    /// Whether a file holds a point encoder without text and image towers.
    pub fn matches_file(file: &WeightFile) -> bool {
        // A joint model may have a point tower too, whose tensors have the same names; so has a PointLLM, which is in no joint space.
        file.metadata(config_key::JOINT).is_none()
            && !PointLlm::matches_file(file)
            && (file.metadata(config_key::POINTS).is_some() || matches!(detect_encoder(file), Ok(Some(_))))
    }

    /// Whether a file holds a point encoder with a classification head.
    pub fn has_classifier(file: &WeightFile) -> bool {
        Self::matches_file(file) && read_config(file).is_ok_and(|(config, _)| config.tower.classes.is_some())
    }

    /// Name and fingerprint of the weights; recorded with every embedding.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The precision that it was opened in.
    pub(crate) fn precision(&self) -> ComputePrecision {
        self.precision
    }

    /// Sizes and preprocessing.
    pub fn config(&self) -> &PointModelConfig {
        &self.config
    }

    /// Dimension of the embeddings.
    pub fn dim(&self) -> usize {
        self.config.tower.dim()
    }

    /// Number of points of a cloud.
    pub fn n_points(&self) -> usize {
        self.config.input.n_points
    }

    /// Describes the preprocessing in one line; recorded with every embedding.
    pub fn preprocessing(&self) -> String {
        self.config.input.describe(self.start)
    }

    /// The CLIP model with the same joint space, if known.
    pub fn paired_clip(&self) -> Option<PairedClip> {
        self.config.paired
    }

    /// The learned logarithm of the factor of similarities, if the file has one.
    pub fn logit_scale(&self) -> Option<f32> {
        self.logit_scale
    }

    /// The network.
    pub fn tower(&self) -> &PointTower {
        &self.tower
    }

    /// Embeddings of point clouds, preprocessed as in the model's reference. Clouds may differ in size.
    ///
    /// # Errors
    /// [`ModelError::NoProjection`] if the network only classifies, [`ModelError::CloudBatch`] if a cloud is empty or not
    /// finite.
    pub fn embed_clouds(&self, clouds: &[PointCloud]) -> Result<Vec<Embedding>, ModelError> {
        if self.config.tower.projection.is_none() && self.config.tower.classes.is_some() {
            return Err(ModelError::NoProjection { model: self.id.clone() });
        }
        let colored = self.config.tower.encoder.colored();
        embed_clouds(&self.tower, &self.config.input, colored, self.start, clouds)
    }

    /// Logits of a fine-tuned classifier, `[clouds, classes]`. With a seed, of one randomly augmented copy of each cloud
    /// ([`PointPreprocess::prepare_test_time_augmented`]).
    ///
    /// # Errors
    /// [`ModelError::NoClassifier`] if the network has no classification head.
    pub fn class_logits(
        &self,
        clouds: &[PointCloud],
        tta_seed: Option<u64>,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let classifier = self.tower.classifier();
        let classifier = classifier.ok_or_else(|| ModelError::NoClassifier { model: self.id.clone() })?;
        let input = &self.config.input;
        let prepared = clouds.iter().map(|cloud| match tta_seed {
            Some(seed) => input.prepare_test_time_augmented(cloud, self.start, seed),
            None => input.prepare(cloud, self.start),
        });
        run_batched(prepared.collect(), self.config.tower.encoder.colored(), |clouds| {
            classifier.forward(self.tower.encoder().encode(clouds, self.start))
        })
    }

    /// Saves the model as one self-contained `.safetensors` file.
    ///
    /// # Errors
    /// If the file cannot be written, or [`ModelError::Rounded`] if the model was opened in another precision than `f32`.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), ModelError> {
        if self.precision != ComputePrecision::F32 {
            return Err(ModelError::Rounded { model: self.id.clone(), precision: self.precision });
        }
        save(path, &self.config, &self.tower, self.logit_scale, precision)
    }
}

/// Saves a point encoder and its configuration as one self-contained `.safetensors` file.
///
/// # Errors
/// If the file cannot be written.
pub fn save(
    path: &Path,
    config: &PointModelConfig,
    tower: &PointTower,
    logit_scale: Option<f32>,
    precision: Precision,
) -> Result<(), ModelError> {
    let mut list = TensorList::default();
    tower.save(&mut list);
    if let Some(scale) = logit_scale {
        list.push("logit_scale".to_owned(), burn::tensor::Tensor::<1>::from_floats([scale], &Device::flex()));
    }
    let header = serde_json::to_string(config).expect("a configuration has only strings for keys");
    list.write(path, precision, HashMap::from([(config_key::POINTS.to_owned(), header)]))?;
    Ok(())
}

/// The configuration of a file's model, without loading its weights; and, unless it is our own, the detected network.
pub(crate) fn read_config(
    file: &WeightFile,
) -> Result<(PointModelConfig, Option<DetectedEncoder>), WeightsError> {
    let unrecognized = |message: String| WeightsError::Unrecognized { path: file.path().to_owned(), message };
    let invalid = |message: String| unrecognized(format!("invalid header: {message}"));
    let own = match (file.metadata(config_key::POINTS), file.metadata(config_key::JOINT)) {
        (Some(text), _) => Some(serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?),
        (None, Some(text)) => {
            let joint: ModelConfig =
                serde_json::from_str(text).map_err(|error| invalid(error.to_string()))?;
            PointModelConfig::of_joint(joint)
        }
        (None, None) => None,
    };
    if let Some(config) = own {
        // The header of a file is untrusted.
        config.tower.encoder.check().map_err(invalid)?;
        return Ok((config, None));
    }
    let found = detect_encoder(file)?
        .ok_or_else(|| unrecognized("no tensors of a known point encoder".to_owned()))?;
    let name = file.stem().unwrap_or_else(|| "model".to_owned());
    let tower = found.config.clone();
    let input = PointPreprocess::of(found.family, tower.encoder.colored());
    let paired = PairedClip::of(found.family, tower.dim());
    let templates = found.family.templates();
    let (taught_by, labels) = (None, Vec::new());
    let config = PointModelConfig { name, tower, input, paired, taught_by, templates, labels };
    Ok((config, Some(found)))
}
