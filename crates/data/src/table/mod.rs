//! Labels, captions and splits of shapes, by name: from published caption and label files, or from a user's own tables.

mod by_name;
mod csv;
mod facts;
mod json;
mod matched;
mod read;

pub use self::by_name::Table;
pub use self::facts::Facts;
pub(crate) use self::facts::add_new;
pub use self::matched::Matched;
