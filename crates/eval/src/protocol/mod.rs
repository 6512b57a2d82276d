//! How each paper measures: classes, class sentences, how shapes are given to a model, and the published rows that the
//! numbers are compared with.

mod benchmark;
mod catalog;
mod definition;
pub mod labels;
mod published;

pub use benchmark::{Benchmark, Paper, UnknownName};
pub use definition::{Protocol, ShapeInput, cloud_options};
pub use labels::{ClassList, Spelling};
pub use published::{PublishedMetrics, PublishedResult};
