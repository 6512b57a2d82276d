//! Tests that every implementation of [`VectorStore`](crate::VectorStore) must pass: [`check`], and [`check_spaces`]
//! for libraries with several models.

mod captions;
mod fixtures;
mod names;
mod one_space;
mod several_spaces;

pub use fixtures::space;
pub use one_space::check;
pub use several_spaces::check_spaces;
