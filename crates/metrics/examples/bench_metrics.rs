//! Benchmark of evaluation from features: the size of Objaverse-LVIS (46,205 shapes, 1,156 labels) with the dimensions
//! of CLIP models.

#![allow(clippy::print_stdout, reason = "`cargo xtask bench` reads the output")]

use std::time::Instant;

use lexiform_metrics::bootstrap::{ClassificationIntervals, Resampling};
use lexiform_metrics::retrieval::{RetrievalMetrics, retrieve};
use lexiform_metrics::{ClassFeatures, ClassificationMetrics, Features, MetricsError, SplitMix64, zero_shot};

const SHAPES: usize = 46_205;
const LABELS: usize = 1156;
const DIMS: [usize; 3] = [512, 768, 1280];
const REPEATS: usize = 3;

fn main() -> Result<(), MetricsError> {
    for dim in DIMS {
        let (shapes, labels) =
            (random(SHAPES, dim, 1)?, ClassFeatures::from_features(&random(LABELS, dim, 2)?));
        let truth: Vec<usize> = (0..SHAPES).map(|i| i % LABELS).collect();
        let (predictions, numbers) =
            timed(&format!("zero-shot from features, 46,205 × 1,156 × {dim}"), || {
                let predictions = zero_shot(&shapes, &labels, &truth)?;
                let numbers = ClassificationMetrics::from_predictions(&predictions, LABELS)?;
                Ok((predictions, numbers))
            })?;
        if dim == DIMS[DIMS.len() - 1] {
            timed("intervals, 1,000 draws of 46,205", || {
                Ok(ClassificationIntervals::from_predictions(&predictions, &numbers, Resampling::default()))
            })?;
        }
    }
    let (queries, gallery) = (random(5000, 512, 3)?, random(20_000, 512, 4)?);
    let right: Vec<Vec<usize>> = (0..5000).map(|i| vec![i, i + 5000]).collect();
    timed("retrieval, 5,000 queries × 20,000 × 512", || {
        RetrievalMetrics::from_results(&retrieve(&queries, &gallery, &right)?, gallery.rows())
    })?;
    Ok(())
}

fn random(rows: usize, dim: usize, seed: u64) -> Result<Features, MetricsError> {
    let mut rng = SplitMix64::new(seed);
    Features::new((0..rows * dim).map(|_| rng.next_f64() as f32 - 0.5).collect(), dim)
}

/// Prints the median time of a few runs.
fn timed<T>(what: &str, run: impl Fn() -> Result<T, MetricsError>) -> Result<T, MetricsError> {
    let mut times = Vec::new();
    let mut result = run()?;
    for _ in 0..REPEATS {
        let start = Instant::now();
        result = run()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("{{\"what\": \"{what}\", \"milliseconds\": {:.2}}}", times[times.len() / 2]);
    Ok(result)
}
