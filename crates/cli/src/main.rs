//! The `lexiform` command.
fn main() {}
