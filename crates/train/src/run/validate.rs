//! Whether a recipe suits what it meets: the devices, the shapes, the teacher.

use burn::tensor::Device;
use lexiform_model::Teacher;
use lexiform_model::nn::has_block_weights;
use lexiform_model::point::UpAxis;

use crate::error::FitError;
use crate::network::{Published, Towers};
use crate::recipe::{NetworkConfig, Order, Recipe, RecipeError};

/// Devices have the numbers that the recipe computes in.
pub(super) fn check_numbers(recipe: &Recipe, devices: &[Device]) -> Result<(), FitError> {
    let Some(dtype) = recipe.run.mixed_precision.products() else { return Ok(()) };
    let without = devices.iter().position(|device| !device.supports_dtype(dtype));
    without.map_or(Ok(()), |device| Err(FitError::NoMixedPrecision { device }))
}

/// Clouds have the up axis of those that the encoder was trained on.
fn check_up(found: UpAxis, of_base: UpAxis) -> Result<(), RecipeError> {
    let (rule, found) = match (of_base, found) {
        (UpAxis::YUp, UpAxis::ZUp) => ("must be \"y-up\", as network.base is used to", "\"z-up\""),
        (UpAxis::ZUp, UpAxis::YUp) => ("must be \"z-up\", as network.base is used to", "\"y-up\""),
        _ => return Ok(()),
    };
    Err(RecipeError::Value { field: "network.input.up", found: found.to_owned(), rule })
}

/// A head has something to choose between.
pub(super) fn check_classes(recipe: &Recipe, classes: usize) -> Result<(), RecipeError> {
    if recipe.network.head().is_none() || classes >= 2 {
        return Ok(());
    }
    let rule = "names the shapes' labels, of which there must be two at least";
    let found = format!("{{ … }}, with {classes} labels");
    Err(RecipeError::Value { field: "network.head", found, rule })
}

/// Fewer bits are asked for where they would change something.
pub(super) fn check_products(recipe: &Recipe, towers: &Towers) -> Result<(), RecipeError> {
    if recipe.run.mixed_precision.products().is_none() || has_block_weights(towers) {
        return Ok(());
    }
    let rule =
        "would change nothing: only blocks of transformers compute in fewer bits; leave it at \"none\"";
    Err(RecipeError::Value { field: "run.mixed_precision", found: "\"bf16\"".to_owned(), rule })
}

/// Each shape comes once an epoch: a batch that held more than there are would tell shapes apart from themselves.
pub(super) fn check_batch(recipe: &Recipe, count: usize) -> Result<(), RecipeError> {
    let most = recipe.batch.size.shapes(recipe.batch.fewest_views);
    if recipe.batch.order == Order::Drawn || most <= count {
        return Ok(());
    }
    Err(RecipeError::batch_size(format!(
        "a batch of up to {most} shapes holds more than the {count} there are; lower batch.size"
    )))
}

/// An encoder of clouds learns from a teacher whose features are as wide as its own; a classifier of clouds needs none.
pub(super) fn check_widths(
    recipe: &Recipe,
    teacher: Option<&Teacher>,
    published: &Published,
) -> Result<(), FitError> {
    let NetworkConfig::Points(network) = &recipe.network else { return Ok(()) };
    let dim = match (&network.base, &network.tower) {
        (Some(base), _) => {
            let base = published.points(base, network.groups)?;
            check_up(network.input.up, base.config().input.up)?;
            base.dim()
        }
        (None, Some(tower)) => tower.dim(),
        (None, None) => return Ok(()),
    };
    let (field, found, rule) = match teacher {
        _ if recipe.network.head().is_some() => return Ok(()),
        None => ("teacher", "absent".to_owned(), "an encoder of clouds needs a teacher"),
        Some(teacher) if teacher.dim() != dim => {
            ("network.tower.projection.dim", dim.to_string(), "must be as wide as the teacher's features")
        }
        Some(_) => return Ok(()),
    };
    Err(RecipeError::Value { field, found, rule }.into())
}
