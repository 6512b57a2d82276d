//! The models to evaluate.

use std::sync::Arc;

use lexiform_model::point::PointPreprocessOverrides;
use lexiform_model::{PointModel, registry};
use lexiform_search::{Encoder, EncoderOptions};

use crate::error::EvalError;

/// Models by name or path, opened one at a time; each further one is compared with the first.
#[derive(Clone, Debug)]
pub struct Models {
    /// Names or paths, at least one.
    pub names: Vec<String>,
    /// How they are opened; `clouds` is overridden by the evaluation.
    pub options: EncoderOptions,
}

impl Models {
    /// Opens one of them. Among several, only point encoders are paired with the given text model.
    pub(crate) fn open(
        &self,
        name: &str,
        clouds: PointPreprocessOverrides,
    ) -> Result<Arc<dyn Encoder>, EvalError> {
        let mut options = EncoderOptions { clouds, ..self.options.clone() };
        // A CLIP model has a text tower of its own and refuses a second one.
        if self.names.len() > 1 && !PointModel::matches_file(&registry::open_weights(name)?) {
            options.text_model = None;
        }
        Ok(options.open(name)?)
    }

    /// Opens the first of them.
    pub(crate) fn open_first(&self, clouds: PointPreprocessOverrides) -> Result<Arc<dyn Encoder>, EvalError> {
        let none = || EvalError::input("expected a model, found none");
        self.open(self.names.first().ok_or_else(none)?, clouds)
    }
}
