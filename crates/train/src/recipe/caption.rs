//! Recipes of captioners (`task = "caption"`): a Q-Former between a frozen encoder and a language model.

use std::collections::BTreeMap;
use std::path::Path;

use lexiform_model::caption::{LanguageSizes, QFormerSizes};
use serde::{Deserialize, Serialize};

use super::{DataConfig, GroupConfig, RecipeError, SavePrecision, Schedule, StepsOrEpochs, overrides};

/// Value of `task`.
const TASK: &str = "caption";

/// Configuration of a captioner's training run. Unknown keys are errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionRecipe {
    /// `"caption"`.
    pub task: String,
    /// Name of the captioner, and of its output folder in `runs/`.
    pub name: String,
    /// Random seed of weights and batches.
    pub seed: u64,
    /// Name or path of the frozen model whose embeddings are described: by views, or by points.
    pub encoder: String,
    /// The network.
    pub network: CaptionNetwork,
    /// Training and validation shapes with captions, or with questions and answers.
    pub data: DataConfig,
    /// Batch size, and what is sampled.
    pub batch: CaptionBatch,
    /// Parameter groups by name; parameters in no group are frozen.
    pub param_groups: BTreeMap<String, GroupConfig>,
    /// Learning rate schedule.
    pub schedule: Schedule,
    /// Length, evaluation and checkpoints.
    pub run: CaptionRun,
}

/// The table `network` of a captioner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionNetwork {
    /// Sizes of the Q-Former.
    pub qformer: QFormerSizes,
    /// Text in front of the queries.
    pub cue: String,
    /// Instruction between the queries and a caption.
    pub prompt: String,
    /// The language model.
    pub language: LanguageConfig,
}

/// A language model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected the path of a language model, or { width, layers, heads, context } of a new one"
)]
pub enum LanguageConfig {
    /// A frozen one of `transformers`: the folder or file with its weights.
    Pretrained(String),
    /// A new one, whose vocabulary is that of the captions; it is trained if a group has its parameters (`language`).
    New(LanguageSizes),
}

/// The table `batch` of a captioner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionBatch {
    /// Captions and answers per step.
    pub size: usize,
    /// Fraction of them that are answers to questions, 0–1, where the data have both
    /// ([X-InstructBLIP](https://arxiv.org/abs/2311.18799): 0.383). Default: by their numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question_fraction: Option<f64>,
}

/// The table `run` of a captioner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptionRun {
    /// Length: optimizer steps, or `{ epochs = … }`.
    pub steps: StepsOrEpochs,
    /// Steps or epochs between evaluations.
    pub evaluate_every: StepsOrEpochs,
    /// Also evaluate before the first step.
    #[serde(default)]
    pub evaluate_on_start: bool,
    /// Steps or epochs between checkpoints; one is also written after every evaluation.
    pub checkpoint_every: StepsOrEpochs,
    /// Most validation shapes that are captioned in an evaluation.
    #[serde(default = "default_validation")]
    pub val_shapes: usize,
    /// Most tokens of a caption in an evaluation.
    #[serde(default = "default_tokens")]
    pub max_tokens: usize,
    /// Precision of the captioner's file.
    #[serde(default)]
    pub save_precision: SavePrecision,
}

fn default_validation() -> usize {
    256
}

fn default_tokens() -> usize {
    40
}

impl CaptionRecipe {
    /// Whether a file is a recipe of a captioner; false if it cannot be read.
    pub fn matches_file(path: &Path) -> bool {
        let table = fs_err::read_to_string(path).ok().and_then(|text| text.parse::<toml::Table>().ok());
        table.is_some_and(|table| table.get("task").and_then(toml::Value::as_str) == Some(TASK))
    }

    /// Reads a TOML file and applies `key=value` overrides (`run.steps=100`) in order.
    ///
    /// # Errors
    /// If the file cannot be read, a key is unknown, or a value is invalid.
    pub fn read(path: &Path, settings: &[String]) -> Result<Self, RecipeError> {
        let recipe: Self = overrides::read(path, settings, |_| None)?;
        recipe.validate()?;
        Ok(recipe)
    }

    /// Checks the values that their types do not.
    ///
    /// # Errors
    /// If a value is out of range; the error names its key.
    pub fn validate(&self) -> Result<(), RecipeError> {
        let value = |field, found: String, rule| Err(RecipeError::Value { field, found, rule });
        if self.task != TASK {
            return value("task", self.task.clone(), "must be \"caption\"");
        }
        if self.batch.size == 0 {
            return value("batch.size", "0".to_owned(), "must be positive");
        }
        if let Some(share) = self.batch.question_fraction.filter(|share| !(0.0..=1.0).contains(share)) {
            return value("batch.question_fraction", share.to_string(), "must be 0 to 1");
        }
        if !(0.0..1.0).contains(&self.data.val_fraction) {
            return value(
                "data.val_fraction",
                self.data.val_fraction.to_string(),
                "must be at least 0 and below 1",
            );
        }
        let lengths = [
            ("run.steps", self.run.steps),
            ("run.evaluate_every", self.run.evaluate_every),
            ("run.checkpoint_every", self.run.checkpoint_every),
        ];
        if let Some((field, found)) = lengths.into_iter().find(|(_, length)| !length.is_positive()) {
            return value(field, found.to_string(), "must be positive");
        }
        if self.data.refresh_every > 0 {
            let rule = "must be 0: the embeddings of a captioner's shapes are computed once";
            return value("data.refresh_every", self.data.refresh_every.to_string(), rule);
        }
        self.network.qformer.config().map_err(RecipeError::network)?;
        Ok(())
    }
}
