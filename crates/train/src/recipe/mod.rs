//! Recipes: training configuration (TOML).
//!
//! One file per table: [`AugmentConfig`] in `augment.rs`, [`BatchConfig`] in `batch.rs`, and so on. [`Recipe`] is the whole.

mod augment;
mod batch;
mod caption;
mod data;
mod error;
mod logit_scale;
mod losses;
mod network;
mod overrides;
mod param_groups;
mod run;
mod schedule;
mod skip_if;
mod templates;
mod validate;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use augment::{AugmentConfig, Axis, PointAugmentation, ScanAugmentation, ViewAugmentMode};
pub use batch::{BatchConfig, BatchSize, CaptionSampling, HardNegativesConfig, SampleOrder};
pub use caption::{CaptionBatch, CaptionNetwork, CaptionRecipe, CaptionRun, LanguageConfig};
pub use data::{AssetsConfig, DataConfig, SecondSourceConfig, ValidationConfig};
pub use error::RecipeError;
pub use logit_scale::LogitScaleConfig;
pub use losses::{LossKind, LossTermConfig, Modality, NegativesMode};
pub use network::{ClipNetwork, HeadConfig, LoraConfig, NetworkConfig, PointNetwork, PretrainedNetwork};
pub use overrides::edit_distance;
pub use param_groups::{GradClip, GroupConfig, NoDecay, OptimizerConfig, StepParity};
pub use run::{Gather, MixedPrecision, RunConfig, SavePrecision};
pub use schedule::{RunPosition, Schedule, StepsOrEpochs};

/// Configuration of a training run. Unknown keys are errors.
///
/// ```
/// use lexiform_train::{Recipe, RecipeError};
///
/// let path = "../../recipes/nano.toml".as_ref();
/// let recipe = Recipe::read(path, &["batch.size.images=64".to_owned()])?;
/// assert_eq!(recipe.batch.size.shapes(2), 32);
///
/// let error = Recipe::read(path, &["run.stepz=7".to_owned()]).unwrap_err();
/// assert!(error.to_string().contains("did you mean `steps`?"));
/// # Ok::<(), RecipeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name of the model, and of its output folder in `runs/`.
    pub name: String,
    /// Random seed.
    pub seed: u64,
    /// Name or path of a frozen model whose text and image features are the targets. Default: the network's own towers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<String>,
    /// The network.
    pub network: NetworkConfig,
    /// Training and validation shapes.
    pub data: DataConfig,
    /// Batch size and sampling.
    pub batch: BatchConfig,
    /// Data augmentation.
    #[serde(default)]
    pub augment: AugmentConfig,
    /// CLIP's learned temperature.
    #[serde(default)]
    pub logit_scale: LogitScaleConfig,
    /// Loss terms by name; the loss is their weighted sum.
    pub losses: BTreeMap<String, LossTermConfig>,
    /// Parameter groups by name.
    pub param_groups: BTreeMap<String, GroupConfig>,
    /// Learning rate schedule.
    pub schedule: Schedule,
    /// Length, evaluation and checkpoints.
    pub run: RunConfig,
}

impl Recipe {
    /// Reads a TOML file and applies `key=value` overrides (`run.steps=100`) in order.
    ///
    /// # Errors
    /// If the file cannot be read, a key is unknown, or a value is invalid.
    pub fn read(path: &Path, overrides: &[String]) -> Result<Self, RecipeError> {
        let hint = |message: &str| overrides::reference_hint(message, overrides);
        let recipe: Self = overrides::read(path, overrides, hint)?;
        recipe.validate()?;
        Ok(recipe)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn recipe(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes").join(name)
    }

    #[test]
    fn overrides_replace_values() {
        let settings =
            ["run.steps=7", "name=mine", "param_groups.rest.grad_clip={ norm = 3.0 }", "teacher=duoduo"];
        let recipe = Recipe::read(&recipe("nano.toml"), &settings.map(str::to_owned)).unwrap();
        assert_eq!((recipe.run.steps, recipe.name.as_str()), (StepsOrEpochs::Steps(7), "mine"));
        assert_eq!(recipe.param_groups["rest"].grad_clip, Some(GradClip::Norm(3.0)));
        assert_eq!(recipe.teacher.as_deref(), Some("duoduo"));
    }

    #[test]
    fn unknown_keys_and_bad_values_are_errors() {
        let wrong = [
            "run.stepz=7",
            "steps",
            "run.steps=many",
            "network.patch=7",
            "schedule.kind=cozine",
            "rum.steps=1",
        ];
        for setting in wrong {
            assert!(Recipe::read(&recipe("nano.toml"), &[setting.to_owned()]).is_err(), "{setting}");
        }
        let error = Recipe::read(&recipe("nano.toml"), &["run.stepz=7".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("did you mean `steps`?"), "{error}");
    }

    #[test]
    fn recipes_survive_a_round_trip_through_toml() {
        for entry in fs_err::read_dir(recipe("")).unwrap() {
            let path = entry.unwrap().path();
            // Tables that recipes may use are here too.
            if path.extension().is_none_or(|extension| extension != "toml") {
                continue;
            }
            if CaptionRecipe::matches_file(&path) {
                let recipe = CaptionRecipe::read(&path, &[]).unwrap();
                let text = toml::to_string(&recipe).unwrap();
                assert_eq!(toml::from_str::<CaptionRecipe>(&text).unwrap(), recipe, "{}", path.display());
                continue;
            }
            // finetune.toml and classify.toml name no data of their own.
            let recipe = Recipe::read(&path, &["data=models".to_owned()]).unwrap();
            let text = toml::to_string(&recipe).unwrap();
            assert_eq!(toml::from_str::<Recipe>(&text).unwrap(), recipe, "{}", path.display());
        }
    }
}
