//! Metrics of features that are arrays; files are evaluated by the command.

use lexiform_metrics::bootstrap::{ClassificationIntervals, Resampling};
use lexiform_metrics::few_shot::{EpisodeConfig, Learner};
use lexiform_metrics::probe::{Probe, ProbeConfig};
use lexiform_metrics::retrieval::{RetrievalMetrics, retrieve};
use lexiform_metrics::{ClassFeatures, ClassificationMetrics, Prediction};
use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use serde_json::{Value, json};

use crate::arrays::features;
use crate::error::{Result, invalid};
use crate::threads::compute;

/// Zero-shot classification by the nearest class feature. Returns metrics, intervals and the best classes of each item as JSON.
#[pyfunction]
pub fn zero_shot(
    py: Python<'_>,
    items: PyReadonlyArray2<'_, f32>,
    classes: PyReadonlyArray2<'_, f32>,
    labels: PyReadonlyArray1<'_, i64>,
    resamples: usize,
    seed: u64,
) -> Result<String> {
    let (items, classes, labels) = (features(&items)?, features(&classes)?, indices(&labels)?);
    compute(py, || {
        let classes = ClassFeatures::from_features(&classes);
        let predictions = lexiform_metrics::zero_shot(&items, &classes, &labels)?;
        let metrics = classification(&predictions, classes.classes(), Resampling { resamples, seed })?;
        Ok(metrics.to_string())
    })
}

/// Retrieval of the relevant items of a gallery. Returns metrics, intervals and the best items of each query as JSON.
#[pyfunction]
pub fn retrieval(
    py: Python<'_>,
    queries: PyReadonlyArray2<'_, f32>,
    gallery: PyReadonlyArray2<'_, f32>,
    relevant: Vec<Vec<usize>>,
    resamples: usize,
    seed: u64,
) -> Result<String> {
    let (queries, gallery) = (features(&queries)?, features(&gallery)?);
    compute(py, || {
        let results = retrieve(&queries, &gallery, &relevant)?;
        let metrics = RetrievalMetrics::from_results(&results, gallery.rows())?;
        let intervals = metrics.intervals(&results, Resampling { resamples, seed });
        let top_k: Vec<&[usize]> = results.iter().map(|result| &result.top_k[..]).collect();
        let first_ranks: Vec<usize> = results.iter().map(|result| result.first_rank()).collect();
        let report =
            json!({ "metrics": metrics, "intervals": intervals, "top_k": top_k, "first_ranks": first_ranks });
        Ok(report.to_string())
    })
}

/// A linear classifier of training features, measured on test features. Returns metrics and the choice of C as JSON.
#[pyfunction]
#[pyo3(signature = (train, train_labels, test, test_labels, *, c, val_fraction, seed, resamples))]
pub fn linear_probe(
    py: Python<'_>,
    train: PyReadonlyArray2<'_, f32>,
    train_labels: PyReadonlyArray1<'_, i64>,
    test: PyReadonlyArray2<'_, f32>,
    test_labels: PyReadonlyArray1<'_, i64>,
    c: Option<f64>,
    val_fraction: f64,
    seed: u64,
    resamples: usize,
) -> Result<String> {
    let (train, test) = (features(&train)?, features(&test)?);
    let (train_labels, test_labels) = (indices(&train_labels)?, indices(&test_labels)?);
    compute(py, || {
        let classes = train_labels.iter().chain(&test_labels).max().map_or(0, |most| most + 1);
        let config = ProbeConfig { c, val_fraction, seed, ..ProbeConfig::default() };
        let probe = Probe::train(&train, &train_labels, classes, &config)?;
        let predictions = probe.predict(&test, &test_labels)?;
        let mut report = classification(&predictions, classes, Resampling { resamples, seed })?;
        report["c"] = json!(probe.c);
        report["c_search"] = json!(probe.c_search);
        Ok(report.to_string())
    })
}

/// Few-shot classification over sampled episodes, as JSON.
#[pyfunction]
#[pyo3(signature = (items, labels, *, ways, shots, queries, episodes, seed, learner))]
pub fn few_shot(
    py: Python<'_>,
    items: PyReadonlyArray2<'_, f32>,
    labels: PyReadonlyArray1<'_, i64>,
    ways: usize,
    shots: usize,
    queries: usize,
    episodes: usize,
    seed: u64,
    learner: &str,
) -> Result<String> {
    let (items, labels) = (features(&items)?, indices(&labels)?);
    let learner = match learner {
        "prototype" => Learner::Prototype,
        "probe" => Learner::Probe,
        _ => return Err(invalid(format!("learner: expected prototype or probe, found {learner:?}"))),
    };
    let config = EpisodeConfig { ways, shots, queries, episodes, seed, learner };
    let result = compute(py, || lexiform_metrics::few_shot::few_shot(&items, &labels, config))?;
    Ok(serde_json::to_string(&result)?)
}

fn indices(labels: &PyReadonlyArray1<'_, i64>) -> Result<Vec<usize>> {
    let labels = labels.as_slice().map_err(|_| invalid("expected a contiguous array of labels"))?;
    let index = |label: &i64| {
        usize::try_from(*label).map_err(|_| invalid(format!("expected labels from 0, found {label}")))
    };
    labels.iter().map(index).collect()
}

fn classification(predictions: &[Prediction], classes: usize, resampling: Resampling) -> Result<Value> {
    let metrics = ClassificationMetrics::from_predictions(predictions, classes)?;
    let intervals = ClassificationIntervals::from_predictions(predictions, &metrics, resampling);
    let top_k: Vec<&[usize]> = predictions.iter().map(|prediction| &prediction.top_k[..]).collect();
    Ok(json!({ "metrics": metrics, "intervals": intervals, "top_k": top_k }))
}
