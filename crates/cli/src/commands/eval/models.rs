//! Options that say which models are measured.

use clap::Args;
use lexiform_eval::Models;

use crate::models::{DEFAULT_MODEL, ModelArg, OpenModelArgs};

/// Which models to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct ModelsArgs {
    /// Model: a name that `lexiform model list` shows, or a file of weights; each further one is compared with the first
    /// [default: nano]
    #[arg(long, value_name = "NAME|PATH", env = "LEXIFORM_MODEL")]
    model: Vec<String>,
    #[command(flatten)]
    open_args: OpenModelArgs,
}

impl ModelsArgs {
    /// Those that were asked for, or the built-in one.
    pub(crate) fn models(&self) -> Models {
        let names = if self.model.is_empty() { vec![DEFAULT_MODEL.to_owned()] } else { self.model.clone() };
        Models { names, options: self.open_args.options(None) }
    }
}

/// A measurement of one model.
pub(crate) fn one(model: &ModelArg) -> Models {
    Models { names: vec![model.name().to_owned()], options: model.open_args.options(None) }
}
