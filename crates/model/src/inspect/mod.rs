//! Describing models and files of weights without loading them.

mod summary;

use serde::Serialize;

pub use self::summary::{TensorGroup, WeightFileSummary, summarize};
use crate::blip::{self, Captioner};
use crate::error::ModelError;
use crate::joint;
use crate::point_model::{self, PointModel};
use crate::pointllm::PointLlm;
use crate::registry::{MODELS, Modality, NamedModel, open_weights};
use crate::weights::{WeightFile, WeightsError};

/// A model's entry in a list.
///
/// ```
/// let nano = lexiform_model::inspect::describe("nano")?;
/// assert!(nano.available);
/// assert_eq!(nano.modality, "views and points");
/// # Ok::<(), lexiform_model::ModelError>(())
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct ModelCard {
    /// Name, or file stem.
    pub name: String,
    /// Description.
    pub description: String,
    /// Input: `views`, `points` or `views and points`; or `captioner`, `classifier` (of points).
    pub modality: &'static str,
    /// The named model whose text and image towers it is used with, if it has none.
    pub paired: Option<String>,
    /// Dimension of the joint space.
    pub dim: Option<usize>,
    /// Edge of a view in pixels.
    pub view_size: Option<usize>,
    /// First block with attention across views.
    pub joint_from: Option<usize>,
    /// Number of parameters.
    pub parameters: Option<usize>,
    /// Size of the weights in bytes.
    pub bytes: Option<u64>,
    /// Source of the weights.
    pub origin: String,
    /// Licence of the weights.
    pub license: String,
    /// Whether it can be used now, without a network.
    pub available: bool,
}

/// All named models.
pub fn list() -> Vec<ModelCard> {
    MODELS.iter().map(NamedModel::card).collect()
}

/// Describes a named model, or the model in a file.
///
/// # Errors
/// If there is no such model or file, or the file is not a model.
pub fn describe(name_or_path: &str) -> Result<ModelCard, ModelError> {
    if let Some(model) = MODELS.iter().find(|model| model.name == name_or_path) {
        return Ok(model.card());
    }
    let file = open_weights(name_or_path)?;
    Ok(card_of_file(&file, name_or_path.to_owned())?)
}

/// Describes a model and the contents of its file. A model that is not downloaded has no contents, and a file that is not a
/// known model no card.
///
/// # Errors
/// If there is no such model or file.
pub fn inspect(name_or_path: &str) -> Result<(Option<ModelCard>, Option<WeightFileSummary>), ModelError> {
    if let Some(model) = MODELS.iter().find(|model| model.name == name_or_path) {
        let file = open_weights(name_or_path).ok();
        return Ok((Some(model.card()), file.map(|file| summarize(&file, model.paired))));
    }
    let file = open_weights(name_or_path)?;
    let card = card_of_file(&file, name_or_path.to_owned()).ok();
    let paired = card.as_ref().and_then(|card| card.paired.clone());
    Ok((card, Some(summarize(&file, paired.as_deref()))))
}

impl NamedModel {
    fn card(&self) -> ModelCard {
        let file = open_weights(self.name).ok();
        let card =
            file.as_ref().and_then(|file| card_of_file(file, String::new()).ok()).unwrap_or_else(|| {
                ModelCard {
                    dim: (self.dim > 0).then_some(self.dim),
                    parameters: self.parameters,
                    bytes: file.as_ref().map(WeightFile::bytes),
                    modality: self.modality.name(),
                    ..ModelCard::blank()
                }
            });
        ModelCard {
            name: self.name.to_owned(),
            description: self.description.to_owned(),
            license: self.license.to_owned(),
            origin: self.origin.describe(),
            paired: self.paired.map(str::to_owned),
            available: file.is_some(),
            ..card
        }
    }
}

impl ModelCard {
    fn blank() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            modality: Modality::Views.name(),
            paired: None,
            dim: None,
            view_size: None,
            joint_from: None,
            parameters: None,
            bytes: None,
            origin: String::new(),
            license: String::new(),
            available: false,
        }
    }
}

fn card_of_file(file: &WeightFile, origin: String) -> Result<ModelCard, WeightsError> {
    let found = ModelCard {
        parameters: Some(file.n_elements("")),
        bytes: Some(file.bytes()),
        origin,
        license: "not stated in the file".to_owned(),
        available: true,
        ..ModelCard::blank()
    };
    if PointModel::matches_file(file) {
        let (config, _) = point_model::read_config(file)?;
        let is_classifier = config.tower.is_classifier();
        let modality = if is_classifier { Modality::Classifier } else { Modality::Points };
        let paired = config.paired.filter(|_| !is_classifier);
        return Ok(ModelCard {
            name: config.name,
            description: config.tower.encoder.architecture().to_owned(),
            modality: modality.name(),
            paired: paired.map(|paired| paired.name().to_owned()),
            dim: (!is_classifier).then(|| config.tower.dim()),
            ..found
        });
    }
    if Captioner::matches_file(file) {
        let (_, config) = blip::detect_config(file)?;
        return Ok(ModelCard {
            name: file.stem().unwrap_or_default(),
            description: if config.qformer.is_some() { "BLIP-2 captioner" } else { "BLIP captioner" }
                .to_owned(),
            modality: Modality::Captioner.name(),
            view_size: Some(config.vision.image_size),
            ..found
        });
    }
    if PointLlm::matches_file(file) {
        let name = file.path().parent().and_then(|folder| folder.file_name());
        return Ok(ModelCard {
            name: name.unwrap_or_default().to_string_lossy().into_owned(),
            description: "PointLLM".to_owned(),
            modality: Modality::Captioner.name(),
            ..found
        });
    }
    let config = joint::detect_config(file)?;
    let joint = config.joint_from < config.clip.vision.layers;
    Ok(ModelCard {
        name: config.name,
        description: if joint { "multi-view CLIP" } else { "CLIP; views are averaged" }.to_owned(),
        modality: if config.points.is_some() { Modality::Both } else { Modality::Views }.name(),
        dim: Some(config.clip.dim + config.language.as_ref().map_or(0, |language| language.concepts.len())),
        view_size: Some(config.preprocess.size),
        joint_from: Some(config.joint_from),
        ..found
    })
}
