//! What is trained: how it is built, the features it makes of a batch, and how it is saved.

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
