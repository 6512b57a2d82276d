//! Checks of a recipe against its devices, shapes and pretrained models.

use burn::tensor::Device;
use lexiform_model::Teacher;
use lexiform_model::nn::has_block_weights;
use lexiform_model::point::UpAxis;

use crate::error::FitError;
use crate::network::{PretrainedModels, Towers};
use crate::recipe::{NetworkConfig, Recipe, RecipeError, SampleOrder};
use crate::run::options::FitOptions;

/// All devices support the recipe's data type.
pub(super) fn check_dtype(recipe: &Recipe, devices: &[Device]) -> Result<(), FitError> {
    let Some(dtype) = recipe.run.mixed_precision.dtype() else { return Ok(()) };
    let without = devices.iter().position(|device| !device.supports_dtype(dtype));
    without.map_or(Ok(()), |device| Err(FitError::UnsupportedDtype { device }))
}

/// Every device of every process has at least one shape of each batch.
pub(super) fn check_shares(recipe: &Recipe, options: &FitOptions) -> Result<(), RecipeError> {
    let shares = options.processes.count() * options.devices.len();
    let fewest = recipe.batch.size.shapes(recipe.batch.max_views);
    if fewest >= shares {
        return Ok(());
    }
    Err(RecipeError::batch_size(format!(
        "{fewest} shapes with batch.max_views, but {shares} devices in all processes; raise batch.size"
    )))
}

/// The up axis of the input is that of the pretrained encoder.
fn check_up_axis(found: UpAxis, of_base: UpAxis) -> Result<(), RecipeError> {
    let (rule, found) = match (of_base, found) {
        (UpAxis::YUp, UpAxis::ZUp) => ("must be \"y-up\", as network.base expects", "\"z-up\""),
        (UpAxis::ZUp, UpAxis::YUp) => ("must be \"z-up\", as network.base expects", "\"y-up\""),
        _ => return Ok(()),
    };
    Err(RecipeError::Value { field: "network.input.up", found: found.to_owned(), rule })
}

/// A classification head needs at least two labels.
pub(super) fn check_classes(recipe: &Recipe, classes: usize) -> Result<(), RecipeError> {
    if recipe.network.head().is_none() || classes >= 2 {
        return Ok(());
    }
    let rule = "needs at least two labels in the data";
    let found = format!("{{ … }} with {classes} labels");
    Err(RecipeError::Value { field: "network.head", found, rule })
}

/// Some options have an effect only on transformer blocks.
pub(super) fn check_block_options(recipe: &Recipe, towers: &Towers) -> Result<(), RecipeError> {
    if has_block_weights(towers) {
        return Ok(());
    }
    let (field, found, rule) = if recipe.run.mixed_precision.dtype().is_some() {
        ("run.mixed_precision", "\"bf16\"", "has no effect without transformer blocks; set it to \"none\"")
    } else if recipe.run.checkpoint_activations {
        ("run.checkpoint_activations", "true", "has no effect without transformer blocks; set it to false")
    } else {
        return Ok(());
    };
    Err(RecipeError::Value { field, found: found.to_owned(), rule })
}

/// A shuffled batch is at most as large as the data: a shape must not be its own negative.
pub(super) fn check_batch_size(recipe: &Recipe, count: usize) -> Result<(), RecipeError> {
    let most = recipe.batch.size.shapes(recipe.batch.min_views);
    if recipe.batch.order == SampleOrder::WithReplacement || most <= count {
        return Ok(());
    }
    Err(RecipeError::batch_size(format!(
        "up to {most} shapes per batch, but only {count} in the data; lower batch.size"
    )))
}

/// A point encoder's features are as wide as its teacher's; a classifier has no teacher.
pub(super) fn check_dims(
    recipe: &Recipe,
    teacher: Option<&Teacher>,
    models: &PretrainedModels,
) -> Result<(), FitError> {
    let NetworkConfig::Points(network) = &recipe.network else { return Ok(()) };
    // The width of a pretrained encoder is only known once it is opened.
    let dim = match (&network.base, &network.tower) {
        (Some(base), _) => {
            let base = models.point_model(base, network.groups)?;
            check_up_axis(network.input.up, base.config().input.up)?;
            base.dim()
        }
        (None, Some(tower)) => tower.dim(),
        (None, None) => return Ok(()),
    };
    let (field, found, rule) = match teacher {
        // A head replaces the projection whose width this is about.
        _ if recipe.network.head().is_some() => return Ok(()),
        None => ("teacher", "absent".to_owned(), "a point encoder needs a teacher"),
        Some(teacher) if teacher.dim() != dim => (
            "network.tower.projection.dim",
            dim.to_string(),
            "must equal the width of the teacher's features",
        ),
        Some(_) => return Ok(()),
    };
    Err(RecipeError::Value { field, found, rule }.into())
}
