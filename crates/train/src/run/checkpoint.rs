//! Checkpoints: everything a run needs to resume, in one file.
//!
//! `checkpoint.safetensors` contains the weights and their moving average in `f32`, the state of every optimizer, and, in its
//! header, the recipe, the model's configuration and the progress. Frozen weights are not in it: they follow from the recipe,
//! and their checksum shows whether they are still the same. The order of the data needs no state: it is a function of seed
//! and step. A new checkpoint is written to a temporary file, synced and renamed; the old one becomes
//! `checkpoint.previous.safetensors`, because a checkpoint is known to be good only once a finite loss was computed from it.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use lexiform_formats::FileWriter;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, Metadata, TensorView};
use serde::{Deserialize, Serialize};

use crate::data::features::vectors::to_floats;
use crate::error::CheckpointError;
use crate::network::OutputConfig;
use crate::recipe::Recipe;

/// Decay of the moving average of the loss.
const LOSS_EMA_DECAY: f32 = 0.95;

/// Header entry with everything except tensors.
const KEY: &str = "lexiform-checkpoint";
/// Format version. Files of version 2 have all weights; others are refused.
const VERSION: u32 = 3;
/// Oldest version that is read.
const OLDEST_VERSION: u32 = 2;
/// Limit of the safetensors format.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Progress of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunProgress {
    /// Steps done.
    pub step: usize,
    /// Best validation top-1, and its step.
    // `f32`, here and below: JSON round-trips `f32` exactly, but not every `f64`.
    pub best: Option<(f32, usize)>,
    /// Number of evaluations since the best one.
    pub evals_since_best: usize,
    /// Exponential moving average of the loss.
    pub loss_ema: Option<f32>,
    /// Minimum of this average.
    pub lowest_loss: Option<f32>,
    /// Checksum of the data; absent for generated shapes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_fingerprint: Option<String>,
}

/// The saved state of a run.
pub struct Checkpoint {
    /// The recipe.
    pub recipe: Recipe,
    /// The model's configuration.
    pub model: OutputConfig,
    /// The progress.
    pub progress: RunProgress,
    /// Weights by name, without frozen ones.
    pub weights: BTreeMap<String, TensorData>,
    /// Checksum of the frozen weights; `None` without any.
    pub frozen: Option<String>,
    /// Exponential moving average of the weights; empty without `run.ema_decay`.
    pub ema: BTreeMap<String, TensorData>,
    /// Serialized optimizer state by parameter group.
    pub optimizers: BTreeMap<String, Vec<u8>>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    /// TOML, which preserves every number exactly.
    recipe: String,
    model: OutputConfig,
    progress: RunProgress,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    frozen: Option<String>,
}

impl Header {
    fn parse(metadata: &Metadata) -> Result<Self, String> {
        let header = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let header = header.ok_or("not a checkpoint of a training run")?;
        let header: Self = serde_json::from_str(header).map_err(|e| e.to_string())?;
        if !(OLDEST_VERSION..=VERSION).contains(&header.version) {
            return Err(format!("version {}, expected {VERSION}", header.version));
        }
        Ok(header)
    }
}

/// Path of the checkpoint in the output folder `out`.
pub fn checkpoint_path(out: &Path) -> PathBuf {
    out.join("checkpoint.safetensors")
}

/// Path of the previous checkpoint.
fn previous_path(path: &Path) -> PathBuf {
    path.with_extension("previous.safetensors")
}

/// Whether there is a checkpoint at `path`. If the run was killed between the two renames of [`replace`], the previous one is
/// moved there first.
///
/// # Errors
/// If the previous checkpoint cannot be renamed.
pub(crate) fn recover_latest(path: &Path) -> std::io::Result<bool> {
    let before = previous_path(path);
    // Only the previous name exists between `rename(path, previous)` and the commit of the new file.
    if !path.is_file() && before.is_file() {
        fs_err::rename(before, path)?;
    }
    Ok(path.is_file())
}

/// The progress in the checkpoint at `path`, whose tensors are not read.
///
/// # Errors
/// If the file cannot be read, or is not a checkpoint of this version.
pub(crate) fn read_progress(path: &Path) -> Result<RunProgress, CheckpointError> {
    let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
    let (mut file, mut length) = (fs_err::File::open(path)?, [0; 8]);
    file.read_exact(&mut length).map_err(|_| invalid("the file is too short".to_owned()))?;
    // Bounded: the length of a damaged file may be any number.
    let (mut json, length) = (Vec::new(), u64::from_le_bytes(length).min(MAX_HEADER_BYTES));
    file.take(length).read_to_end(&mut json)?;
    let metadata: Metadata = serde_json::from_slice(&json).map_err(|e| invalid(e.to_string()))?;
    Ok(Header::parse(&metadata).map_err(invalid)?.progress)
}

/// Replaces the last checkpoint by the previous one and returns its step; `None` without one.
pub(crate) fn restore_previous(path: &Path) -> Option<usize> {
    let before = previous_path(path);
    let step = Checkpoint::read(&before).ok()?.progress.step;
    fs_err::rename(before, path).ok()?;
    Some(step)
}

/// Replaces a checkpoint and keeps the previous one next to it: one of both is complete at every moment.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
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
    /// Writes the checkpoint and keeps the previous one: at every moment one of them is complete.
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
            frozen: self.frozen.clone(),
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

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a checkpoint of this version.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        Self::parse(&fs_err::read(path)?, path)
    }

    /// Reads a checkpoint from the bytes of the file at `path`.
    pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Self, CheckpointError> {
        let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| invalid(e.to_string()))?;
        let Header { recipe, model, progress, frozen, .. } = Header::parse(&metadata).map_err(invalid)?;
        let recipe = toml::from_str(&recipe).map_err(|e| invalid(e.to_string()))?;
        let (mut weights, mut ema, mut optimizers) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| invalid(e.to_string()))?;
        for (name, view) in tensors.iter() {
            match name.split_once('/') {
                Some(("weights", name)) => drop(weights.insert(name.to_owned(), values(&view))),
                Some(("ema", name)) => drop(ema.insert(name.to_owned(), values(&view))),
                Some(("optimizer", name)) => drop(optimizers.insert(name.to_owned(), view.data().to_vec())),
                _ => return Err(invalid(format!("tensor {name:?} is unexpected"))),
            }
        }
        Ok(Self { recipe, model, progress, weights, frozen, ema, optimizers })
    }

    /// Checks that the run can resume with `recipe`. These may differ: intervals of evaluations and checkpoints, patience,
    /// divergence ratio, chunk size, prefetch, activation checkpointing, learning rates, gradient clipping, and the number of steps
    /// if no learning rate depends on it.
    ///
    /// # Errors
    /// If another key differs; the error names the first.
    pub fn check_recipe(&self, recipe: &Recipe, path: &Path) -> Result<(), CheckpointError> {
        let mut then = self.recipe.clone();
        then.run.evaluate_every = recipe.run.evaluate_every;
        then.run.checkpoint_every = recipe.run.checkpoint_every;
        then.run.patience = recipe.run.patience;
        then.run.divergence_ratio = recipe.run.divergence_ratio;
        then.batch.chunk_size = recipe.batch.chunk_size;
        then.run.prefetch = recipe.run.prefetch;
        then.run.checkpoint_activations = recipe.run.checkpoint_activations;
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
        check_same_recipe(&then, recipe, path)
    }
}

/// Checks that two recipes are equal. They are compared as TOML, so that the error can name the key as the user wrote it.
///
/// # Errors
/// If a key differs; the error names the first.
pub(crate) fn check_same_recipe<R: Serialize>(then: &R, now: &R, path: &Path) -> Result<(), CheckpointError> {
    let table = |recipe: &R| toml::Table::try_from(recipe).unwrap_or_default();
    match difference("", &toml::Value::Table(table(then)), &toml::Value::Table(table(now))) {
        None => Ok(()),
        Some((key, found, expected)) => {
            Err(CheckpointError::RecipeMismatch { path: path.to_owned(), key, found, expected })
        }
    }
}

impl RunProgress {
    /// Checks that the data are unchanged.
    ///
    /// # Errors
    /// If the checksums differ.
    pub(crate) fn check_data(&self, now: Option<&str>, path: &Path) -> Result<(), CheckpointError> {
        let shown = |sum: Option<&str>| sum.unwrap_or("none").to_owned();
        if self.data_fingerprint.as_deref() == now {
            return Ok(());
        }
        Err(CheckpointError::RecipeMismatch {
            path: path.to_owned(),
            key: "checksum of the data (index.parquet of a data set; files, labels and captions of a folder)"
                .to_owned(),
            found: shown(self.data_fingerprint.as_deref()),
            expected: shown(now),
        })
    }
}

fn values(view: &TensorView) -> TensorData {
    TensorData::new(to_floats(view.data()), view.shape().to_vec())
}

/// The first key whose values differ, with both values.
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
    /// Updates the average of the loss; the error says why the run has diverged.
    ///
    /// # Errors
    /// If the loss is not finite, or its average exceeds the minimum by more than `ratio`.
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

    /// The reason for early stopping, if it is due.
    pub(crate) fn should_stop_early(&self, patience: usize) -> Option<String> {
        let (best, step) = self.best.filter(|_| patience > 0 && self.evals_since_best >= patience)?;
        Some(format!("no evaluation since step {step} was better than {:.1} %", 100.0 * best))
    }
}
