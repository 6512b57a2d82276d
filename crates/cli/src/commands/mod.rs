//! One module per subcommand: arguments, execution, output.

pub(crate) mod ask;
pub(crate) mod caption;
pub(crate) mod classify;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod data;
pub(crate) mod duplicates;
pub(crate) mod embed;
pub(crate) mod eval;
pub(crate) mod index;
pub(crate) mod info;
pub(crate) mod man;
pub(crate) mod mcp;
pub(crate) mod model;
pub(crate) mod render;
pub(crate) mod sample;
pub(crate) mod scene;
pub(crate) mod search;
pub(crate) mod serve;
pub(crate) mod token;
pub(crate) mod train;
