//! Options that choose the models to evaluate.

use clap::Args;
use lexiform_eval::Models;

use crate::models::{DEFAULT_MODEL, ModelArg, OpenModelArgs};

/// Models to evaluate.
#[derive(Args, Clone, Debug)]
pub(crate) struct ComparedModelsArgs {
    /// Model: a name from `lexiform model list`, or a path to weights. Repeat to compare further models with the first
    /// [default: nano]
    #[arg(long, value_name = "NAME|PATH", env = "LEXIFORM_MODEL")]
    model: Vec<String>,
    #[command(flatten)]
    open_args: OpenModelArgs,
}

impl ComparedModelsArgs {
    /// The given models, or the built-in one.
    pub(crate) fn models(&self) -> Models {
        let names = if self.model.is_empty() { vec![DEFAULT_MODEL.to_owned()] } else { self.model.clone() };
        Models { names, options: self.open_args.options(None) }
    }
}

/// An evaluation of a single model.
pub(crate) fn one(model: &ModelArg) -> Models {
    Models { names: vec![model.name().to_owned()], options: model.open_args.options(None) }
}
