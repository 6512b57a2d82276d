//! The training loop, readable from top to bottom: draw a batch, step, average, evaluate, save.

use std::path::{Path, PathBuf};

use crate::error::FitError;
use crate::event::TrainEvent;
use crate::recipe::Recipe;
use crate::run::Run;
use crate::run::options::FitOptions;
use crate::run::timing::StepTimer;

/// Trains the recipe's model into `out/model.safetensors` (half precision), reporting on the way. Gives the file of the
/// finished model: `out/joint.safetensors` where the recipe asks for one.
///
/// # Errors
/// If the recipe is not valid or does not suit its data, a file cannot be read or written, or the loss diverges.
pub fn fit(
    recipe: &Recipe,
    out: &Path,
    options: &FitOptions,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<PathBuf, FitError> {
    let mut run = Run::prepare(recipe, out, options, on_event)?;
    on_event(TrainEvent::Start(run.plan()));
    if recipe.run.evaluate_on_start && run.progress.step == 0 {
        on_event(run.evaluate()?);
    }
    let (mut timer, before, steps) = (StepTimer::default(), run.progress.step, run.steps());
    let [evaluate_every, checkpoint_every] = run.intervals();
    while run.progress.step < steps {
        let position = run.position();
        run.refresh(position, on_event)?;
        let outcome = timer.step(|timer| run.step(position, timer))?;
        on_event(run.step_event(outcome, position, &timer));

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
            on_event(TrainEvent::CheckpointSaved { step: run.progress.step });
        }
        if let Some(reason) =
            run.progress.should_stop_early(recipe.run.patience).filter(|_| evaluates && !last)
        {
            on_event(TrainEvent::EarlyStopped { step: run.progress.step, reason });
            break;
        }
    }
    if run.progress.step > before {
        on_event(run.finished(run.progress.step - before, &timer));
    }
    run.final_model()
}
