//! The initial network of a recipe: new, pretrained, or a point encoder.

use burn::module::{Module as _, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor};
use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::point::{ClassHeadConfig, EncoderConfig, PointTower, PointTowerConfig, read_point_bert};
use lexiform_model::weights::{WeightFile, WeightSource};
use lexiform_model::{JointModel, ModelConfig, ModelError, PairedClip, PointModelConfig, default_templates};

use crate::network::{ModelSpec, OutputConfig, PretrainedModels, Towers};
use crate::recipe::{ClipNetwork, LoraConfig, NetworkConfig, PointNetwork, PretrainedNetwork, Recipe};

/// CLIP's initial temperature, `ln(1 / 0.07)`.
const INIT_LOGIT_SCALE: f32 = 2.659_26;

/// Vocabulary of a new text tower and labels of a new head.
#[derive(Clone, Copy)]
pub(crate) struct NetworkVocabulary<'a> {
    /// Texts from whose words a new vocabulary is built.
    pub words: &'a [String],
    /// Labels of a new classification head.
    pub labels: &'a [String],
}

impl Towers {
    /// Builds the initial network. `known` is the configuration of a resumed run, whose vocabulary is kept.
    ///
    /// # Errors
    /// If a pretrained model cannot be opened, or sizes conflict.
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
        // Random initial weights from the seed of the recipe.
        let source = WeightSource::random(recipe.seed, device);
        let text = Some(ClipText::load(&source, &config.clip)?);
        let vision = Some(ClipVision::load(&source, &config.clip)?);
        let logit_scale = scale(recipe, INIT_LOGIT_SCALE, device);
        Ok((Self { text, vision, points: None, logit_scale }, ModelSpec::new(OutputConfig::Joint(config))))
    }

    /// A pretrained CLIP. With a teacher, its text tower is frozen and only saved with the model.
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
            let source = WeightSource::random(recipe.seed, device);
            vision = vision.with_lora(&source, rank, first_layer)?;
            text = text.with_lora(&source, rank, first_layer)?;
        }
        let (text, frozen) = match recipe.teacher {
            Some(_) => (None, Some(to_f16(base.text()))),
            None => (Some(text), None),
        };
        let logit_scale = scale(recipe, base.logit_scale(), device);
        let design = OutputConfig::Joint(pretrained_config(recipe, network, base.config()));
        let towers = Self { text, vision: Some(vision), points: None, logit_scale };
        Ok((towers, ModelSpec { text: frozen, ..ModelSpec::new(design) }))
    }

    /// A point encoder, with the prompted image tower of the teacher if `network.prompts` is not 0.
    fn build_points(
        recipe: &Recipe,
        network: &PointNetwork,
        models: &PretrainedModels,
        labels: &[String],
        device: &Device,
    ) -> Result<(Self, ModelSpec), ModelError> {
        let source = WeightSource::random(recipe.seed, device);
        let (points, tower) = init_point_tower(network, &source, models, labels)?;
        let config = point_model(recipe, network, tower, models, labels)?;
        let mut spec = ModelSpec {
            drop_path: network.drop_path,
            dropout: network.head.map_or(0.0, |head| head.dropout),
            ..ModelSpec::new(OutputConfig::Points(config))
        };
        let teacher = recipe.teacher.as_deref().map(|teacher| models.open(teacher)).transpose()?;
        // Features are compared with the teacher's: its temperature fits them, and ULIP and CG3D keep it.
        let start = teacher.as_ref().map_or(INIT_LOGIT_SCALE, JointModel::logit_scale);
        let mut vision = None;
        if let (Some(teacher), 1..) = (teacher, network.prompts) {
            let images = teacher.with_new_prompts(network.prompts, recipe.seed)?;
            vision = Some(images.vision().clone());
            spec.text = Some(to_f16(images.text()));
            spec.prompted_teacher =
                Some(ModelConfig { points: None, language: None, ..images.config().clone() });
        }
        let logit_scale = scale(recipe, start, device);
        Ok((Self { text: None, vision, points: Some(points), logit_scale }, spec))
    }
}

/// Configuration of a model that continues a pretrained one.
fn pretrained_config(recipe: &Recipe, network: &PretrainedNetwork, base: &ModelConfig) -> ModelConfig {
    ModelConfig {
        name: recipe.name.clone(),
        // A point tower is aligned with the base, not with what is trained from it.
        points: None,
        language: None,
        prompts_of: None,
        joint_from: network.joint_from.unwrap_or(base.joint_from),
        rig: network.rig.clone(),
        n_views: network.n_views,
        ..base.clone()
    }
}

/// Configuration of a point model.
fn point_model(
    recipe: &Recipe,
    network: &PointNetwork,
    tower: PointTowerConfig,
    models: &PretrainedModels,
    labels: &[String],
) -> Result<PointModelConfig, ModelError> {
    let (paired, taught_by) = match &recipe.teacher {
        Some(teacher) => {
            let clip = models.open(teacher)?;
            (PairedClip::of_model(clip.config()), Some(clip.clip_id().to_owned()))
        }
        None => (None, None),
    };
    Ok(PointModelConfig {
        name: recipe.name.clone(),
        tower,
        input: network.input,
        paired,
        taught_by,
        // For zero-shot evaluation; training has its own templates.
        templates: default_templates(),
        labels: network.head.map_or(Vec::new(), |_| labels.to_vec()),
    })
}

/// The initial point tower and its configuration.
fn init_point_tower(
    network: &PointNetwork,
    source: &WeightSource,
    models: &PretrainedModels,
    labels: &[String],
) -> Result<(PointTower, PointTowerConfig), ModelError> {
    // `Recipe::validate` has checked that one of `tower` and `base` is present.
    let (tower, mut config) = match network.new_tower() {
        Ok(Some(config)) => (new_tower(network, source, &config, models.device())?, config),
        _ => {
            let base = models.point_model(network.base.as_deref().unwrap_or_default(), network.groups)?;
            (base.tower().clone(), base.config().tower.clone())
        }
    };
    let Some(head) = network.head else { return Ok((tower.without_head(&mut config), config)) };
    let classes = ClassHeadConfig { hidden: head.hidden_width, classes: labels.len() };
    let tower = tower.with_new_head(source, &mut config, classes)?;
    Ok((tower, config))
}

/// A tower with random weights, or with an encoder that Point-BERT pre-trained.
fn new_tower(
    network: &PointNetwork,
    source: &WeightSource,
    config: &PointTowerConfig,
    device: &Device,
) -> Result<PointTower, ModelError> {
    let tower = PointTower::load(source, config)?;
    // `Recipe::validate` has checked the kind.
    match (&network.init, &config.encoder) {
        (Some(path), EncoderConfig::PointBert(encoder)) => {
            Ok(tower.with_encoder(read_point_bert(&WeightFile::open(path)?, encoder, device)?))
        }
        _ => Ok(tower),
    }
}

/// The initial temperature: the recipe's, or the network's own.
fn scale(recipe: &Recipe, own: f32, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::from_floats([recipe.logit_scale.init.unwrap_or(own)], device))
}

/// A tower that is only saved: in `f16`, on the CPU, to free device memory.
fn to_f16(text: &ClipText) -> ClipText {
    struct Halves;
    impl ModuleMapper for Halves {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            parameter.map(|values| values.to_device(&Device::flex()).cast(DType::F16))
        }
    }
    text.valid().map(&mut Halves)
}
