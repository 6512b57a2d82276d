//! The linear probe: multinomial logistic regression on frozen features.
//!
//! Minimizes `C · Σ cross entropy + ½ · Σ weight²` over weights and unpenalized biases, like scikit-learn's
//! `LogisticRegression(C=…)`. Optimization starts at zero and sums run in a fixed order, so equal inputs give equal
//! weights at any number of threads.

use gemm::Parallelism;
use rayon::prelude::*;
use serde::Serialize;

use crate::error::{check_indices, check_len};
use crate::lbfgs::{StopCriteria, minimize};
use crate::{Features, MetricsError, Prediction, SplitMix64};

/// Grid of C as powers of ten.
const C_EXPONENTS: std::ops::RangeInclusive<i32> = -3..=5;
/// Chunks of the sums over items; fixed, so that rounding does not depend on the number of threads.
const REDUCTION_CHUNKS: usize = 8;
/// Items per matrix multiplication.
const CHUNK_ROWS: usize = 256;

/// Training configuration of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProbeConfig {
    /// Inverse regularization strength; `None` selects it on a validation split of the training items.
    pub c: Option<f64>,
    /// Fraction of the training items in that validation split.
    pub val_fraction: f64,
    /// Seed of the split.
    pub seed: u64,
    /// Stop when the maximum absolute gradient of the mean loss is below this.
    pub tolerance: f64,
    /// Maximum number of optimizer steps.
    pub max_iter: usize,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { c: None, val_fraction: 0.2, seed: 0, tolerance: 1e-6, max_iter: 1000 }
    }
}

/// A trained linear classifier of unit features.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// `[classes, dim + 1]`, the bias last.
    weights: Vec<f64>,
    dim: usize,
    /// Inverse regularization strength it was trained with.
    pub c: f64,
    /// Final regularized loss: `mean cross entropy + Σ weight² / (2 · C · items)`.
    pub loss: f64,
    /// Validation accuracy of each C of the grid: (C, accuracy).
    pub c_search: Vec<(f64, f64)>,
}

impl Probe {
    /// Trains on normalized `items`, `[items, dim]`, with a class index for each.
    ///
    /// # Errors
    /// If lengths differ, a label is out of range, or fewer than two classes occur.
    pub fn train(
        items: &Features,
        labels: &[usize],
        classes: usize,
        config: &ProbeConfig,
    ) -> Result<Self, MetricsError> {
        check_len("labels", items.rows(), labels.len())?;
        check_indices("label", labels, classes)?;
        if labels.windows(2).all(|pair| pair[0] == pair[1]) {
            return Err(MetricsError::NotEnoughData(
                "a probe needs training items of at least two classes".to_owned(),
            ));
        }
        let items = items.normalized();
        let (c, c_search) = match config.c {
            Some(c) => (c, Vec::new()),
            None => select_c(&items, labels, classes, config)?,
        };
        let mut probe = fit(&items, labels, classes, c, config);
        probe.c_search = c_search;
        Ok(probe)
    }

    /// Classifies `items`, `[items, dim]`; scores are probabilities.
    ///
    /// # Errors
    /// If lengths differ or a label is out of range.
    pub fn predict(&self, items: &Features, truth: &[usize]) -> Result<Vec<Prediction>, MetricsError> {
        check_len("labels", items.rows(), truth.len())?;
        let classes = self.weights.len() / (self.dim + 1);
        check_indices("label", truth, classes)?;
        if items.dim() != self.dim {
            return Err(MetricsError::DimMismatch { what: "items", expected: self.dim, found: items.dim() });
        }
        let items = items.normalized();
        let predict = |(rows, truth): (&[f32], &[usize])| {
            let logits = logits(&self.weights, rows, self.dim);
            let rows = logits.chunks(classes).zip(truth);
            let named = rows.map(|(row, truth)| {
                let scores: Vec<f32> = row.iter().map(|x| *x as f32).collect();
                let mut prediction = Prediction::from_scores(&scores, *truth, 1.0);
                // Classes are ranked by logits, which unlike probabilities do not saturate.
                let mut row = row.to_vec();
                softmax(&mut row);
                prediction.score = prediction.top_k.first().map_or(0.0, |best| row[*best]);
                prediction.truth_score = row[*truth];
                prediction
            });
            named.collect::<Vec<_>>()
        };
        let blocks = items.as_slice().par_chunks(CHUNK_ROWS * self.dim).zip(truth.par_chunks(CHUNK_ROWS));
        Ok(blocks.flat_map_iter(predict).collect())
    }

    /// Weights and bias of a class, `[dim + 1]`.
    pub fn weights(&self, class: usize) -> &[f64] {
        &self.weights[class * (self.dim + 1)..(class + 1) * (self.dim + 1)]
    }
}

/// Random stratified split into two lists of indices: `fraction` of each class, rounded, is in the second list; the first
/// keeps at least one item of each class.
pub fn stratified_split(labels: &[usize], fraction: f64, seed: u64) -> [Vec<usize>; 2] {
    let classes = labels.iter().max().map_or(0, |most| most + 1);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for class in 0..classes {
        let mut members: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == class).collect();
        SplitMix64::for_stream(seed, class as u64).shuffle(&mut members);
        let held = ((members.len() as f64 * fraction.clamp(0.0, 1.0)).round() as usize)
            .min(members.len().saturating_sub(1));
        second.extend_from_slice(&members[..held]);
        first.extend_from_slice(&members[held..]);
    }
    first.sort_unstable();
    second.sort_unstable();
    [first, second]
}

/// The C with the best validation accuracy; of equal ones the strongest regularization.
fn select_c(
    items: &Features,
    labels: &[usize],
    classes: usize,
    config: &ProbeConfig,
) -> Result<(f64, Vec<(f64, f64)>), MetricsError> {
    let [kept, held] = stratified_split(labels, config.val_fraction, config.seed);
    if held.is_empty() {
        // No validation items: scikit-learn's default.
        return Ok((1.0, Vec::new()));
    }
    let of = |indices: &[usize]| indices.iter().map(|i| labels[*i]).collect::<Vec<_>>();
    let (kept_items, held_items) = (items.select(&kept)?, items.select(&held)?);
    let (kept, held) = (of(&kept), of(&held));
    let mut c_search = Vec::new();
    for power in C_EXPONENTS {
        let c = 10_f64.powi(power);
        let probe = fit(&kept_items, &kept, classes, c, config);
        let right = probe.predict(&held_items, &held)?.iter().filter(|p| p.is_correct()).count();
        c_search.push((c, right as f64 / held.len() as f64));
    }
    let best = c_search.iter().map(|t| t.1).fold(0.0, f64::max);
    let c = c_search.iter().find(|t| t.1 >= best).map_or(1.0, |t| t.0);
    Ok((c, c_search))
}

/// Trains with a given C on normalized features.
fn fit(items: &Features, labels: &[usize], classes: usize, c: f64, config: &ProbeConfig) -> Probe {
    let dim = items.dim();
    let mut weights = vec![0.0; classes * (dim + 1)];
    let decay = 1.0 / (c * labels.len() as f64);
    let stop = StopCriteria { gradient_tolerance: config.tolerance, max_steps: config.max_iter };
    let loss = minimize(&mut weights, |w, gradient| mean_loss(w, gradient, items, labels, decay), stop);
    Probe { weights, dim, c, loss, c_search: Vec::new() }
}

/// Mean cross entropy plus `decay / 2 · Σ weight²`; writes its gradient.
fn mean_loss(weights: &[f64], gradient: &mut [f64], items: &Features, labels: &[usize], decay: f64) -> f64 {
    let dim = items.dim();
    let part = labels.len().div_ceil(REDUCTION_CHUNKS);
    let parts: Vec<(f64, Vec<f64>)> = items
        .as_slice()
        .par_chunks(part * dim)
        .zip(labels.par_chunks(part))
        .map(|(rows, labels)| summed_loss(weights, rows, labels, dim))
        .collect();
    let n = labels.len() as f64;
    gradient.fill(0.0);
    let mut loss = 0.0;
    for (part, part_gradient) in parts {
        loss += part / n;
        gradient.iter_mut().zip(&part_gradient).for_each(|(s, p)| *s += p / n);
    }
    for (gradient, weights) in gradient.chunks_mut(dim + 1).zip(weights.chunks(dim + 1)) {
        for (s, w) in gradient.iter_mut().zip(&weights[..dim]) {
            *s += decay * w;
            loss += 0.5 * decay * w * w;
        }
    }
    loss
}

/// Summed cross entropy of `rows`, `[rows, dim]`, and its gradient `[classes, dim + 1]`.
fn summed_loss(weights: &[f64], rows: &[f32], labels: &[usize], dim: usize) -> (f64, Vec<f64>) {
    let classes = weights.len() / (dim + 1);
    let (mut loss, mut gradient) = (0.0, vec![0.0; weights.len()]);
    for (rows, labels) in rows.chunks(CHUNK_ROWS * dim).zip(labels.chunks(CHUNK_ROWS)) {
        let mut residuals = logits(weights, rows, dim);
        for (row, &label) in residuals.chunks_mut(classes).zip(labels) {
            // Cross entropy is log-sum-exp minus the true logit; its gradient is softmax minus one-hot.
            let right = row[label];
            loss += softmax(row) - right;
            row[label] -= 1.0;
        }
        let extended = append_bias_column(rows, dim);
        // SAFETY: residuals are [rows, classes], read as their transpose; `extended` is [rows, dim + 1]; the gradient is
        // [classes, dim + 1]; all row-major and exactly as long as these sizes say.
        unsafe {
            gemm::gemm(
                classes,
                dim + 1,
                labels.len(),
                gradient.as_mut_ptr(),
                1,
                (dim + 1) as isize,
                true,
                residuals.as_ptr(),
                classes as isize,
                1,
                extended.as_ptr(),
                1,
                (dim + 1) as isize,
                1.0,
                1.0,
                false,
                false,
                false,
                Parallelism::None,
            );
        }
    }
    (loss, gradient)
}

/// `[rows, dim]` → `[rows, classes]`.
fn logits(weights: &[f64], rows: &[f32], dim: usize) -> Vec<f64> {
    let (classes, n) = (weights.len() / (dim + 1), rows.len() / dim);
    let extended = append_bias_column(rows, dim);
    let mut logits = vec![0.0; n * classes];
    // SAFETY: `extended` is [n, dim + 1], the weights are [classes, dim + 1], read as their transpose, and the logits
    // are [n, classes]; all row-major and exactly as long as these sizes say.
    unsafe {
        gemm::gemm(
            n,
            classes,
            dim + 1,
            logits.as_mut_ptr(),
            1,
            classes as isize,
            false,
            extended.as_ptr(),
            1,
            (dim + 1) as isize,
            weights.as_ptr(),
            (dim + 1) as isize,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
    logits
}

/// Appends a column of ones, which the bias is multiplied by: `[rows, dim]` → `[rows, dim + 1]`.
fn append_bias_column(rows: &[f32], dim: usize) -> Vec<f64> {
    rows.chunks(dim).flat_map(|row| row.iter().map(|x| f64::from(*x)).chain([1.0])).collect()
}

/// Turns logits into probabilities in place and returns their log-sum-exp.
fn softmax(row: &mut [f64]) -> f64 {
    // Subtracting the maximum keeps the exponentials from overflowing.
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|x| *x = (*x - largest).exp());
    let total: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= total);
    largest + total.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three clusters in four dimensions.
    fn clusters(each: usize, spread: f64) -> (Features, Vec<usize>) {
        let mut rng = SplitMix64::new(5);
        let labels: Vec<usize> = (0..3 * each).map(|i| i % 3).collect();
        let values = labels.iter().flat_map(|&label| {
            let mut row = [0.0_f32; 4];
            row.iter_mut().for_each(|x| *x = (spread * (rng.next_f64() - 0.5)) as f32);
            row[label] += 1.0;
            row
        });
        (Features::new(values.collect(), 4).unwrap(), labels)
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        let (items, labels) = clusters(4, 1.0);
        let weights: Vec<f64> = (0..15).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let mut gradient = vec![0.0; 15];
        mean_loss(&weights, &mut gradient, &items, &labels, 0.3);
        for i in 0..15 {
            let at = |shift: f64| {
                let mut moved = weights.clone();
                moved[i] += shift;
                mean_loss(&moved, &mut [0.0; 15], &items, &labels, 0.3)
            };
            let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((gradient[i] - expected).abs() < 1e-8, "{i}: {} {expected}", gradient[i]);
        }
    }

    #[test]
    fn clusters_are_separated() {
        let (items, labels) = clusters(20, 0.8);
        let probe = Probe::train(&items, &labels, 3, &ProbeConfig::default()).unwrap();
        assert!(!probe.c_search.is_empty());
        let named = probe.predict(&items, &labels).unwrap();
        assert!(named.iter().filter(|p| p.is_correct()).count() >= 57);
        assert!(Probe::train(&items, &[0; 60], 3, &ProbeConfig::default()).is_err());
        assert!(Probe::train(&items, &labels, 2, &ProbeConfig::default()).is_err());
    }

    #[test]
    fn a_split_keeps_every_class_first() {
        let labels = [0, 0, 0, 0, 1, 2, 2, 0];
        let [first, second] = stratified_split(&labels, 0.4, 1);
        assert_eq!(first.len() + second.len(), 8);
        assert!((0..3).all(|class| first.iter().any(|i| labels[*i] == class)));
        assert_eq!(second.iter().filter(|i| labels[**i] == 0).count(), 2);
        assert_eq!(stratified_split(&labels, 0.4, 1), [first, second]);
    }
}
