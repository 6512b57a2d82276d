//! Helpers of the benchmarks.

use std::time::Instant;

/// Runs once for nothing, then `repeats` times, and prints the median as one JSON line.
#[expect(clippy::print_stdout, reason = "a benchmark reports on standard output")]
pub fn measure<T>(what: &str, repeats: usize, mut run: impl FnMut() -> T) {
    run();
    let mut times: Vec<f64> = (0..repeats)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{{\"what\": \"{what}\", \"milliseconds\": {:.3}}}", times[times.len() / 2]);
}
