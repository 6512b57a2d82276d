//! Dry run: parameter groups, memory, and the time of a step, without training.

use serde::Serialize;

use crate::error::FitError;
use crate::event::{TrainEvent, TrainPlan};
use crate::recipe::Recipe;
use crate::run::Run;
use crate::run::options::FitOptions;
use crate::run::timing::StepTimer;

/// Validation shapes that a dry run evaluates: a full forward pass of them.
const VALIDATION_SHAPES: usize = 16;

/// Result of a dry run.
#[derive(Clone, Debug, Serialize)]
pub struct DryRun {
    /// What a run would train.
    pub plan: TrainPlan,
    /// Shapes in the timed step.
    pub shapes: usize,
    /// Images in the timed step.
    pub images: usize,
    /// Time of one step in seconds, after a warm-up step.
    pub step_seconds: f64,
    /// Peak memory of the process in the steps, in bytes; 0 if unknown (Linux only).
    pub peak_memory_bytes: u64,
    /// Estimated peak memory of a run in bytes: that of the steps, an evaluation and a checkpoint, and all shapes.
    pub run_memory_bytes: u64,
}

/// Builds the network, takes a few steps on a few shapes, evaluates a few others and writes a checkpoint, in a temporary folder.
/// `data.feature_file` is not used.
///
/// # Errors
/// As [`fit`](crate::fit).
pub fn dry_run(
    recipe: &Recipe,
    options: &FitOptions,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<DryRun, FitError> {
    let folder = scratch_folder(&recipe.name)?;
    let small = reduced(recipe);
    let mut widest = small.clone();
    widest.batch.min_views = widest.batch.max_views;
    let found = Run::prepare(&small, &folder, options, on_event)
        .and_then(|run| measure(run, recipe, [&small, &widest]));
    // Also after an error, which is returned afterwards.
    fs_err::remove_dir_all(&folder)?;
    found
}

/// The recipe with enough shapes for one full step; features of more would take hours with a large teacher.
fn reduced(recipe: &Recipe) -> Recipe {
    let mut small = recipe.clone();
    let largest = recipe.batch.size.shapes(recipe.batch.min_views) * recipe.batch.accumulate_batches;
    let at_most = |limit: usize| if limit == 0 { largest.max(2) } else { limit.min(largest.max(2)) };
    small.data.shapes = at_most(recipe.data.shapes);
    small.data.max_shapes = at_most(recipe.data.max_shapes);
    if recipe.data.path.is_none() {
        // Of a data set they are only listed; generated ones would be rendered.
        small.data.val_per_class = recipe.data.val_per_class.min(1);
    }
    small.data.feature_file = None;
    small
}

/// Measures `run`, which is of `small`; `widest` differs from it in the number of views only.
fn measure<'a>(
    mut run: Run<'a>,
    recipe: &Recipe,
    [small, widest]: [&'a Recipe; 2],
) -> Result<DryRun, FitError> {
    let mut plan = run.plan();
    // The plan is of the reduced data: lengths and memory are computed from the full recipe.
    plan.steps_per_epoch = run.steps_per_epoch_of(recipe);
    plan.steps = recipe.run.steps.steps(plan.steps_per_epoch);
    let missing_shapes = run.memory_of_missing_shapes(recipe);
    plan.memory_bytes += missing_shapes;
    let mut timer = StepTimer::default();
    // The warm-up also loads the first batches ahead, so that the timed step waits for data as those of a run do.
    run.step(run.position(), &mut StepTimer::default())?;
    timer.step(|timer| run.step(run.position(), timer))?;
    if widest.batch != small.batch {
        // Most views take most memory. Last, because it begins without a batch that is loaded ahead.
        run.use_recipe(widest);
        run.step(run.position(), &mut StepTimer::default())?;
        run.use_recipe(small);
    }
    let ((shapes, images), peak_memory_bytes) = (timer.counts(), peak_memory_bytes());
    run.limit_validation(VALIDATION_SHAPES);
    run.evaluate()?;
    run.save(&mut |_| {})?;
    run.wait_for_checkpoint(&mut |_| {})?;
    // Without a measurement, what is known without one.
    let run_memory_bytes = plan.memory_bytes.max(self::peak_memory_bytes() + missing_shapes);
    let step_seconds = timer.all().seconds();
    Ok(DryRun { plan, shapes, images, step_seconds, peak_memory_bytes, run_memory_bytes })
}

fn scratch_folder(name: &str) -> std::io::Result<std::path::PathBuf> {
    let folder = std::env::temp_dir().join(format!("lexiform-{name}-{}", std::process::id()));
    fs_err::create_dir_all(&folder)?;
    Ok(folder)
}

/// Peak resident set size, `VmHWM` of `/proc/self/status`.
fn peak_memory_bytes() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
