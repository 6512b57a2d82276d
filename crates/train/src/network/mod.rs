//! The trained network: construction, forward pass, saving.

mod build;
mod forward;
mod pretrained;
mod save;
mod spec;
mod towers;

pub(crate) use build::NetworkVocabulary;
pub(crate) use pretrained::PretrainedModels;
pub(crate) use spec::ModelSpec;
pub use spec::OutputConfig;
pub(crate) use towers::Towers;
