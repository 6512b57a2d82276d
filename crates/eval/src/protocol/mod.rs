//! Evaluation protocols of the papers: classes, prompt templates, model input, and published results to compare with.
//!
//! ```
//! use lexiform_eval::protocol::{Benchmark, Paper, Protocol};
//!
//! let protocol = Protocol::find(Benchmark::Modelnet40, Paper::Cg3d).unwrap();
//! assert_eq!(protocol.title(), "modelnet40 (cg3d protocol)");
//! assert_eq!(protocol.published()[0].values.describe(), "overall / mean class accuracy: 50.4 / 49.7");
//! ```

mod benchmark;
mod catalog;
mod definition;
pub mod labels;
mod published;
mod published_rows;

pub use benchmark::{Benchmark, Paper, UnknownName};
pub use definition::{Protocol, ShapeInput, cloud_options};
pub use labels::{ClassList, Spelling};
pub use published::{PublishedMetrics, PublishedResult};
