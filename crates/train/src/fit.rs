//! The training loop, readable from top to bottom: draw a batch, step, average, evaluate, save.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use lexiform_data::DataError;
use lexiform_metrics::MetricsError;
use lexiform_model::ModelError;

use crate::checkpoint::CheckpointError;
use crate::clock::Clock;
use crate::event::TrainEvent;
use crate::files::FilesError;
use crate::recipe::{Recipe, RecipeError};
use crate::run::Run;

/// How a run is done, beside what the recipe says.
#[derive(Clone, Debug)]
pub struct FitOptions {
    /// Goes on from the checkpoint in the output folder; without one there, starts anew.
    pub resume: bool,
    /// Devices that share each batch; the first also keeps the weights.
    pub devices: Vec<Device>,
}

impl Default for FitOptions {
    fn default() -> Self {
        Self { resume: false, devices: vec![Device::flex()] }
    }
}

/// Why training stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// The recipe is none.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The model cannot be built, written or read back.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The output folder cannot be written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A loss that is no number or far above its lowest, or a weight that is no number.
    #[error("step {step}: {message}; {}", kept(*good, path))]
    Diverged {
        /// At which step.
        step: usize,
        /// What is wrong.
        message: String,
        /// Step of the last checkpoint whose weights gave a good loss; none where there is no such.
        good: Option<usize>,
        /// Where it is.
        path: PathBuf,
    },
    /// The output folder has a run in it already.
    #[error("{}: holds a run already (step {step}); go on with it or name another folder", path.display())]
    Exists {
        /// Its checkpoint.
        path: PathBuf,
        /// How far it is.
        step: usize,
    },
    /// A device that cannot compute as the recipe asks.
    #[error("run.mixed_precision = \"bf16\": device {device} has no bfloat16; leave it at \"none\" there")]
    NoMixedPrecision {
        /// Its place among the run's devices, from 0.
        device: usize,
    },
    /// The folder of files is nothing to learn from.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// The data set cannot be read.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The data set does not suit the recipe.
    #[error("{}: {message}", path.display())]
    Set {
        /// Its folder.
        path: PathBuf,
        /// Expected, found.
        message: String,
    },
    /// A file that the recipe names for features holds others.
    #[error("{}: holds other features than those of the recipe's teacher and shapes", path.display())]
    OtherFeatures {
        /// The file.
        path: PathBuf,
    },
    /// A file of features is not what it says it is.
    #[error("{}: {message}", path.display())]
    Features {
        /// The file.
        path: PathBuf,
        /// Expected, found.
        message: String,
    },
    /// Held-out shapes cannot be measured.
    #[error("held-out shapes: {0}")]
    Measure(#[from] MetricsError),
    /// A rig that does not exist.
    #[error("network.rig: {0}")]
    Rig(#[from] lexiform_geometry::UnknownRig),
}

impl FitError {
    /// What to do about it, where the part that failed knows.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Data(error) | Self::Files(FilesError::Table(error)) => error.hint(),
            Self::Model(error) => error.hint(),
            Self::OtherFeatures { .. } => {
                Some("name another file in data.features, or remove this one: it is computed anew".to_owned())
            }
            Self::Features { .. } => Some("remove the file: it is computed anew".to_owned()),
            Self::Diverged { good: Some(_), .. } => {
                Some("lower groups.*.learning_rate or groups.*.clip, then --resume".to_owned())
            }
            Self::Diverged { good: None, .. } => {
                Some("lower groups.*.learning_rate and begin anew in another folder".to_owned())
            }
            _ => None,
        }
    }
}

fn kept(good: Option<usize>, path: &Path) -> String {
    match good {
        Some(good) => format!("the last good checkpoint is of step {good}: {}", path.display()),
        None => "no checkpoint was good".to_owned(),
    }
}

/// Trains the recipe's model into `out/model.safetensors` (half precision), reporting on the way. Gives the file of the
/// finished model: `out/joined.safetensors` where the recipe asks for one.
pub fn fit(
    recipe: &Recipe,
    out: &Path,
    options: &FitOptions,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<PathBuf, FitError> {
    let mut run = Run::prepare(recipe, out, options, on_event)?;
    on_event(TrainEvent::Start(run.plan()));
    if recipe.run.evaluate_first && run.progress.step == 0 {
        on_event(run.evaluate()?);
    }
    let (mut clock, before, steps) = (Clock::default(), run.progress.step, run.steps());
    let [evaluate_every, checkpoint_every] = run.rhythm();
    while run.progress.step < steps {
        let position = run.position();
        run.refresh(position, on_event)?;
        let outcome = clock.step(|clock| run.step(position, clock))?;
        on_event(run.step_event(outcome, position, &clock));

        let last = run.progress.step == steps;
        let evaluates = last || run.progress.step.is_multiple_of(evaluate_every);
        let saves = evaluates || run.progress.step.is_multiple_of(checkpoint_every);
        if saves {
            run.check_weights()?;
        }
        if evaluates {
            on_event(run.evaluate()?);
        }
        if saves {
            run.save()?;
            on_event(TrainEvent::Saved { step: run.progress.step });
        }
        if let Some(reason) = run.progress.tired(recipe.run.patience).filter(|_| evaluates && !last) {
            on_event(TrainEvent::Stopped { step: run.progress.step, reason });
            break;
        }
    }
    if run.progress.step > before {
        on_event(run.finished(run.progress.step - before, &clock));
    }
    run.publish()
}
