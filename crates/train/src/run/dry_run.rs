//! What a run would do, without doing it: groups, memory, and the time of one step.

use serde::Serialize;

use crate::error::FitError;
use crate::event::{TrainEvent, TrainPlan};
use crate::recipe::Recipe;
use crate::run::Run;
use crate::run::options::FitOptions;
use crate::run::timing::StepTimer;

/// What a rehearsal found.
#[derive(Clone, Debug, Serialize)]
pub struct DryRun {
    /// What would be trained.
    pub plan: TrainPlan,
    /// Shapes in the batches of the step that was timed.
    pub shapes: usize,
    /// Images in them.
    pub images: usize,
    /// Seconds of one step, after one that warms up.
    pub step_seconds: f64,
    /// Most memory the process has held so far, in bytes; 0 where the system does not tell.
    pub peak_memory_bytes: u64,
}

/// Builds everything the recipe asks for, takes two steps and forgets them. The features of a teacher are computed for
/// a small part of the shapes only, in a folder that is deleted; a file that the recipe names for them is left alone.
///
/// # Errors
/// As [`fit`](crate::fit).
pub fn dry_run(
    recipe: &Recipe,
    options: &FitOptions,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<DryRun, FitError> {
    let mut small = recipe.clone();
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
        plan.steps_per_epoch = recipe.batch.steps_per_epoch(run.n_shapes(recipe));
        plan.steps = recipe.run.steps.steps(plan.steps_per_epoch);
        let step_seconds = timer.all().seconds();
        Ok(DryRun { plan, shapes, images, step_seconds, peak_memory_bytes: peak_memory_bytes() })
    });
    fs_err::remove_dir_all(&folder)?;
    found
}

fn scratch_folder(name: &str) -> std::io::Result<std::path::PathBuf> {
    let folder = std::env::temp_dir().join(format!("lexiform-{name}-{}", std::process::id()));
    fs_err::create_dir_all(&folder)?;
    Ok(folder)
}

/// `VmHWM` of Linux.
fn peak_memory_bytes() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
