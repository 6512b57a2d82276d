//! What is trained, how it is built, and the features it makes of a batch.

use std::ops::Range;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Device, Tensor};
use lexiform_model::clip::{ClipText, ClipVision};
use lexiform_model::nn::{DropPath, Dropout};
use lexiform_model::point::{Classes, Clouds, PointTower, Start, TowerConfig};
use lexiform_model::weights::{Precision, Source};
use lexiform_model::{JointTowers, ModelConfig, ModelError, PointModelConfig, usual_templates};
use serde::{Deserialize, Serialize};

use crate::batch::Batch;
use crate::fit::FitError;
use crate::objective::{Feature, Features, Objective};
use crate::published::Published;
use crate::recipe::{LowRankConfig, NetworkConfig, PointNetwork, Recipe, RecipeError};

/// CLIP's starting scale, `ln(1 / 0.07)`.
const START_SCALE: f32 = 2.659_26;

/// The encoders and the logarithm of the scale. A tower that only gives targets is not among them.
#[derive(Module, Debug)]
pub struct Towers {
    pub(crate) text: Option<ClipText>,
    pub(crate) vision: Option<ClipVision>,
    pub(crate) points: Option<PointTower>,
    pub(crate) logit_scale: Param<Tensor<1>>,
}

/// Everything of a finished model but its weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "a run has one of it")]
pub enum Design {
    /// Of words and views.
    Joint(ModelConfig),
    /// Of point clouds.
    Points(PointModelConfig),
}

/// What a finished model needs beside the towers.
pub struct Blueprint {
    /// Everything but weights.
    pub design: Design,
    /// The text tower of a model whose text is frozen, in halves, as it will be written.
    text: Option<ClipText>,
    /// The teacher's configuration, with prompts, where its image tower sees the views of every step.
    pub images: Option<ModelConfig>,
    /// Chance that a cloud skips a branch of the last block while training.
    drop_path: f32,
    /// Chance that a feature before the head's last map is left out while training.
    dropout: f32,
}

/// What a new network's outputs and inputs are called.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    /// Texts whose words a new text tower reads.
    pub words: &'a [String],
    /// Categories that a new head names.
    pub labels: &'a [String],
}

impl Blueprint {
    fn new(design: Design) -> Self {
        Self { design, text: None, images: None, drop_path: 0.0, dropout: 0.0 }
    }
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

/// The scale at its start: the recipe's, or else the network's own.
fn scale(recipe: &Recipe, own: f32, device: &Device) -> Param<Tensor<1>> {
    Param::from_tensor(Tensor::from_floats([recipe.scale.start.unwrap_or(own)], device))
}

/// The point tower at its start, and its sizes.
fn started(
    network: &PointNetwork,
    source: &Source,
    published: &Published,
    labels: &[String],
) -> Result<(PointTower, TowerConfig), ModelError> {
    // The recipe was checked: where there is no new network, one is named.
    let (tower, mut config) = match network.new_tower() {
        Ok(Some(config)) => (PointTower::load(source, &config)?, config),
        _ => {
            let base = published.points(network.base.as_deref().unwrap_or_default(), network.groups)?;
            (base.tower().clone(), base.config().tower.clone())
        }
    };
    let Some(head) = network.head else { return Ok((tower.without_head(&mut config), config)) };
    let classes = Classes { hidden: head.hidden, classes: labels.len() };
    let tower = tower.with_new_head(source, &mut config, classes)?;
    Ok((tower, config))
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
            NetworkConfig::Clip(network) => {
                let config = match known {
                    Some(Design::Joint(config)) => config.clone(),
                    _ => network.model(&recipe.name, said.words.iter().map(String::as_str)),
                };
                let source = Source::new(recipe.seed, device);
                let text = ClipText::load(&source, &config.clip)?;
                let vision = ClipVision::load(&source, &config.clip)?;
                let (text, vision) = (Some(text), Some(vision));
                let towers =
                    Self { text, vision, points: None, logit_scale: scale(recipe, START_SCALE, device) };
                Ok((towers, Blueprint::new(Design::Joint(config))))
            }
            NetworkConfig::Pretrained(network) => {
                let mut base = published.open(&network.base)?;
                if let Some(size) = network.image_size {
                    base = base.with_image_size(size)?;
                }
                let mut config = base.config().clone();
                config.name = recipe.name.clone();
                // It agrees with the towers as they were.
                config.points = None;
                config.joint_from = network.joint_from.unwrap_or(config.joint_from);
                (config.rig, config.n_views) = (network.rig.clone(), network.n_views);
                let (mut vision, mut text) = (base.vision().clone(), base.text().clone());
                if let Some(LowRankConfig { rank, from }) = network.lora {
                    let source = Source::new(recipe.seed, device);
                    vision = vision.with_low_rank(&source, rank, from)?;
                    text = text.with_low_rank(&source, rank, from)?;
                }
                let (text, frozen) = match recipe.teacher {
                    Some(_) => (None, Some(in_halves(base.text()))),
                    None => (Some(text), None),
                };
                let logit_scale = scale(recipe, base.logit_scale(), device);
                let towers = Self { text, vision: Some(vision), points: None, logit_scale };
                Ok((towers, Blueprint { text: frozen, ..Blueprint::new(Design::Joint(config)) }))
            }
            NetworkConfig::Points(network) => {
                Self::of_points(recipe, network, published, said.labels, device)
            }
        }
    }

    /// An encoder of clouds at its start, perhaps beside the teacher's image tower with new prompts.
    fn of_points(
        recipe: &Recipe,
        network: &PointNetwork,
        published: &Published,
        labels: &[String],
        device: &Device,
    ) -> Result<(Self, Blueprint), ModelError> {
        let source = Source::new(recipe.seed, device);
        let (points, tower) = started(network, &source, published, labels)?;
        let taught_by = match &recipe.teacher {
            Some(teacher) => Some(published.open(teacher)?.towers_id().to_owned()),
            None => None,
        };
        let config = PointModelConfig {
            name: recipe.name.clone(),
            tower,
            input: network.input,
            paired: network.paired,
            taught_by,
            templates: usual_templates(),
            labels: network.head.map_or(Vec::new(), |_| labels.to_vec()),
        };
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

    /// Features of some rows of a batch, as far as the objective asks for them.
    ///
    /// # Errors
    /// If the clouds cannot be encoded together, or the network has no encoder of shapes.
    pub(crate) fn features(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        blueprint: &Blueprint,
        objective: &Objective,
    ) -> Result<Features, FitError> {
        let device = self.logit_scale.val().device();
        let text = |texts: &[&str]| {
            let Design::Joint(config) = &blueprint.design else { return None };
            let tokens = config.tokenizer.encode(texts, config.clip.text.context).trimmed();
            self.text.as_ref().map(|text| text.encode(&tokens))
        };
        let (shape, classes) = self.shapes(batch, rows.clone(), blueprint)?;
        let said = || batch.captions[rows.clone()].iter().map(String::as_str).collect::<Vec<&str>>();
        let asked = |feature, make: &dyn Fn() -> Option<Tensor<2>>| match objective.uses(feature) {
            true => make(),
            false => None,
        };
        Ok(Features {
            text: asked(Feature::Text, &|| match &batch.frozen {
                Some(frozen) => frozen.text(rows.clone(), &device),
                None => text(&said()),
            }),
            image: asked(Feature::Image, &|| match &blueprint.images {
                Some(images) => {
                    let pixels = batch.pixels(rows.clone(), &device);
                    Some(self.vision.as_ref()?.encode(pixels, batch.views, images.joint_from))
                }
                None => batch.frozen.as_ref()?.image(rows.clone(), &device),
            }),
            nouns: match &batch.frozen {
                _ if !objective.names() => None,
                Some(frozen) => frozen.nouns(&device),
                None => text(&batch.nouns.iter().map(String::as_str).collect::<Vec<_>>()),
            },
            shape,
            classes,
        })
    }

    /// Features of some rows' shapes, `[rows, dim]`, and what a head says of them, `[rows, classes]`.
    fn shapes(
        &self,
        batch: &Batch,
        rows: Range<usize>,
        blueprint: &Blueprint,
    ) -> Result<(Tensor<2>, Option<Tensor<2>>), FitError> {
        match (&blueprint.design, &self.vision, &self.points) {
            (Design::Joint(config), Some(vision), _) => {
                let pixels = batch.pixels(rows, &self.logit_scale.val().device());
                Ok((vision.encode(pixels, batch.views, config.joint_from), None))
            }
            (Design::Points(config), _, Some(points)) => {
                let first_row = rows.start;
                // The points are in an order of chance already, so the first is as good as any.
                let clouds = Clouds::new(&batch.clouds[rows], config.tower.encoder.colored());
                let clouds = clouds.map_err(ModelError::from)?;
                let encoded = match blueprint.drop_path {
                    0.0 => points.encoder().encode(&clouds, Start::default()),
                    rate => {
                        let drop = DropPath { rate, seed: batch.salt, first_row };
                        points.encoder().encode_dropping(&clouds, Start::default(), drop)
                    }
                };
                let dropout = Dropout { rate: blueprint.dropout, seed: batch.salt, first_row };
                let classes = points.classifier().map(|head| head.forward_dropping(encoded.clone(), dropout));
                Ok((points.project(encoded), classes))
            }
            _ => Err(RecipeError::network("it has no encoder of shapes".to_owned()).into()),
        }
    }

    /// Writes the finished model, in half precision; a prompted image tower stands beside it with its text tower, as
    /// `….images.safetensors`.
    pub(crate) fn save(&self, path: &std::path::Path, blueprint: &Blueprint) -> Result<(), ModelError> {
        let scale = self.logit_scale.val().into_scalar::<f32>();
        let text = self.text.as_ref().or(blueprint.text.as_ref());
        let towers = |text, vision| JointTowers { text, vision, points: None, logit_scale: scale };
        match (&blueprint.design, text, &self.vision, &self.points) {
            (Design::Joint(config), Some(text), Some(vision), _) => {
                lexiform_model::save(path, config, towers(text, vision), Precision::Half)
            }
            (Design::Points(config), text, vision, Some(points)) => {
                if let (Some(images), Some(text), Some(vision)) = (&blueprint.images, text, vision) {
                    let path = path.with_extension("images.safetensors");
                    lexiform_model::save(&path, images, towers(text, vision), Precision::Half)?;
                }
                lexiform_model::save_points(path, config, points, Some(scale), Precision::Half)
            }
            _ => Ok(()),
        }
    }
}
