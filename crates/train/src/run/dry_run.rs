//! What a run would do, without doing it: groups, memory, and the time of one step.

use serde::Serialize;

use crate::error::FitError;
use crate::event::{Plan, TrainEvent};
use crate::recipe::Recipe;
use crate::run::Run;
use crate::run::options::FitOptions;
use crate::run::timing::Clock;

/// What a rehearsal found.
#[derive(Clone, Debug, Serialize)]
pub struct Trial {
    /// What would be trained.
    pub plan: Plan,
    /// Shapes in the batches of the step that was timed.
    pub shapes: usize,
    /// Images in them.
    pub images: usize,
    /// Seconds of one step, after one that warms up.
    pub step_seconds: f64,
    /// Most memory the process has held so far, in bytes; 0 where the system does not tell.
    pub peak_bytes: u64,
}

/// Builds everything the recipe asks for, takes two steps and forgets them. The features of a teacher are computed for
/// a small part of the shapes only, in a folder that is deleted; a file that the recipe names for them is left alone.
///
/// # Errors
/// As [`fit`](crate::fit).
pub fn rehearse(
    recipe: &Recipe,
    options: &FitOptions,
    on_event: &mut dyn FnMut(TrainEvent),
) -> Result<Trial, FitError> {
    let mut small = recipe.clone();
    let largest = recipe.batch.size.shapes(recipe.batch.fewest_views) * recipe.batch.accumulate;
    small.data.shapes = match recipe.data.shapes {
        0 => largest.max(2),
        shapes => shapes.min(largest.max(2)),
    };
    small.data.limit = match recipe.data.limit {
        0 => largest.max(2),
        limit => limit.min(largest.max(2)),
    };
    small.data.held_out = 0;
    small.data.features = None;
    let folder = scratch_folder(&recipe.name)?;
    let found = Run::prepare(&small, &folder, options, on_event).and_then(|mut run| {
        let mut clock = Clock::default();
        clock.step(|clock| run.step(run.position(), clock))?;
        let mut clock = Clock::default();
        clock.step(|clock| run.step(run.position(), clock))?;
        let (shapes, images) = clock.seen();
        let mut plan = run.plan();
        plan.steps_per_epoch = recipe.batch.steps_per_epoch(run.count_of(recipe));
        plan.steps = recipe.run.steps.steps(plan.steps_per_epoch);
        let step_seconds = clock.all().seconds();
        Ok(Trial { plan, shapes, images, step_seconds, peak_bytes: peak_bytes() })
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
fn peak_bytes() -> u64 {
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
