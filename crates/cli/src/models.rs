//! Opening the model that a command asks for.

use std::sync::Arc;

use clap::Args;
use lexiform_model::preprocess::Crop;
use lexiform_model::{JointModel, OpenOptions};
use lexiform_search::{Encoder, Library, Place};

/// The model used where none is named and none is recorded: it is inside the binary.
pub const DEFAULT: &str = "nano";

/// Which model to use.
#[derive(Args, Clone, Debug)]
pub struct ModelArg {
    /// Model: a name that `lexiform model list` shows, or a file of weights [default: nano]
    #[arg(long, value_name = "NAME|PATH", env = "LEXIFORM_MODEL")]
    pub model: Option<String>,
}

impl ModelArg {
    /// The model that was asked for, or the built-in one.
    pub fn name(&self) -> &str {
        self.model.as_deref().unwrap_or(DEFAULT)
    }

    /// The model that was asked for, or else the one a library was made with, or else the built-in one.
    pub fn name_for(&self, place: &Place) -> anyhow::Result<String> {
        Ok(match &self.model {
            Some(model) => model.clone(),
            None => Library::recorded_model(place)?.unwrap_or_else(|| DEFAULT.to_owned()),
        })
    }

    /// Opens the model.
    pub fn open(&self) -> anyhow::Result<Arc<dyn Encoder>> {
        open(self.name())
    }

    /// Opens the model with another window cut out of views.
    pub fn open_with(&self, crop: Option<Crop>) -> anyhow::Result<Arc<dyn Encoder>> {
        Ok(Arc::new(JointModel::open(self.name(), &OpenOptions { crop, ..OpenOptions::default() })?))
    }
}

/// Opens a model by name or path.
pub fn open(name: &str) -> anyhow::Result<Arc<dyn Encoder>> {
    Ok(Arc::new(JointModel::open(name, &OpenOptions::default())?))
}
