//! One file a subcommand: what it takes, what it does, what it shows.

pub mod classify;
pub mod compare;
pub mod completions;
pub mod data;
pub mod duplicates;
pub mod embed;
pub mod eval;
pub mod index;
pub mod info;
pub mod man;
pub mod model;
pub mod render;
pub mod sample;
pub mod search;
pub mod train;
