//! The linear probe: multinomial logistic regression on frozen features.
//!
//! Minimizes `C · Σ cross entropy + ½ · Σ weight²` over weights and unpenalized biases, which is scikit-learn's
//! `LogisticRegression(C=…)`. The start is zero and sums run in a fixed order, so equal inputs give equal weights at any
//! number of threads.

use gemm::Parallelism;
use rayon::prelude::*;
use serde::Serialize;

use crate::error::{check_count, check_indices};
use crate::lbfgs::{Stop, minimize};
use crate::{Features, MetricsError, Prediction, SplitMix64};

/// Values of C that are tried, as powers of ten.
const TRIED: std::ops::RangeInclusive<i32> = -3..=5;
/// Parts that the sums over items are split in, whatever the number of threads.
const PARTS: usize = 8;
/// Items that pass the product at once.
const ROWS_AT_ONCE: usize = 256;

/// How a probe is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ProbeConfig {
    /// Inverse strength of the penalty; `None` chooses it on a split of the training items.
    pub c: Option<f64>,
    /// Share of the training items held back for that choice.
    pub validation_share: f64,
    /// Seed of the split.
    pub seed: u64,
    /// Stop where the largest slope of the mean loss is below this.
    pub tolerance: f64,
    /// Most steps.
    pub steps: usize,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self { c: None, validation_share: 0.2, seed: 0, tolerance: 1e-6, steps: 1000 }
    }
}

/// A trained linear classifier of unit features.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// `[classes, dim + 1]`, the bias last.
    weights: Vec<f64>,
    dim: usize,
    /// Inverse strength of the penalty it was trained with.
    pub c: f64,
    /// Mean loss with its penalty at the end, as it is minimized: `mean cross entropy + Σ weight² / (2 · C · items)`.
    pub loss: f64,
    /// What each tried C gave on the held-back items: (C, accuracy).
    pub tried: Vec<(f64, f64)>,
}

impl Probe {
    /// Trains on the directions of `items`, `[items, dim]`, with their classes.
    ///
    /// # Errors
    /// If sizes do not fit, or fewer than two classes occur.
    pub fn train(
        items: &Features,
        labels: &[usize],
        classes: usize,
        config: &ProbeConfig,
    ) -> Result<Self, MetricsError> {
        check_count("labels", items.rows(), labels.len())?;
        check_indices("label", labels, classes)?;
        if labels.windows(2).all(|pair| pair[0] == pair[1]) {
            return Err(MetricsError::TooLittle(
                "a probe needs training items of at least two classes".to_owned(),
            ));
        }
        let items = items.normalized();
        let (c, tried) = match config.c {
            Some(c) => (c, Vec::new()),
            None => choose(&items, labels, classes, config)?,
        };
        let mut probe = fit(&items, labels, classes, c, config);
        probe.tried = tried;
        Ok(probe)
    }

    /// Names items; their scores are probabilities.
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn predict(&self, items: &Features, truth: &[usize]) -> Result<Vec<Prediction>, MetricsError> {
        check_count("labels", items.rows(), truth.len())?;
        let classes = self.weights.len() / (self.dim + 1);
        check_indices("label", truth, classes)?;
        if items.dim() != self.dim {
            return Err(MetricsError::Dim { what: "items", expected: self.dim, found: items.dim() });
        }
        let items = items.normalized();
        let predict = |(rows, truth): (&[f32], &[usize])| {
            let logits = logits(&self.weights, rows, self.dim);
            let rows = logits.chunks(classes).zip(truth);
            let named = rows.map(|(row, truth)| {
                let scores: Vec<f32> = row.iter().map(|x| *x as f32).collect();
                let mut prediction = Prediction::of(&scores, *truth, 1.0);
                let mut row = row.to_vec();
                softmax(&mut row);
                prediction.score = prediction.best.first().map_or(0.0, |best| row[*best]);
                prediction.truth_score = row[*truth];
                prediction
            });
            named.collect::<Vec<_>>()
        };
        let blocks = items.as_slice().par_chunks(ROWS_AT_ONCE * self.dim).zip(truth.par_chunks(ROWS_AT_ONCE));
        Ok(blocks.flat_map_iter(predict).collect())
    }

    /// Weights and bias of a class, `[dim + 1]`.
    pub fn weights(&self, class: usize) -> &[f64] {
        &self.weights[class * (self.dim + 1)..(class + 1) * (self.dim + 1)]
    }
}

/// Indices of items split by chance within each class: `share` of each class's items, rounded, come second; a class
/// keeps at least one item first.
pub fn split(labels: &[usize], share: f64, seed: u64) -> [Vec<usize>; 2] {
    let classes = labels.iter().max().map_or(0, |most| most + 1);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for class in 0..classes {
        let mut members: Vec<usize> = (0..labels.len()).filter(|i| labels[*i] == class).collect();
        SplitMix64::of_round(seed, class as u64).shuffle(&mut members);
        let held = ((members.len() as f64 * share.clamp(0.0, 1.0)).round() as usize)
            .min(members.len().saturating_sub(1));
        second.extend_from_slice(&members[..held]);
        first.extend_from_slice(&members[held..]);
    }
    first.sort_unstable();
    second.sort_unstable();
    [first, second]
}

/// The C that names most held-back items right; of equal ones the strongest penalty.
fn choose(
    items: &Features,
    labels: &[usize],
    classes: usize,
    config: &ProbeConfig,
) -> Result<(f64, Vec<(f64, f64)>), MetricsError> {
    let [kept, held] = split(labels, config.validation_share, config.seed);
    if held.is_empty() {
        // Nothing to choose on: scikit-learn's default.
        return Ok((1.0, Vec::new()));
    }
    let of = |indices: &[usize]| indices.iter().map(|i| labels[*i]).collect::<Vec<_>>();
    let (kept_items, held_items) = (items.select(&kept)?, items.select(&held)?);
    let (kept, held) = (of(&kept), of(&held));
    let mut tried = Vec::new();
    for power in TRIED {
        let c = 10_f64.powi(power);
        let probe = fit(&kept_items, &kept, classes, c, config);
        let right = probe.predict(&held_items, &held)?.iter().filter(|p| p.is_right()).count();
        tried.push((c, right as f64 / held.len() as f64));
    }
    let best = tried.iter().map(|t| t.1).fold(0.0, f64::max);
    let c = tried.iter().find(|t| t.1 >= best).map_or(1.0, |t| t.0);
    Ok((c, tried))
}

/// Trains with a given C on unit features.
fn fit(items: &Features, labels: &[usize], classes: usize, c: f64, config: &ProbeConfig) -> Probe {
    let dim = items.dim();
    let mut weights = vec![0.0; classes * (dim + 1)];
    let decay = 1.0 / (c * labels.len() as f64);
    let stop = Stop { slope: config.tolerance, steps: config.steps };
    let loss = minimize(&mut weights, |w, slope| mean_loss(w, slope, items, labels, decay), stop);
    Probe { weights, dim, c, loss, tried: Vec::new() }
}

/// Mean cross entropy with `decay / 2 · Σ weight²`, and its slope.
fn mean_loss(weights: &[f64], slope: &mut [f64], items: &Features, labels: &[usize], decay: f64) -> f64 {
    let dim = items.dim();
    let part = labels.len().div_ceil(PARTS);
    let parts: Vec<(f64, Vec<f64>)> = items
        .as_slice()
        .par_chunks(part * dim)
        .zip(labels.par_chunks(part))
        .map(|(rows, labels)| summed_loss(weights, rows, labels, dim))
        .collect();
    let n = labels.len() as f64;
    slope.fill(0.0);
    let mut loss = 0.0;
    for (part, part_slope) in parts {
        loss += part / n;
        slope.iter_mut().zip(&part_slope).for_each(|(s, p)| *s += p / n);
    }
    for (slope, weights) in slope.chunks_mut(dim + 1).zip(weights.chunks(dim + 1)) {
        for (s, w) in slope.iter_mut().zip(&weights[..dim]) {
            *s += decay * w;
            loss += 0.5 * decay * w * w;
        }
    }
    loss
}

/// Summed cross entropy of some rows `[rows, dim]`, and its slope.
fn summed_loss(weights: &[f64], rows: &[f32], labels: &[usize], dim: usize) -> (f64, Vec<f64>) {
    let classes = weights.len() / (dim + 1);
    let (mut loss, mut slope) = (0.0, vec![0.0; weights.len()]);
    for (rows, labels) in rows.chunks(ROWS_AT_ONCE * dim).zip(labels.chunks(ROWS_AT_ONCE)) {
        let mut residuals = logits(weights, rows, dim);
        for (row, &label) in residuals.chunks_mut(classes).zip(labels) {
            let right = row[label];
            loss += softmax(row) - right;
            row[label] -= 1.0;
        }
        let extended = with_one(rows, dim);
        // SAFETY: residuals are [rows, classes], read as their transpose; `extended` is [rows, dim + 1]; the slope is
        // [classes, dim + 1]; all row-major and exactly as long as these sizes say.
        unsafe {
            gemm::gemm(
                classes,
                dim + 1,
                labels.len(),
                slope.as_mut_ptr(),
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
    (loss, slope)
}

/// `[rows, dim]` → `[rows, classes]`: weights times rows, and biases.
fn logits(weights: &[f64], rows: &[f32], dim: usize) -> Vec<f64> {
    let (classes, n) = (weights.len() / (dim + 1), rows.len() / dim);
    let extended = with_one(rows, dim);
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

/// Rows with a one behind each, which the bias is multiplied by.
fn with_one(rows: &[f32], dim: usize) -> Vec<f64> {
    rows.chunks(dim).flat_map(|row| row.iter().map(|x| f64::from(*x)).chain([1.0])).collect()
}

/// Turns logits into probabilities and returns the logarithm of the sum of their exponentials.
fn softmax(row: &mut [f64]) -> f64 {
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
        let mut chance = SplitMix64::new(5);
        let labels: Vec<usize> = (0..3 * each).map(|i| i % 3).collect();
        let values = labels.iter().flat_map(|&label| {
            let mut row = [0.0_f32; 4];
            row.iter_mut().for_each(|x| *x = (spread * (chance.unit() - 0.5)) as f32);
            row[label] += 1.0;
            row
        });
        (Features::new(values.collect(), 4).unwrap(), labels)
    }

    #[test]
    fn the_slope_is_that_of_the_loss() {
        let (items, labels) = clusters(4, 1.0);
        let weights: Vec<f64> = (0..15).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let mut slope = vec![0.0; 15];
        mean_loss(&weights, &mut slope, &items, &labels, 0.3);
        for i in 0..15 {
            let at = |shift: f64| {
                let mut moved = weights.clone();
                moved[i] += shift;
                mean_loss(&moved, &mut [0.0; 15], &items, &labels, 0.3)
            };
            let expected = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((slope[i] - expected).abs() < 1e-8, "{i}: {} {expected}", slope[i]);
        }
    }

    #[test]
    fn clusters_are_told_apart() {
        let (items, labels) = clusters(20, 0.8);
        let probe = Probe::train(&items, &labels, 3, &ProbeConfig::default()).unwrap();
        assert!(!probe.tried.is_empty());
        let named = probe.predict(&items, &labels).unwrap();
        assert!(named.iter().filter(|p| p.is_right()).count() >= 57);
        assert!(Probe::train(&items, &[0; 60], 3, &ProbeConfig::default()).is_err());
        assert!(Probe::train(&items, &labels, 2, &ProbeConfig::default()).is_err());
    }

    #[test]
    fn a_split_keeps_every_class_first() {
        let labels = [0, 0, 0, 0, 1, 2, 2, 0];
        let [first, second] = split(&labels, 0.4, 1);
        assert_eq!(first.len() + second.len(), 8);
        assert!((0..3).all(|class| first.iter().any(|i| labels[*i] == class)));
        assert_eq!(second.iter().filter(|i| labels[**i] == 0).count(), 2);
        assert_eq!(split(&labels, 0.4, 1), [first, second]);
    }
}
