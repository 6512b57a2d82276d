//! What a training run is: network, data and schedule, as a TOML file that a person edits.

use std::path::{Path, PathBuf};

use lexiform_model::ModelConfig;
use lexiform_model::clip::{ClipConfig, TextConfig, VisionConfig, VisionStyle};
use lexiform_model::nn::Activation;
use lexiform_model::preprocess::Preprocess;
use lexiform_model::tokenizer::{Tokenizer, WordPieces};
use lexiform_model::usual_templates;
use serde::{Deserialize, Serialize};

/// A training run. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the model will be called.
    pub name: String,
    /// Every random choice follows from it.
    pub seed: u64,
    /// Sizes of the network.
    pub network: NetworkConfig,
    /// Shapes to generate and how they are seen.
    pub data: DataConfig,
    /// Steps, batches and learning rate.
    pub schedule: ScheduleConfig,
}

/// Sizes of a small CLIP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Width of the joint space.
    pub dim: usize,
    /// Edge of a view in pixels.
    pub image_size: usize,
    /// Edge of a patch in pixels; divides `image_size`.
    pub patch: usize,
    /// Width of the image tower.
    pub width: usize,
    /// Blocks of the image tower.
    pub layers: usize,
    /// Width of one head of either tower; divides both widths.
    pub head_width: usize,
    /// First block in which views see each other.
    pub joint_from: usize,
    /// Width of the text tower.
    pub text_width: usize,
    /// Blocks of the text tower.
    pub text_layers: usize,
    /// Longest caption in tokens.
    pub context: usize,
    /// Hidden width of the MLPs over the tokens' width.
    pub mlp_ratio: f64,
    /// Nonlinearity of the MLPs.
    pub activation: Activation,
    /// Rig whose views the finished model is given.
    pub rig: String,
    /// How many views the finished model is given.
    pub n_views: usize,
}

/// Generated shapes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// Shapes in memory at a time, spread evenly over the categories.
    pub shapes: usize,
    /// Views drawn of each shape.
    pub views: usize,
    /// Shapes of each category that are only measured on.
    pub held_out: usize,
    /// Lowest camera elevation in degrees.
    pub elevation_low: f32,
    /// Highest camera elevation in degrees.
    pub elevation_high: f32,
}

/// Steps, batches and learning rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Optimizer steps in all.
    pub steps: usize,
    /// Images in a batch; with `v` views a batch has `images / v` shapes.
    pub images: usize,
    /// Largest number of views of a shape in a batch; drawn anew for each batch.
    pub most_views: usize,
    /// Largest learning rate.
    pub learning_rate: f64,
    /// Steps in which the rate rises from zero; afterwards it falls as a cosine.
    pub warm_up: usize,
    /// How gradients become steps.
    pub optimizer: OptimizerKind,
    /// Weight decay.
    pub weight_decay: f32,
    /// Weight of naming the category among all, beside telling the batch's captions apart.
    pub naming_weight: f32,
    /// Probability mass spread over wrong categories when naming.
    pub label_smoothing: f32,
    /// Share of the old value in the running mean of the weights.
    pub average_decay: f64,
    /// Steps between evaluations and checkpoints.
    pub evaluate_every: usize,
    /// Steps after which a fresh set of shapes is generated; 0 keeps the first.
    pub refresh_every: usize,
}

/// How gradients become steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// AdamW for all parameters.
    Adamw,
    /// Muon for the matrices of the blocks, scaled to AdamW's step size; AdamW for the rest.
    Muon,
}

/// Why a recipe is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Not TOML, or not a recipe's.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where, expected, found.
        message: String,
    },
    /// A `--set` that names nothing.
    #[error("--set {setting}: {message}")]
    Setting {
        /// As it was given.
        setting: String,
        /// What is wrong with it.
        message: String,
    },
    /// Values that do not fit together.
    #[error("{field} = {found}: {rule}")]
    Value {
        /// Which field.
        field: &'static str,
        /// Its value.
        found: String,
        /// What must hold.
        rule: &'static str,
    },
}

impl Recipe {
    /// Reads a TOML file and applies `key=value` settings (`schedule.steps=100`) in order.
    pub fn read(path: &Path, settings: &[String]) -> Result<Self, RecipeError> {
        let text = fs_err::read_to_string(path)?;
        let invalid = |message: String| RecipeError::Invalid { path: path.to_owned(), message };
        let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| invalid(e.to_string()))?;
        for setting in settings {
            apply(&mut table, setting)?;
        }
        let recipe: Self = table.try_into().map_err(|e: toml::de::Error| invalid(e.to_string()))?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// Checks what types cannot.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let NetworkConfig { image_size, patch, width, head_width, text_width, .. } = self.network;
        let rules = [
            (
                "network.patch",
                patch,
                patch > 0 && image_size.is_multiple_of(patch),
                "must divide network.image_size",
            ),
            (
                "network.head_width",
                head_width,
                head_width > 0 && width.is_multiple_of(head_width),
                "must divide network.width",
            ),
            (
                "network.text_width",
                text_width,
                text_width.is_multiple_of(head_width.max(1)),
                "must be a multiple of network.head_width",
            ),
            ("network.n_views", self.network.n_views, self.network.n_views > 0, "must be at least 1"),
            (
                "data.views",
                self.data.views,
                self.data.views >= self.schedule.most_views,
                "must be at least schedule.most_views",
            ),
            (
                "schedule.most_views",
                self.schedule.most_views,
                self.schedule.most_views > 0,
                "must be at least 1",
            ),
            (
                "schedule.images",
                self.schedule.images,
                self.schedule.images >= 2 * self.schedule.most_views,
                "must be at least twice schedule.most_views",
            ),
            (
                "schedule.evaluate_every",
                self.schedule.evaluate_every,
                self.schedule.evaluate_every > 0,
                "must be at least 1",
            ),
            ("data.shapes", self.data.shapes, self.data.shapes > 0, "must be at least 1"),
        ];
        match rules.into_iter().find(|(_, _, holds, _)| !holds) {
            Some((field, found, _, rule)) => {
                Err(RecipeError::Value { field, found: found.to_string(), rule })
            }
            None => Ok(()),
        }
    }

    /// The model's configuration, with a vocabulary made of the words of `captions`.
    pub fn model<'a>(&self, captions: impl IntoIterator<Item = &'a str>) -> ModelConfig {
        let n = &self.network;
        let templates = usual_templates();
        let sentences = templates.clone();
        let words = WordPieces::from_texts(captions.into_iter().map(str::to_owned).chain(sentences));
        let clip = ClipConfig {
            dim: n.dim,
            vision: VisionConfig {
                image_size: n.image_size,
                patch: n.patch,
                width: n.width,
                layers: n.layers,
                head_width: n.head_width,
                mlp_ratio: n.mlp_ratio,
                style: VisionStyle::Clip,
                prompts: 0,
                activation: None,
            },
            text: TextConfig {
                context: n.context,
                vocabulary: words.len(),
                width: n.text_width,
                heads: n.text_width / n.head_width,
                layers: n.text_layers,
                mlp_ratio: n.mlp_ratio,
            },
            activation: n.activation,
        };
        ModelConfig {
            name: self.name.clone(),
            clip,
            joint_from: n.joint_from,
            preprocess: Preprocess::clip(n.image_size),
            tokenizer: Tokenizer::Words(words),
            rig: n.rig.clone(),
            n_views: n.n_views,
            templates,
        }
    }
}

/// Replaces one value of the table; the key must exist.
fn apply(table: &mut toml::Table, setting: &str) -> Result<(), RecipeError> {
    let wrong = |message: String| RecipeError::Setting { setting: setting.to_owned(), message };
    let (key, value) = setting.split_once('=').ok_or_else(|| wrong("expected key=value".to_owned()))?;
    let mut names = key.split('.').peekable();
    let mut table = table;
    while let Some(name) = names.next() {
        let known = table.keys().cloned().collect::<Vec<_>>().join(", ");
        let slot =
            table.get_mut(name).ok_or_else(|| wrong(format!("no key {name:?} (there are {known})")))?;
        match (names.peek(), slot) {
            (None, slot) => {
                *slot = parse_value(value);
                return Ok(());
            }
            (Some(_), toml::Value::Table(inner)) => table = inner,
            (Some(_), _) => return Err(wrong(format!("{name:?} is a value, not a table"))),
        }
    }
    Err(wrong("expected key=value".to_owned()))
}

/// A TOML value, or the text itself where it is none.
fn parse_value(text: &str) -> toml::Value {
    let parsed = format!("value = {text}").parse::<toml::Table>().ok();
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| toml::Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nano() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes/nano.toml")
    }

    #[test]
    fn settings_replace_values() {
        let recipe = Recipe::read(&nano(), &["schedule.steps=7".to_owned(), "name=mine".to_owned()]).unwrap();
        assert_eq!((recipe.schedule.steps, recipe.name.as_str()), (7, "mine"));
    }

    #[test]
    fn unknown_keys_and_bad_values_are_errors() {
        for setting in ["schedule.stepz=7", "steps", "schedule.steps=many", "network.patch=7"] {
            assert!(Recipe::read(&nano(), &[setting.to_owned()]).is_err(), "{setting}");
        }
    }
}
