//! Labels, captions and splits of shapes, by name: from published caption and label files, or from a user's own tables.

mod annotation;
mod csv;
mod image_name;
mod json;
mod match_counts;
mod read;
mod table;

pub use self::annotation::Annotation;
pub(crate) use self::annotation::extend_unique;
pub use self::match_counts::MatchCounts;
pub use self::table::AnnotationTable;
