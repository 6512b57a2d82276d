//! The command `lexiform` inside of Python.

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the command `lexiform` with arguments, the first of which is the name of the program, and returns its exit code.
#[pyfunction]
pub fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| lexiform_cli::run(arguments))
}
