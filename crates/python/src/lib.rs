//! The native part of the Python package `lexiform`: `lexiform._lexiform`.
//!
//! One file per part of the package. Classes here are small and take arrays of one layout; `python/lexiform` next to this folder accepts what
//! people have (paths, tensors, pictures, shapes of other libraries) and is what users import.
#![expect(clippy::too_many_arguments, reason = "options of Python are arguments")]

mod arrays;
mod captioner;
mod command;
mod dataset;
mod error;
mod eval;
mod library;
mod model;
mod options;
mod progress;
mod shape;
mod threads;
mod training;

/// Native classes and functions of the package `lexiform`; import `lexiform` instead.
#[pyo3::pymodule]
mod _lexiform {
    #[pymodule_export]
    use crate::captioner::Captioner;
    #[pymodule_export]
    use crate::command::run_command;
    #[pymodule_export]
    use crate::dataset::{Dataset, prepare};
    #[pymodule_export]
    use crate::eval::{few_shot, linear_probe, retrieval, zero_shot};
    #[pymodule_export]
    use crate::library::Library;
    #[pymodule_export]
    use crate::model::{Model, registered_models};
    #[pymodule_export]
    use crate::shape::{Shape, contact_sheet, content_format, decode_picture, encode_png, read_picture};
    #[pymodule_export]
    use crate::training::train;

    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        crate::threads::initialize();
        Ok(())
    }

    /// Version of the package.
    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
