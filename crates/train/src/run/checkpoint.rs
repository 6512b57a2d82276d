//! Everything a run needs to go on, in one file that is whole or absent.
//!
//! `checkpoint.safetensors` holds the weights and their running mean in full precision, the state of every optimizer,
//! and, in its header, the recipe, the model's configuration and how far the run is. Data order follows from the seed
//! and the step. The file is written aside and brought to the disk; the one before becomes `checkpoint.previous.safetensors`,
//! for a checkpoint is known to be good only once a loss was taken with its weights.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use lexiform_formats::FileWriter;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use crate::error::CheckpointError;
use crate::network::OutputConfig;
use crate::recipe::Recipe;

/// Share of the old value in the running mean of the loss that tells whether a run diverges.
const LOSS_EMA_DECAY: f32 = 0.95;

/// Header entry with everything but tensors.
const KEY: &str = "lexiform-checkpoint";
/// Changes when older files can no longer be read.
const VERSION: u32 = 2;

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunProgress {
    /// Steps done.
    pub step: usize,
    /// Best share of held-out shapes named right, and after which step. This and what follows are 32 bits wide because
    /// a JSON reader brings those back exactly.
    pub best: Option<(f32, usize)>,
    /// Evaluations since the best.
    pub evals_since_best: usize,
    /// Running mean of the loss.
    pub loss_ema: Option<f32>,
    /// Lowest value of that mean.
    pub lowest_loss: Option<f32>,
    /// Sum of the table of the data set that is learned from: with other shapes it would be another run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_fingerprint: Option<String>,
}

/// A run at rest.
pub struct Checkpoint {
    /// What it follows.
    pub recipe: Recipe,
    /// The model's configuration.
    pub model: OutputConfig,
    /// How far it is.
    pub progress: RunProgress,
    /// Weights by name.
    pub weights: BTreeMap<String, TensorData>,
    /// Their running mean; empty where the recipe keeps none.
    pub ema: BTreeMap<String, TensorData>,
    /// State of the optimizer of each group.
    pub optimizers: BTreeMap<String, Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// As TOML, whose reader brings every number back exactly.
    recipe: String,
    model: OutputConfig,
    progress: RunProgress,
}

/// Where a run keeps its checkpoint.
pub fn checkpoint_path(out: &Path) -> PathBuf {
    out.join("checkpoint.safetensors")
}

/// Where the checkpoint before the newest is kept.
fn previous_path(path: &Path) -> PathBuf {
    path.with_extension("previous.safetensors")
}

/// The newest whole checkpoint at `path`: that before it where a run was cut off between the two renames.
pub(crate) fn recover_latest(path: &Path) -> std::io::Result<bool> {
    let before = previous_path(path);
    if !path.is_file() && before.is_file() {
        fs_err::rename(before, path)?;
    }
    Ok(path.is_file())
}

/// Puts the checkpoint before the newest back in its place; gives its step, none where there is no such checkpoint.
pub(crate) fn restore_previous(path: &Path) -> Option<usize> {
    let before = previous_path(path);
    let step = Checkpoint::read(&before).ok()?.progress.step;
    fs_err::rename(before, path).ok()?;
    Some(step)
}

/// Replaces a checkpoint and keeps the previous one next to it: one of both is complete at every moment.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = FileWriter::create(path)?;
    file.write_all(bytes)?;
    // Synced before the rename: on a full disk the previous checkpoint keeps its name.
    file.sync_all()?;
    if path.is_file() {
        fs_err::rename(path, previous_path(path))?;
    }
    file.commit()?;
    Ok(())
}

impl Checkpoint {
    /// Writes the file and keeps the previous one next to it: one of both is whole at every moment.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
        let header = Header {
            version: VERSION,
            recipe: toml::to_string(&self.recipe).map_err(|e| invalid(e.to_string()))?,
            model: self.model.clone(),
            progress: self.progress.clone(),
        };
        let header = serde_json::to_string(&header).map_err(|e| invalid(e.to_string()))?;
        let mut parts: Vec<(String, Dtype, Vec<usize>, &[u8])> = Vec::new();
        for (kind, values) in [("weights", &self.weights), ("ema", &self.ema)] {
            for (name, data) in values {
                parts.push((format!("{kind}/{name}"), Dtype::F32, data.shape().to_vec(), data.as_bytes()));
            }
        }
        for (name, bytes) in &self.optimizers {
            parts.push((format!("optimizer/{name}"), Dtype::U8, vec![bytes.len()], bytes));
        }
        let mut views = Vec::with_capacity(parts.len());
        for (name, dtype, shape, bytes) in parts {
            views.push((name, TensorView::new(dtype, shape, bytes).map_err(|e| invalid(e.to_string()))?));
        }
        let header = HashMap::from([(KEY.to_owned(), header)]);
        let bytes = safetensors::serialize(views, Some(header)).map_err(|e| invalid(e.to_string()))?;
        Ok(replace(path, &bytes)?)
    }

    /// Reads a file back.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a checkpoint of this version.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
        let bytes = fs_err::read(path)?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| invalid(e.to_string()))?;
        let header = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let header = header.ok_or_else(|| invalid("not a checkpoint of a training run".to_owned()))?;
        let header: Header = serde_json::from_str(header).map_err(|e| invalid(e.to_string()))?;
        if header.version != VERSION {
            return Err(invalid(format!("version {}, expected {VERSION}", header.version)));
        }
        let Header { recipe, model, progress, .. } = header;
        let recipe = toml::from_str(&recipe).map_err(|e| invalid(e.to_string()))?;
        let (mut weights, mut ema, mut optimizers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| invalid(e.to_string()))?;
        for (name, view) in tensors.iter() {
            match name.split_once('/') {
                Some(("weights", name)) => drop(weights.insert(name.to_owned(), values(&view))),
                Some(("ema", name)) => drop(ema.insert(name.to_owned(), values(&view))),
                Some(("optimizer", name)) => drop(optimizers.insert(name.to_owned(), view.data().to_vec())),
                _ => return Err(invalid(format!("tensor {name:?} is not a checkpoint's"))),
            }
        }
        Ok(Self { recipe, model, progress, weights, ema, optimizers })
    }

    /// Fails unless the run it came from followed the same recipe. How often something is written may differ, how fast
    /// groups learn and how long their gradients may be, and how long the run is where rates do not depend on it.
    ///
    /// # Errors
    /// If another key differs; the error names it.
    pub fn check_recipe(&self, recipe: &Recipe, path: &Path) -> Result<(), CheckpointError> {
        let mut then = self.recipe.clone();
        then.run.evaluate_every = recipe.run.evaluate_every;
        then.run.checkpoint_every = recipe.run.checkpoint_every;
        then.run.patience = recipe.run.patience;
        then.run.divergence_ratio = recipe.run.divergence_ratio;
        for (name, group) in &mut then.param_groups {
            if let Some(now) = recipe.param_groups.get(name) {
                (group.learning_rate, group.grad_clip) = (now.learning_rate, now.grad_clip);
            }
        }
        if !recipe
            .param_groups
            .values()
            .any(|group| group.schedule.unwrap_or(recipe.schedule).depends_on_run_length())
        {
            then.run.steps = recipe.run.steps;
        }
        let table = |recipe: &Recipe| toml::Table::try_from(recipe).unwrap_or_default();
        match difference("", &toml::Value::Table(table(&then)), &toml::Value::Table(table(recipe))) {
            None => Ok(()),
            Some((key, found, expected)) => {
                Err(CheckpointError::RecipeMismatch { path: path.to_owned(), key, found, expected })
            }
        }
    }
}

impl RunProgress {
    /// Fails if the data set has changed since.
    pub(crate) fn check_data(&self, now: Option<&str>, path: &Path) -> Result<(), CheckpointError> {
        let shown = |sum: Option<&str>| sum.unwrap_or("none").to_owned();
        if self.data_fingerprint.as_deref() == now {
            return Ok(());
        }
        Err(CheckpointError::RecipeMismatch {
            path: path.to_owned(),
            key: "the sum of the data (a set's index.parquet; a folder's files, labels and captions)"
                .to_owned(),
            found: shown(self.data_fingerprint.as_deref()),
            expected: shown(now),
        })
    }
}

fn values(view: &TensorView) -> TensorData {
    let numbers: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    TensorData::new(numbers, view.shape().to_vec())
}

/// The first key whose values differ, with both.
fn difference(key: &str, then: &toml::Value, now: &toml::Value) -> Option<(String, String, String)> {
    let (toml::Value::Table(a), toml::Value::Table(b)) = (then, now) else {
        return (then != now).then(|| (key.to_owned(), then.to_string(), now.to_string()));
    };
    let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    keys.into_iter().find_map(|name| {
        let inner = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => difference(&inner, a, b),
            (a, b) => {
                let shown =
                    |value: Option<&toml::Value>| value.map_or("absent".to_owned(), toml::Value::to_string);
                Some((inner, shown(a), shown(b)))
            }
        }
    })
}

impl RunProgress {
    /// Takes note of a loss; tells what is wrong with it.
    pub(crate) fn check_divergence(&mut self, loss: f64, ratio: f32) -> Result<(), String> {
        if !loss.is_finite() {
            return Err(format!("the loss is {loss}"));
        }
        let loss = loss as f32;
        let loss_ema =
            self.loss_ema.map_or(loss, |loss_ema| loss_ema * LOSS_EMA_DECAY + loss * (1.0 - LOSS_EMA_DECAY));
        let lowest_loss = self.lowest_loss.map_or(loss_ema, |lowest_loss| lowest_loss.min(loss_ema));
        (self.loss_ema, self.lowest_loss) = (Some(loss_ema), Some(lowest_loss));
        if ratio > 0.0 && loss_ema > lowest_loss * ratio {
            return Err(format!("the loss is {loss_ema:.3} on average after {lowest_loss:.3} at its lowest"));
        }
        Ok(())
    }

    /// Why it is time to stop, if it is.
    pub(crate) fn should_stop_early(&self, patience: usize) -> Option<String> {
        let (best, step) = self.best.filter(|_| patience > 0 && self.evals_since_best >= patience)?;
        Some(format!("no evaluation since step {step} was better than {:.1} %", 100.0 * best))
    }
}
