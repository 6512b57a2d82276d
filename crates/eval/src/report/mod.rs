//! The evaluation report: one self-contained HTML page, and the same as JSON and CSV.

mod classification;
mod contents;
mod html_page;
mod html_text;
mod matrix;
mod sections;
mod tables;

pub use classification::{ClassResult, ClassificationResult, PredictedAs};
pub use contents::{HardExample, Report, hardest_examples};
pub use html_page::render_html;
pub use tables::{ClassificationTables, classes_csv, confusion_csv, predictions_csv, read_predictions};
