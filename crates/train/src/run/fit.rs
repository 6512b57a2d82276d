//! The training loop.

use std::path::{Path, PathBuf};

use crate::error::FitError;
use crate::event::TrainEvent;
use crate::recipe::Recipe;
use crate::run::Run;
use crate::run::options::FitOptions;
use crate::run::timing::StepTimer;

/// Trains a model and returns the path of its file: `out/model.safetensors`, or `out/joint.safetensors` if
/// `run.save_joint_model` is set. Models are saved in `run.save_precision`.
///
/// Progress is passed to `on_event`. A run that was interrupted resumes from its last checkpoint if
/// [`FitOptions::resume`] is set, and gives the same weights, bit by bit, as one that was not.
///
/// With [`FitOptions::processes`] every process calls this. They share the work of each batch; only the first evaluates, reports
/// and writes models and checkpoints. If it fails in one process the others wait for it: end them.
///
/// # Errors
/// If the recipe is invalid or does not fit its data, a file cannot be read or written, the output folder already contains a
/// run that is not to be resumed, or the loss diverges.
pub fn fit(
    recipe: &Recipe,
    out: &Path,
    options: &FitOptions,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<PathBuf, FitError> {
    let mut quiet = |_: TrainEvent| {};
    let on_event = if options.processes.is_first() { on_event } else { &mut quiet };
    let mut run = Run::prepare(recipe, out, options, on_event)?;
    on_event(TrainEvent::Start(run.plan()));
    if recipe.run.evaluate_on_start && run.progress.step == 0 {
        on_event(run.evaluate()?);
    }
    let (mut timer, before, steps) = (StepTimer::default(), run.progress.step, run.steps());
    let [evaluate_every, checkpoint_every] = run.intervals();
    while run.progress.step < steps {
        let position = run.position();
        // An error of the last checkpoint ends the run before the next step.
        run.poll_checkpoint(on_event)?;
        run.refresh(position, on_event)?;
        let outcome = timer.step(|timer| run.step(position, timer))?;
        on_event(run.step_event(outcome, position, &timer));

        // The last step always evaluates and saves, whatever the intervals are.
        let last = run.progress.step == steps;
        let evaluates = last || run.progress.step.is_multiple_of(evaluate_every);
        let saves = evaluates || run.progress.step.is_multiple_of(checkpoint_every);
        if saves {
            // Before the evaluation: a model with a NaN must replace neither the best one nor a checkpoint.
            run.check_weights()?;
        }
        if evaluates {
            on_event(run.evaluate()?);
        }
        if saves {
            // After the evaluation, whose result is part of the checkpoint.
            run.save(on_event)?;
        }
        if let Some(reason) =
            run.progress.should_stop_early(recipe.run.patience).filter(|_| evaluates && !last)
        {
            on_event(TrainEvent::EarlyStopped { step: run.progress.step, reason });
            break;
        }
    }
    run.wait_for_checkpoint(on_event)?;
    if run.progress.step > before {
        on_event(run.finished(run.progress.step - before, &timer));
    }
    let model = run.final_model()?;
    // The next run may start from the files of this one.
    options.processes.wait()?;
    Ok(model)
}
