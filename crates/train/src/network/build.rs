//! A recipe's network at its start: new, pretrained, or of point clouds.

use burn::module::{Module as _, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor};
use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::point::{ClassHeadConfig, PointTower, PointTowerConfig};
use lexiform_model::weights::WeightSource;
use lexiform_model::{ModelConfig, ModelError, PointModelConfig, default_templates};

use crate::network::{Blueprint, Design, Published, Towers};
use crate::recipe::{ClipNetwork, LowRankConfig, NetworkConfig, PointNetwork, PretrainedNetwork, Recipe};

/// CLIP's starting scale, `ln(1 / 0.07)`.
const START_SCALE: f32 = 2.659_26;

/// What a new network's outputs and inputs are called.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    /// Texts whose words a new text tower reads.
    pub words: &'a [String],
    /// Categories that a new head names.
    pub labels: &'a [String],
}

impl Towers {
    /// The recipe's network at its start. `known` is the configuration of a run that goes on; otherwise the vocabulary
    /// of a new text tower is made of what is said.
    pub(crate) fn build(
        recipe: &Recipe,
        published: &Published,
        said: Said,
        known: Option<&Design>,
        device: &Device,
    ) -> Result<(Self, Blueprint), ModelError> {
        match &recipe.network {
            NetworkConfig::Clip(network) => Self::new_clip(recipe, network, said.words, known, device),
            NetworkConfig::Pretrained(network) => Self::of_pretrained(recipe, network, published, device),
            NetworkConfig::Points(network) => {
                Self::of_points(recipe, network, published, said.labels, device)
            }
        }
    }

    /// A small CLIP with random weights.
    fn new_clip(
        recipe: &Recipe,
        network: &ClipNetwork,
        words: &[String],
        known: Option<&Design>,
        device: &Device,
    ) -> Result<(Self, Blueprint), ModelError> {
        let config = match known {
            Some(Design::Joint(config)) => config.clone(),
            _ => network.model(&recipe.name, words.iter().map(String::as_str)),
        };
        let source = WeightSource::random(recipe.seed, device);
        let text = Some(ClipText::load(&source, &config.clip)?);
        let vision = Some(ClipVision::load(&source, &config.clip)?);
        let logit_scale = scale(recipe, START_SCALE, device);
        Ok((Self { text, vision, points: None, logit_scale }, Blueprint::new(Design::Joint(config))))
    }

    /// A published CLIP; with a teacher, its text tower is only written.
    fn of_pretrained(
        recipe: &Recipe,
        network: &PretrainedNetwork,
        published: &Published,
        device: &Device,
    ) -> Result<(Self, Blueprint), ModelError> {
        let mut base = published.open(&network.base)?;
        if let Some(size) = network.image_size {
            base = base.with_image_size(size)?;
        }
        let (mut vision, mut text) = (base.vision().clone(), base.text().clone());
        if let Some(LowRankConfig { rank, from }) = network.lora {
            let source = WeightSource::random(recipe.seed, device);
            vision = vision.with_lora(&source, rank, from)?;
            text = text.with_lora(&source, rank, from)?;
        }
        let (text, frozen) = match recipe.teacher {
            Some(_) => (None, Some(in_halves(base.text()))),
            None => (Some(text), None),
        };
        let logit_scale = scale(recipe, base.logit_scale(), device);
        let design = Design::Joint(config_of_pretrained(recipe, network, base.config()));
        let towers = Self { text, vision: Some(vision), points: None, logit_scale };
        Ok((towers, Blueprint { text: frozen, ..Blueprint::new(design) }))
    }

    /// An encoder of clouds at its start, perhaps with the teacher's image tower and its new prompts.
    fn of_points(
        recipe: &Recipe,
        network: &PointNetwork,
        published: &Published,
        labels: &[String],
        device: &Device,
    ) -> Result<(Self, Blueprint), ModelError> {
        let source = WeightSource::random(recipe.seed, device);
        let (points, tower) = started(network, &source, published, labels)?;
        let config = point_model(recipe, network, tower, published, labels)?;
        let mut blueprint = Blueprint {
            drop_path: network.drop_path,
            dropout: network.head.map_or(0.0, |head| head.dropout),
            ..Blueprint::new(Design::Points(config))
        };
        let (mut vision, mut start) = (None, START_SCALE);
        if let (Some(teacher), 1..) = (&recipe.teacher, network.prompts) {
            let images = published.open(teacher)?.with_new_prompts(network.prompts, recipe.seed)?;
            (vision, start) = (Some(images.vision().clone()), images.logit_scale());
            blueprint.text = Some(in_halves(images.text()));
            blueprint.images = Some(ModelConfig { points: None, ..images.config().clone() });
        }
        let logit_scale = scale(recipe, start, device);
        Ok((Self { text: None, vision, points: Some(points), logit_scale }, blueprint))
    }
}

/// The configuration of a published model that a recipe trains on.
fn config_of_pretrained(recipe: &Recipe, network: &PretrainedNetwork, base: &ModelConfig) -> ModelConfig {
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
    tower: PointTowerConfig,
    published: &Published,
    labels: &[String],
) -> Result<PointModelConfig, ModelError> {
    let taught_by = match &recipe.teacher {
        Some(teacher) => Some(published.open(teacher)?.clip_id().to_owned()),
        None => None,
    };
    Ok(PointModelConfig {
        name: recipe.name.clone(),
        tower,
        input: network.input,
        paired: network.paired,
        taught_by,
        templates: default_templates(),
        labels: network.head.map_or(Vec::new(), |_| labels.to_vec()),
    })
}

/// The point tower at its start, and its sizes.
fn started(
    network: &PointNetwork,
    source: &WeightSource,
    published: &Published,
    labels: &[String],
) -> Result<(PointTower, PointTowerConfig), ModelError> {
    // The recipe was checked: where there is no new network, one is named.
    let (tower, mut config) = match network.new_tower() {
        Ok(Some(config)) => (PointTower::load(source, &config)?, config),
        _ => {
            let base = published.points(network.base.as_deref().unwrap_or_default(), network.groups)?;
            (base.tower().clone(), base.config().tower.clone())
        }
    };
    let Some(head) = network.head else { return Ok((tower.without_head(&mut config), config)) };
    let classes = ClassHeadConfig { hidden: head.hidden, classes: labels.len() };
    let tower = tower.with_new_head(source, &mut config, classes)?;
    Ok((tower, config))
}

/// The scale at its start: the recipe's, or else the network's own.
fn scale(recipe: &Recipe, own: f32, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::from_floats([recipe.scale.start.unwrap_or(own)], device))
}

/// A tower that is only written, in this machine's memory and half of it.
fn in_halves(text: &ClipText) -> ClipText {
    struct Halves;
    impl ModuleMapper for Halves {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            parameter.map(|values| values.to_device(&Device::flex()).cast(DType::F16))
        }
    }
    text.valid().map(&mut Halves)
}
