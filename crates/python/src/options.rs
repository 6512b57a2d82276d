//! Options that are words.

use lexiform_model::preprocess::Crop;
use lexiform_search::UpRule;

use crate::error::{Result, invalid};

/// The rule for the up axis that a name stands for.
pub fn parse_up(name: &str) -> Result<UpRule> {
    name.parse().map_err(|error| invalid(format!("up: {error}")))
}

/// The crop that a name stands for.
pub fn parse_crop(name: &str) -> Result<Crop> {
    match name {
        "none" => Ok(Crop::None),
        "center" => Ok(Crop::Center),
        seed => seed
            .parse()
            .map(Crop::Reference)
            .map_err(|_| invalid(format!("crop: expected none, center or a seed, found {name:?}"))),
    }
}
