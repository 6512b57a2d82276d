//! A page that answers "does this model fit my files?": one self-contained HTML file, and the same as JSON and CSV.

mod contents;
mod html;
mod matrix;
mod measured;
mod page;
mod sections;
mod tables;

pub use contents::{HardCase, Report, hardest};
pub use measured::{Measured, NamedClass, TakenFor};
pub use page::page;
pub use tables::{cases_csv, classes_csv, read_cases};
