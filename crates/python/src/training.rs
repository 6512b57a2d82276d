//! Training by a recipe.

use std::path::PathBuf;

use lexiform_model::device;
use lexiform_train::{FitOptions, Recipe, fit};
use pyo3::prelude::*;

use crate::error::{PyError, Result, invalid};
use crate::progress::run_with_events;
use crate::threads::check_not_forked;

/// Trains a model by a recipe and returns the path of its file. `on_event` gets each event as JSON.
#[pyfunction]
#[pyo3(signature = (recipe, out, *, overrides, resume, devices, on_event=None))]
pub fn train(
    py: Python<'_>,
    recipe: PathBuf,
    out: PathBuf,
    overrides: Vec<String>,
    resume: bool,
    devices: Vec<String>,
    on_event: Option<Py<PyAny>>,
) -> Result<PathBuf> {
    check_not_forked("training")?;
    let open = |name: &String| device(name).map_err(|error| invalid(format!("device {name:?}: {error}")));
    let devices = devices.iter().map(open).collect::<Result<Vec<_>>>()?;
    let options = FitOptions { resume, devices, ..FitOptions::default() };
    run_with_events(py, on_event, |on_event| -> Result<PathBuf> {
        let recipe = Recipe::read(&recipe, &overrides)?;
        let model = fit(&recipe, &out, &options, &mut |event| {
            // Events are numbers and texts, which JSON has.
            if let Ok(event) = serde_json::to_string(&event) {
                on_event(event);
            }
        });
        model.map_err(PyError::from)
    })
}
