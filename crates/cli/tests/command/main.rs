//! The real binary, as a user runs it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod ask;
mod caption;
mod captions;
mod data;
mod data_update;
mod devices;
mod duplicates;
mod embeddings;
mod end_to_end;
mod eval;
mod eval_captions;
mod eval_datasets;
mod eval_lvis;
mod geometry;
mod joint_model;
mod language;
mod migrate;
mod migrate_tables;
mod model_card;
mod names;
mod old_library;
mod outputs;
mod scene;
mod search;
mod serve;
mod snapshots;
mod support;
mod train;
mod up_axis;
mod views;
