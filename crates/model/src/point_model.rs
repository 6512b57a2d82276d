//! A point encoder with everything needed to feed it: clouds → embeddings in the space of the CLIP model it was trained with.

mod embed;

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::Device;
use lexiform_geometry::PointCloud;
use serde::{Deserialize, Serialize};

pub(crate) use self::embed::embed_clouds;
use self::embed::rows_of;
use crate::embedding::Embedding;
use crate::error::ModelError;
use crate::point::{CloudInput, CloudOptions, PointTower, Recognized, Start, System, TowerConfig, recognize};
use crate::templates::usual_templates;
use crate::weights::{Layout, Precision, Source, TensorList, WeightFile, WeightsError};
use crate::{config_key, registry};

/// Everything but the weights. Stands in the header of our own `.safetensors` files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PointModelConfig {
    /// What the model is called.
    pub name: String,
    /// Sizes of the network.
    pub tower: TowerConfig,
    /// How clouds are prepared.
    pub input: CloudInput,
    /// The model whose text and image embeddings its own can be compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paired: Option<Paired>,
    /// Id of the model towards whose features it was trained here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taught_by: Option<String>,
    /// Sentences with `{}` for class names, as its paper writes them.
    #[serde(default = "usual_templates")]
    pub templates: Vec<String>,
    /// What the classes are called that the network's head names, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// The CLIP model that a point encoder was trained beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Paired {
    /// OpenCLIP ViT-bigG-14, `laion2b_s39b_b160k`, 1280 wide.
    OpenClipBigG14,
    /// SLIP ViT-B/16, 100 epochs, 512 wide.
    SlipB16,
    /// OpenAI's ViT-B/32, 512 wide.
    OpenAiB32,
    /// OpenAI's ViT-L/14, 768 wide.
    OpenAiL14,
}

impl Paired {
    /// Name and weights of the model.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenClipBigG14 => "ViT-bigG-14 laion2b_s39b_b160k",
            Self::SlipB16 => "SLIP ViT-B/16 slip_base_100ep",
            Self::OpenAiB32 => "ViT-B-32 openai",
            Self::OpenAiL14 => "ViT-L-14 openai",
        }
    }

    /// Width of its joint space.
    pub fn dim(self) -> usize {
        match self {
            Self::OpenClipBigG14 => 1280,
            Self::SlipB16 | Self::OpenAiB32 => 512,
            Self::OpenAiL14 => 768,
        }
    }

    /// What a released file of this system and width was trained beside.
    fn of(system: System, dim: usize) -> Option<Self> {
        match (system, dim) {
            (System::Ulip | System::OpenShapeZUp, 1280) => Some(Self::OpenClipBigG14),
            (System::Ulip | System::Cg3d, 512) => Some(Self::SlipB16),
            (System::OpenShapeYUp, 512) => Some(Self::OpenAiB32),
            (System::OpenShapeYUp, 768) => Some(Self::OpenAiL14),
            _ => None,
        }
    }
}

/// How a model is opened.
#[derive(Clone, Debug)]
pub struct PointOptions {
    /// How clouds are given to it, where not as it is used to.
    pub clouds: CloudOptions,
    /// Groups a cloud is cut into, where not as many as the encoder is used to; no weight depends on it.
    pub groups: Option<usize>,
    /// Where farthest-point sampling begins where the reference begins at random.
    pub start: Start,
    /// Where the tensors live.
    pub device: Device,
}

impl Default for PointOptions {
    fn default() -> Self {
        Self {
            clouds: CloudOptions::default(),
            groups: None,
            start: Start::default(),
            device: Device::flex(),
        }
    }
}

/// A point encoder whose features can be compared with those of its paired CLIP model.
pub struct PointModel {
    id: String,
    config: PointModelConfig,
    tower: PointTower,
    logit_scale: Option<f32>,
    start: Start,
}

impl PointModel {
    /// Opens a model by name or by the path of a checkpoint.
    ///
    /// # Errors
    /// If there is no such model or file, or the weights do not load.
    pub fn open(name_or_path: &str, options: &PointOptions) -> Result<Self, ModelError> {
        Self::from_file(&registry::locate(name_or_path)?, options)
    }

    /// Builds the network from a file: our own, or one that ULIP, OpenShape or CG3D released.
    ///
    /// # Errors
    /// If the file is no point encoder, a tensor is missing, misshaped or unused, or the encoder has no groups to
    /// change.
    pub fn from_file(file: &WeightFile, options: &PointOptions) -> Result<Self, ModelError> {
        let (mut config, recognized) = described(file)?;
        if let Some(groups) = options.groups {
            let wrong = |message| WeightsError::Unrecognized { path: file.path().to_owned(), message };
            config.tower.encoder = config.tower.encoder.with_groups(groups).map_err(wrong)?;
        }
        let layout = recognized.as_ref().map_or_else(Layout::default, |found| found.layout.clone());
        let scale_name = layout.name("logit_scale");
        let source = Source::laid_out(file, layout, &options.device);
        let tower = PointTower::load(&source, &config.tower)?;
        let fingerprint = source.fingerprint();
        let ignored =
            |name: &str| recognized.as_ref().map_or(name == "logit_scale", |found| found.ignores(name));
        source.finish(ignored)?;
        let logit_scale = match file.contains(&scale_name) {
            true => file.read(&scale_name)?.first().copied(),
            false => None,
        };
        config.input = config.input.with(options.clouds);
        let id = format!("{}@{fingerprint:08x}", config.name);
        Ok(Self { id, config, tower, logit_scale, start: options.start })
    }

    /// Whether a file holds a point encoder without the towers it is compared with.
    pub fn recognizes(file: &WeightFile) -> bool {
        // A joint model may have a point tower too.
        file.metadata(config_key::JOINT).is_none()
            && (file.metadata(config_key::POINTS).is_some() || matches!(recognize(file), Ok(Some(_))))
    }

    /// Whether a file holds a point encoder with a head that names classes.
    pub fn names_classes(file: &WeightFile) -> bool {
        Self::recognizes(file) && described(file).is_ok_and(|(config, _)| config.tower.classes.is_some())
    }

    /// Name and fingerprint of the weights; recorded with every embedding.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Sizes and preprocessing.
    pub fn config(&self) -> &PointModelConfig {
        &self.config
    }

    /// Width of the embeddings.
    pub fn dim(&self) -> usize {
        self.config.tower.dim()
    }

    /// Points of a cloud it is used to.
    pub fn n_points(&self) -> usize {
        self.config.input.n_points
    }

    /// How clouds are prepared, in one line; recorded with every embedding.
    pub fn preprocessing(&self) -> String {
        self.config.input.describe(self.start)
    }

    /// The CLIP model whose text embeddings can be compared with these.
    pub fn paired_text(&self) -> Option<Paired> {
        self.config.paired
    }

    /// The learned multiplier of similarities (its logarithm), where the file has one.
    pub fn logit_scale(&self) -> Option<f32> {
        self.logit_scale
    }

    /// The network.
    pub fn tower(&self) -> &PointTower {
        &self.tower
    }

    /// Embeddings of clouds, each prepared as the model's reference does. Clouds may differ in size.
    ///
    /// # Errors
    /// [`ModelError::NotJoint`] if the network only classifies, [`ModelError::Clouds`] if a cloud is empty or not
    /// finite.
    pub fn embed_clouds(&self, clouds: &[PointCloud]) -> Result<Vec<Embedding>, ModelError> {
        if self.config.tower.projection.is_none() && self.config.tower.classes.is_some() {
            return Err(ModelError::NotJoint { model: self.id.clone() });
        }
        let colored = self.config.tower.encoder.colored();
        embed_clouds(&self.tower, &self.config.input, colored, self.start, clouds)
    }

    /// Scores of the classes that a fine-tuned network names, one row a cloud, `[clouds, classes]`. With a seed the clouds are seen
    /// as one of several looks that vote ([`CloudInput::prepare_look`]).
    ///
    /// # Errors
    /// [`ModelError::NoClasses`] if the network has no head that names classes.
    pub fn class_scores(
        &self,
        clouds: &[PointCloud],
        look: Option<u64>,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let classifier = self.tower.classifier();
        let classifier = classifier.ok_or_else(|| ModelError::NoClasses { model: self.id.clone() })?;
        let input = &self.config.input;
        let prepared = clouds.iter().map(|cloud| match look {
            Some(seed) => input.prepare_look(cloud, self.start, seed),
            None => input.prepare(cloud, self.start),
        });
        rows_of(prepared.collect(), self.config.tower.encoder.colored(), |clouds| {
            classifier.forward(self.tower.encoder().encode(clouds, self.start))
        })
    }

    /// Writes one self-contained `.safetensors` file.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path, precision: Precision) -> Result<(), ModelError> {
        save(path, &self.config, &self.tower, self.logit_scale, precision)
    }
}

/// Writes a point encoder with its configuration as one self-contained `.safetensors` file.
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

/// A file's configuration without its weights; and, unless the file is our own, what it was recognized as.
pub(crate) fn described(file: &WeightFile) -> Result<(PointModelConfig, Option<Recognized>), WeightsError> {
    let unrecognized = |message: String| WeightsError::Unrecognized { path: file.path().to_owned(), message };
    if let Some(text) = file.metadata(config_key::POINTS) {
        let config: PointModelConfig =
            serde_json::from_str(text).map_err(|e| unrecognized(format!("its header: {e}")))?;
        config.tower.encoder.check().map_err(|message| unrecognized(format!("its header: {message}")))?;
        return Ok((config, None));
    }
    let found = recognize(file)?.ok_or_else(|| {
        unrecognized("no tensor encoder.first_conv.0.weight or sa.mlp_convs.0.weight".to_owned())
    })?;
    let name = file.path().file_stem().map_or("model".to_owned(), |stem| stem.to_string_lossy().into_owned());
    let tower = found.config.clone();
    let input = CloudInput::of(found.system, tower.encoder.colored());
    let paired = Paired::of(found.system, tower.dim());
    let templates = found.system.templates();
    let (taught_by, labels) = (None, Vec::new());
    let config = PointModelConfig { name, tower, input, paired, taught_by, templates, labels };
    Ok((config, Some(found)))
}
