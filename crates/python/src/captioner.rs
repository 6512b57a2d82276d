//! `lexiform._lexiform.Captioner`: sentences about embeddings.

use lexiform_model::caption::PrefixCaptioner;
use lexiform_model::device;
use numpy::PyReadonlyArray2;
use pyo3::prelude::*;

use crate::arrays::embeddings;
use crate::error::{Result, invalid};
use crate::threads::compute;

/// A captioner of a model's embeddings.
#[pyclass(frozen, module = "lexiform._lexiform")]
pub struct Captioner(PrefixCaptioner);

#[pymethods]
impl Captioner {
    /// Opens a captioner: the built-in one, which describes embeddings of `nano`, or a file.
    #[new]
    #[pyo3(signature = (path=None))]
    fn new(py: Python<'_>, path: Option<String>) -> Result<Self> {
        let cpu = device("cpu").map_err(|error| invalid(error.to_string()))?;
        let captioner = compute(py, || match &path {
            Some(path) => PrefixCaptioner::open(path, &cpu),
            None => PrefixCaptioner::built_in(&cpu),
        })?;
        Ok(Self(captioner))
    }

    /// Id of the model whose embeddings it describes; empty if that is not known.
    #[getter]
    fn model(&self) -> &str {
        &self.0.config().model
    }

    /// A sentence for each row of features `[n, dim]`.
    fn caption(&self, py: Python<'_>, features: PyReadonlyArray2<'_, f32>) -> Result<Vec<String>> {
        let features = embeddings(&features)?;
        compute(py, || features.iter().map(|row| Ok(self.0.describe(row)?)).collect())
    }
}
