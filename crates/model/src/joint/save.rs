//! Writing a joint model: its towers and its configuration in one file.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Device, Tensor};

use super::config::ModelConfig;
use crate::clip::{ClipText, ClipVision};
use crate::config_key;
use crate::error::ModelError;
use crate::point::PointTower;
use crate::weights::{Precision, TensorList};

/// The towers of a joint model, as they are saved.
#[derive(Clone, Copy)]
pub struct JointTowers<'a> {
    /// Words.
    pub text: &'a ClipText,
    /// Views.
    pub vision: &'a ClipVision,
    /// Clouds, where the configuration says so.
    pub points: Option<&'a PointTower>,
    /// The learned multiplier of similarities (its logarithm).
    pub logit_scale: f32,
}

/// Writes towers with their configuration as one self-contained `.safetensors` file.
///
/// # Errors
/// If the file cannot be written.
pub fn save(
    path: &Path,
    config: &ModelConfig,
    towers: JointTowers<'_>,
    precision: Precision,
) -> Result<(), ModelError> {
    let mut list = TensorList::default();
    towers.text.save(&mut list);
    towers.vision.save(&mut list);
    if let Some(points) = towers.points {
        points.save(&mut list);
    }
    list.push("logit_scale".to_owned(), Tensor::<1>::from_floats([towers.logit_scale], &Device::flex()));
    let header = serde_json::to_string(config).expect("a configuration has only strings for keys");
    list.write(path, precision, HashMap::from([(config_key::JOINT.to_owned(), header)]))?;
    Ok(())
}
