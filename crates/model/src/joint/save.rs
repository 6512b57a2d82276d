//! Saving a joint model: towers and configuration in one file.

use std::collections::HashMap;
use std::path::Path;

use burn::tensor::{Device, Tensor};

use super::config::ModelConfig;
use crate::clip::{ClipText, ClipVision};
use crate::config_key;
use crate::error::ModelError;
use crate::language::Language;
use crate::point::PointTower;
use crate::weights::{Precision, TensorList};

/// The towers of a joint model to save.
#[derive(Clone, Copy)]
pub struct JointTowers<'a> {
    /// Text tower.
    pub text: &'a ClipText,
    /// Image tower.
    pub vision: &'a ClipVision,
    /// Point tower, if the configuration has one.
    pub points: Option<&'a PointTower>,
    /// Everyday language, if the configuration has it.
    pub language: Option<&'a Language>,
    /// The learned logarithm of the factor of similarities.
    pub logit_scale: f32,
}

/// Saves towers and configuration as one self-contained `.safetensors` file.
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
    if let Some(language) = towers.language {
        language.save(&mut list);
    }
    list.push("logit_scale".to_owned(), Tensor::<1>::from_floats([towers.logit_scale], &Device::flex()));
    let header = serde_json::to_string(config).expect("a configuration has only strings for keys");
    list.write(path, precision, HashMap::from([(config_key::JOINT.to_owned(), header)]))?;
    Ok(())
}
