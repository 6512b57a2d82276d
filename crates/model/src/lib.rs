//! Networks that place words, pictures and 3D shapes in one space, and their weights.
//!
//! This crate opens no 3D file: it takes pictures, points and text and gives [`Embedding`]s. Its only door to the
//! network is the feature `hub`.

pub mod blip;
pub mod clip;
mod config_key;
mod device;
mod embedding;
mod error;
#[cfg(feature = "hub")]
pub mod hub;
pub mod inspect;
mod joint;
pub mod nn;
pub mod point;
mod point_model;
pub mod preprocess;
pub mod registry;
mod templates;
pub mod tokenizer;
pub mod weights;
mod zero_shot;

pub use device::{Device, DeviceError, device};
pub use embedding::Embedding;
pub use error::ModelError;
pub use joint::{JointModel, JointTowers, ModelConfig, OpenOptions, PROMPTED_TOWER, PointPart, save};
pub use point_model::{Paired, PointModel, PointModelConfig, PointOptions, save as save_points};
pub use templates::usual_templates;
pub use weights::WeightsError;
pub use zero_shot::ZeroShotHead;
