//! What is trained: how it is built, the features it makes of a batch, and how it is saved.

mod build;
mod design;
mod forward;
mod pretrained;
mod save;
mod towers;

pub(crate) use build::Said;
pub(crate) use design::Blueprint;
pub use design::Design;
pub(crate) use pretrained::Published;
pub(crate) use towers::Towers;
