//! Checkpoints of captioners: everything a run needs to resume, in one file, as those of other runs.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use burn::tensor::TensorData;
use lexiform_model::caption::QFormerCaptionerConfig;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use crate::data::features::vectors::to_floats;
use crate::error::CheckpointError;
use crate::recipe::CaptionRecipe;
use crate::run::{RunProgress, replace_checkpoint};

/// Header entry with everything except tensors.
const KEY: &str = "lexiform-caption-checkpoint";

/// The saved state of a run.
pub(super) struct CaptionCheckpoint {
    pub header: CaptionHeader,
    /// Weights by name, without frozen ones.
    pub weights: BTreeMap<String, TensorData>,
    /// Serialized optimizer state by parameter group.
    pub optimizers: BTreeMap<String, Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CaptionHeader {
    /// TOML, which preserves every number exactly.
    pub recipe: String,
    pub config: QFormerCaptionerConfig,
    pub progress: RunProgress,
    /// Checksum of the frozen weights.
    pub frozen: String,
}

impl CaptionCheckpoint {
    /// Writes the checkpoint and keeps the previous one.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
        let header = serde_json::to_string(&self.header).map_err(|e| invalid(e.to_string()))?;
        let weights = self.weights.iter().map(|(name, data)| {
            (format!("weights/{name}"), Dtype::F32, data.shape().to_vec(), data.as_bytes())
        });
        let states = self.optimizers.iter().map(|(name, bytes)| {
            (format!("optimizer/{name}"), Dtype::U8, vec![bytes.len()], bytes.as_slice())
        });
        let views = weights.chain(states).map(|(name, dtype, shape, bytes)| {
            Ok((name, TensorView::new(dtype, shape, bytes).map_err(|e| invalid(e.to_string()))?))
        });
        let views = views.collect::<Result<Vec<_>, CheckpointError>>()?;
        let bytes = safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), header)])))
            .map_err(|e| invalid(e.to_string()))?;
        Ok(replace_checkpoint(path, &bytes)?)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// If the file cannot be read, or is no checkpoint of a captioner.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
        let bytes = fs_err::read(path)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| invalid(e.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let header = header.ok_or_else(|| invalid("not a checkpoint of a captioner".to_owned()))?;
        let header = serde_json::from_str(header).map_err(|e| invalid(e.to_string()))?;
        let (mut weights, mut optimizers) = (BTreeMap::new(), BTreeMap::new());
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| invalid(e.to_string()))?;
        for (name, view) in tensors.iter() {
            match name.split_once('/') {
                Some(("weights", name)) => {
                    let data = TensorData::new(to_floats(view.data()), view.shape().to_vec());
                    weights.insert(name.to_owned(), data);
                }
                Some(("optimizer", name)) => {
                    optimizers.insert(name.to_owned(), view.data().to_vec());
                }
                _ => return Err(invalid(format!("tensor {name:?} is unexpected"))),
            }
        }
        Ok(Self { header, weights, optimizers })
    }

    /// Checks that the run can resume with `recipe`: only intervals of evaluations and checkpoints, and their size, may differ, and
    /// the number of steps if no learning rate depends on it.
    ///
    /// # Errors
    /// If another key differs.
    pub fn check_recipe(&self, recipe: &CaptionRecipe, path: &Path) -> Result<(), CheckpointError> {
        let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
        let mut then: CaptionRecipe =
            toml::from_str(&self.header.recipe).map_err(|e| invalid(e.to_string()))?;
        (then.run.evaluate_every, then.run.checkpoint_every) =
            (recipe.run.evaluate_every, recipe.run.checkpoint_every);
        (then.run.val_shapes, then.run.max_tokens) = (recipe.run.val_shapes, recipe.run.max_tokens);
        let schedules =
            || recipe.param_groups.values().map(|group| group.schedule.unwrap_or(recipe.schedule));
        if !schedules().any(|schedule| schedule.depends_on_run_length()) {
            then.run.steps = recipe.run.steps;
        }
        crate::run::check_same_recipe(&then, recipe, path)
    }
}
