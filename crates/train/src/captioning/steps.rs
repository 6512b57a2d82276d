//! The state of a captioner's run, and one optimizer step.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use burn::module::{Module as _, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData, activation};
use lexiform_model::caption::{CaptionLanguage, QFormerCaptioner, QFormerNetwork};

use super::checkpoint::{CaptionCheckpoint, CaptionHeader};
use super::examples::{CaptionRows, CaptionSampler};
use crate::error::{CheckpointError, FitError};
use crate::event::{GroupPlan, TrainPlan};
use crate::optim::ParameterGroups;
use crate::optim::parameters::{
    checksum, freeze_except, frozen_names, load_values_except, parameters, values_except, with_stable_ids,
};
use crate::recipe::{CaptionRecipe, RecipeError, RunPosition};
use crate::run::RunProgress;

/// State of a run.
pub(super) struct CaptionRun<'a> {
    pub recipe: &'a CaptionRecipe,
    pub progress: RunProgress,
    /// Sizes and tokenizer; its network is that before the first step.
    captioner: QFormerCaptioner,
    network: QFormerNetwork,
    groups: ParameterGroups,
    sampler: &'a CaptionSampler<'a>,
    /// Ids in front of the queries.
    cue: Vec<u32>,
    /// Names of the parameters of no group.
    frozen: BTreeSet<String>,
    frozen_checksum: String,
    device: Device,
}

/// Result of a step.
pub(super) struct CaptionOutcome {
    /// Nats per token.
    pub loss: f64,
    /// Fraction of tokens that are the most probable ones.
    pub accuracy: f64,
    pub learning_rates: BTreeMap<String, f64>,
    pub grad_norms: BTreeMap<String, f32>,
}

impl<'a> CaptionRun<'a> {
    /// The state before the first step.
    ///
    /// # Errors
    /// If parameter groups do not fit the network, or one trains a pretrained language model.
    pub fn new(
        recipe: &'a CaptionRecipe,
        captioner: QFormerCaptioner,
        sampler: &'a CaptionSampler<'a>,
        data: String,
    ) -> Result<Self, FitError> {
        let network = with_stable_ids(captioner.network().clone());
        let groups = ParameterGroups::new(&recipe.param_groups, recipe.schedule, None, &network)?;
        check_language(&captioner, &network, &groups.ids())?;
        let frozen = frozen_names(&network, &groups.ids());
        let network = freeze_except(network, &groups.ids());
        let device = network.devices().into_iter().next().unwrap_or_else(|| Device::flex().autodiff());
        Ok(Self {
            frozen_checksum: checksum(&network.valid(), &frozen),
            progress: RunProgress { data_fingerprint: Some(data), ..RunProgress::default() },
            cue: captioner.cue(),
            recipe,
            captioner,
            network,
            groups,
            sampler,
            frozen,
            device,
        })
    }

    /// Restores weights, optimizers and progress.
    ///
    /// # Errors
    /// If data or frozen weights are not those of the checkpoint, or it is damaged.
    pub fn restore(&mut self, checkpoint: CaptionCheckpoint, path: &Path) -> Result<(), FitError> {
        let CaptionCheckpoint { header, weights, optimizers } = checkpoint;
        let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
        header.progress.check_data(self.progress.data_fingerprint.as_deref(), path)?;
        if header.frozen != self.frozen_checksum {
            let (found, expected) = (self.frozen_checksum.clone(), header.frozen);
            return Err(CheckpointError::FrozenWeights { path: path.to_owned(), found, expected }.into());
        }
        self.network = load_values_except(self.network.clone(), &weights, &self.frozen).map_err(invalid)?;
        self.groups.restore(optimizers).map_err(invalid)?;
        self.progress = header.progress;
        Ok(())
    }

    /// Writes a checkpoint.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), FitError> {
        let invalid = |message: String| CheckpointError::Invalid { path: path.to_owned(), message };
        let checkpoint = CaptionCheckpoint {
            header: CaptionHeader {
                recipe: toml::to_string(self.recipe).map_err(|e| invalid(e.to_string()))?,
                config: self.captioner.config().clone(),
                progress: self.progress.clone(),
                frozen: self.frozen_checksum.clone(),
            },
            weights: values_except(&self.network.valid(), &self.frozen),
            optimizers: self.groups.optimizer_states().map_err(invalid)?,
        };
        Ok(checkpoint.write(path)?)
    }

    /// The captioner with the current weights, for inference.
    pub fn captioner(&self) -> QFormerCaptioner {
        self.captioner.clone().with_network(self.network.valid())
    }

    pub fn steps(&self) -> usize {
        self.recipe.run.steps.steps(self.sampler.steps_per_epoch())
    }

    /// Steps between evaluations, and between checkpoints.
    pub fn intervals(&self) -> [usize; 2] {
        let run = &self.recipe.run;
        [run.evaluate_every, run.checkpoint_every]
            .map(|span| span.steps(self.sampler.steps_per_epoch()).max(1))
    }

    /// One optimizer step.
    ///
    /// # Errors
    /// If the loss is not finite.
    pub fn step(&mut self) -> Result<CaptionOutcome, FitError> {
        let position = RunPosition {
            step: self.progress.step,
            steps: self.steps(),
            steps_per_epoch: self.sampler.steps_per_epoch(),
        };
        let batch = self.sampler.batch(position.step, &self.captioner);
        let (loss, accuracy) = cross_entropy(&self.network, &self.cue, &batch, &self.device);
        let value = f64::from(loss.clone().into_scalar::<f32>());
        self.progress.check_divergence(value, 0.0).map_err(|message| FitError::Diverged {
            step: position.step + 1,
            message,
            last_good: None,
            path: Path::new("checkpoint.safetensors").to_owned(),
        })?;
        let gradients = GradientsParams::from_module(&mut loss.backward(), &self.network);
        let (network, grad_norms) = self.groups.step(self.network.clone(), gradients, position);
        self.network = network;
        self.progress.step += 1;
        let rates = self.groups.iter().map(|group| (group.name().to_owned(), group.learning_rate(position)));
        Ok(CaptionOutcome { loss: value, accuracy, learning_rates: rates.collect(), grad_norms })
    }

    /// The plan of the run.
    pub fn plan(&self) -> TrainPlan {
        let groups: Vec<GroupPlan> = self.groups.iter().map(GroupPlan::of).collect();
        let all: usize = parameters(&self.network).iter().map(|parameter| parameter.count()).sum();
        let trained: usize = groups.iter().map(|group| group.parameters).sum();
        TrainPlan {
            steps: self.steps(),
            start_step: self.progress.step,
            steps_per_epoch: self.sampler.steps_per_epoch(),
            groups,
            trainable_parameters: trained,
            frozen_parameters: all - trained,
            categories: 0,
            vocabulary_size: match &self.captioner.config().language {
                CaptionLanguage::Own { words, .. } => words.len(),
                CaptionLanguage::Pretrained { .. } => 0,
            },
            // f32: weights; of trainable parameters also gradients and up to two moments.
            memory_bytes: (4 * (all + 3 * trained)) as u64,
        }
    }
}

/// Refuses to train a language model that the captioner's file does not have.
fn check_language(
    captioner: &QFormerCaptioner,
    network: &QFormerNetwork,
    trained: &HashSet<ParamId>,
) -> Result<(), RecipeError> {
    if matches!(captioner.config().language, CaptionLanguage::Own { .. }) {
        return Ok(());
    }
    let all = parameters(network);
    let found = all.iter().find(|p| p.name.starts_with("language.") && trained.contains(&p.id));
    match found {
        None => Ok(()),
        Some(parameter) => {
            let rule = "a pretrained language model is frozen: params = [\"norm\", \"qformer\"]";
            Err(RecipeError::Value { field: "param_groups", found: parameter.name.clone(), rule })
        }
    }
}

/// Mean cross-entropy of the tokens of answers, in nats, and the fraction of them that are the most probable.
fn cross_entropy(
    network: &QFormerNetwork,
    cue: &[u32],
    batch: &CaptionRows,
    device: &Device,
) -> (Tensor<1>, f64) {
    let CaptionRows { features, ids, is_answer, rows, tokens } = batch;
    let dim = features.len() / rows;
    let features = Tensor::from_data(TensorData::new(features.clone(), [*rows, dim]), device);
    let logits = network.forward(features, cue, ids);
    let [_, _, vocabulary] = logits.dims();
    let flat = logits.reshape([rows * tokens, vocabulary]);
    let mask: Vec<f32> = is_answer.iter().map(|is_answer| f32::from(u8::from(*is_answer))).collect();
    let count = mask.iter().sum::<f32>().max(1.0);
    let best: Vec<i64> = flat.clone().without_autodiff().argmax(1).into_data().iter::<i64>().collect();
    let hits =
        best.iter().zip(ids).zip(is_answer).filter(|((best, id), is)| **is && **best == i64::from(**id));
    let accuracy = hits.count() as f64 / f64::from(count);
    let wanted: Vec<i64> = ids.iter().map(|id| i64::from(*id)).collect();
    let wanted = Tensor::<2, Int>::from_data(TensorData::new(wanted, [rows * tokens, 1]), device);
    let mask = Tensor::<2>::from_data(TensorData::new(mask, [rows * tokens, 1]), device);
    let loss = (activation::log_softmax(flat, 1).gather(1, wanted) * mask).sum() / -count;
    (loss, accuracy)
}
