//! A recipe's network at its start: new, pretrained, or of point clouds.

use burn::module::{Module as _, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor};
use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::point::{Classes, PointTower, TowerConfig};
use lexiform_model::weights::Source;
use lexiform_model::{ModelConfig, ModelError, PointModelConfig, usual_templates};

use crate::network::{ModelSpec, OutputConfig, PretrainedModels, Towers};
use crate::recipe::{ClipNetwork, LoraConfig, NetworkConfig, PointNetwork, PretrainedNetwork, Recipe};

/// CLIP's starting scale, `ln(1 / 0.07)`.
const INIT_LOGIT_SCALE: f32 = 2.659_26;

/// What a new network's outputs and inputs are called.
#[derive(Clone, Copy)]
pub(crate) struct NetworkVocabulary<'a> {
    /// Texts whose words a new text tower reads.
    pub words: &'a [String],
    /// Categories that a new head names.
    pub labels: &'a [String],
}

impl Towers {
    /// The recipe's network at its start. `known` is the configuration of a run that goes on; otherwise the vocabulary
    /// of a new text tower is made of what is vocabulary.
    pub(crate) fn build(
        recipe: &Recipe,
        models: &PretrainedModels,
        vocabulary: NetworkVocabulary,
        known: Option<&OutputConfig>,
        device: &Device,
    ) -> Result<(Self, ModelSpec), ModelError> {
        match &recipe.network {
            NetworkConfig::Clip(network) => {
                Self::build_clip(recipe, network, vocabulary.words, known, device)
            }
            NetworkConfig::Pretrained(network) => Self::build_pretrained(recipe, network, models, device),
            NetworkConfig::Points(network) => {
                Self::build_points(recipe, network, models, vocabulary.labels, device)
            }
        }
    }

    /// A small CLIP with random weights.
    fn build_clip(
        recipe: &Recipe,
        network: &ClipNetwork,
        words: &[String],
        known: Option<&OutputConfig>,
        device: &Device,
    ) -> Result<(Self, ModelSpec), ModelError> {
        let config = match known {
            Some(OutputConfig::Joint(config)) => config.clone(),
            _ => network.model(&recipe.name, words.iter().map(String::as_str)),
        };
        let source = Source::new(recipe.seed, device);
        let text = Some(ClipText::load(&source, &config.clip)?);
        let vision = Some(ClipVision::load(&source, &config.clip)?);
        let logit_scale = scale(recipe, INIT_LOGIT_SCALE, device);
        Ok((Self { text, vision, points: None, logit_scale }, ModelSpec::new(OutputConfig::Joint(config))))
    }

    /// A published CLIP; with a teacher, its text tower is only written.
    fn build_pretrained(
        recipe: &Recipe,
        network: &PretrainedNetwork,
        models: &PretrainedModels,
        device: &Device,
    ) -> Result<(Self, ModelSpec), ModelError> {
        let mut base = models.open(&network.base)?;
        if let Some(size) = network.image_size {
            base = base.with_image_size(size)?;
        }
        let (mut vision, mut text) = (base.vision().clone(), base.text().clone());
        if let Some(LoraConfig { rank, first_layer }) = network.lora {
            let source = Source::new(recipe.seed, device);
            vision = vision.with_low_rank(&source, rank, first_layer)?;
            text = text.with_low_rank(&source, rank, first_layer)?;
        }
        let (text, frozen) = match recipe.teacher {
            Some(_) => (None, Some(to_f16(base.text()))),
            None => (Some(text), None),
        };
        let logit_scale = scale(recipe, base.logit_scale(), device);
        let design = OutputConfig::Joint(config_build_pretrained(recipe, network, base.config()));
        let towers = Self { text, vision: Some(vision), points: None, logit_scale };
        Ok((towers, ModelSpec { text: frozen, ..ModelSpec::new(design) }))
    }

    /// An encoder of clouds at its start, perhaps with the teacher's image tower and its new prompts.
    fn build_points(
        recipe: &Recipe,
        network: &PointNetwork,
        models: &PretrainedModels,
        labels: &[String],
        device: &Device,
    ) -> Result<(Self, ModelSpec), ModelError> {
        let source = Source::new(recipe.seed, device);
        let (points, tower) = init_point_tower(network, &source, models, labels)?;
        let config = point_model(recipe, network, tower, models, labels)?;
        let mut spec = ModelSpec {
            drop_path: network.drop_path,
            dropout: network.head.map_or(0.0, |head| head.dropout),
            ..ModelSpec::new(OutputConfig::Points(config))
        };
        let (mut vision, mut start) = (None, INIT_LOGIT_SCALE);
        if let (Some(teacher), 1..) = (&recipe.teacher, network.prompts) {
            let images = models.open(teacher)?.with_new_prompts(network.prompts, recipe.seed)?;
            (vision, start) = (Some(images.vision().clone()), images.logit_scale());
            spec.text = Some(to_f16(images.text()));
            spec.prompted_teacher = Some(ModelConfig { points: None, ..images.config().clone() });
        }
        let logit_scale = scale(recipe, start, device);
        Ok((Self { text: None, vision, points: Some(points), logit_scale }, spec))
    }
}

/// The configuration of a published model that a recipe trains on.
fn config_build_pretrained(recipe: &Recipe, network: &PretrainedNetwork, base: &ModelConfig) -> ModelConfig {
    ModelConfig {
        name: recipe.name.clone(),
        // A point tower agrees with the towers as they were.
        points: None,
        joint_from: network.joint_from.unwrap_or(base.joint_from),
        rig: network.rig.clone(),
        n_views: network.n_views,
        ..base.clone()
    }
}

/// The configuration of a point model.
fn point_model(
    recipe: &Recipe,
    network: &PointNetwork,
    tower: TowerConfig,
    models: &PretrainedModels,
    labels: &[String],
) -> Result<PointModelConfig, ModelError> {
    let taught_by = match &recipe.teacher {
        Some(teacher) => Some(models.open(teacher)?.towers_id().to_owned()),
        None => None,
    };
    Ok(PointModelConfig {
        name: recipe.name.clone(),
        tower,
        input: network.input,
        paired: network.paired,
        taught_by,
        templates: usual_templates(),
        labels: network.head.map_or(Vec::new(), |_| labels.to_vec()),
    })
}

/// The point tower at its start, and its sizes.
fn init_point_tower(
    network: &PointNetwork,
    source: &Source,
    models: &PretrainedModels,
    labels: &[String],
) -> Result<(PointTower, TowerConfig), ModelError> {
    // The recipe was checked: where there is no new network, one is named.
    let (tower, mut config) = match network.new_tower() {
        Ok(Some(config)) => (PointTower::load(source, &config)?, config),
        _ => {
            let base = models.point_model(network.base.as_deref().unwrap_or_default(), network.groups)?;
            (base.tower().clone(), base.config().tower.clone())
        }
    };
    let Some(head) = network.head else { return Ok((tower.without_head(&mut config), config)) };
    let classes = Classes { hidden: head.hidden_width, classes: labels.len() };
    let tower = tower.with_new_head(source, &mut config, classes)?;
    Ok((tower, config))
}

/// The scale at its start: the recipe's, or else the network's own.
fn scale(recipe: &Recipe, own: f32, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::from_floats([recipe.logit_scale.init.unwrap_or(own)], device))
}

/// A tower that is only written, in this machine's memory and half of it.
fn to_f16(text: &ClipText) -> ClipText {
    struct Halves;
    impl ModuleMapper for Halves {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            parameter.map(|values| values.to_device(&Device::flex()).cast(DType::F16))
        }
    }
    text.valid().map(&mut Halves)
}
