//! The real binary, as a user runs it.

mod answers;
mod shapes;
mod support;
