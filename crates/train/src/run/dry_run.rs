//! Dry run: parameter groups, memory, and the time of a step, without training.

use serde::Serialize;

use crate::error::FitError;
use crate::event::{TrainEvent, TrainPlan};
use crate::recipe::Recipe;
use crate::run::Run;
use crate::run::options::FitOptions;
use crate::run::timing::StepTimer;

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
    /// Peak memory of the process in bytes; 0 if unknown (Linux only).
    pub peak_memory_bytes: u64,
}

/// Builds the network and takes two steps on a few shapes, in a temporary folder. `data.feature_file` is not used.
///
/// # Errors
/// As [`fit`](crate::fit).
pub fn dry_run(
    recipe: &Recipe,
    options: &FitOptions,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<DryRun, FitError> {
    let mut small = recipe.clone();
    // Enough shapes for one full step; features of more would take hours with a large teacher.
    let largest = recipe.batch.size.shapes(recipe.batch.min_views) * recipe.batch.accumulate_batches;
    small.data.shapes = match recipe.data.shapes {
        0 => largest.max(2),
        shapes => shapes.min(largest.max(2)),
    };
    small.data.max_shapes = match recipe.data.max_shapes {
        0 => largest.max(2),
        limit => limit.min(largest.max(2)),
    };
    small.data.val_per_class = 0;
    small.data.feature_file = None;
    let folder = scratch_folder(&recipe.name)?;
    let found = Run::prepare(&small, &folder, options, on_event).and_then(|mut run| {
        let mut timer = StepTimer::default();
        timer.step(|timer| run.step(run.position(), timer))?;
        let mut timer = StepTimer::default();
        timer.step(|timer| run.step(run.position(), timer))?;
        let (shapes, images) = timer.counts();
        let mut plan = run.plan();
        // The plan is of the reduced data: lengths are computed from the full recipe.
        plan.steps_per_epoch = recipe.batch.steps_per_epoch(run.n_shapes(recipe));
        plan.steps = recipe.run.steps.steps(plan.steps_per_epoch);
        let step_seconds = timer.all().seconds();
        Ok(DryRun { plan, shapes, images, step_seconds, peak_memory_bytes: peak_memory_bytes() })
    });
    // Also after an error, which is returned afterwards.
    fs_err::remove_dir_all(&folder)?;
    found
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
