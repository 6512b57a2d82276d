//! Counts for monitoring, in the [text format of Prometheus](https://prometheus.io/docs/instrumenting/exposition_formats/).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use crate::lru::lock;

/// Upper bounds of the histogram, in seconds.
const BUCKETS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Requests by route and status.
#[derive(Default)]
pub(super) struct Metrics(Mutex<BTreeMap<(String, u16), Durations>>);

/// Durations of requests.
#[derive(Default)]
struct Durations {
    count: u64,
    seconds: f64,
    /// Requests up to each bound, not cumulative.
    buckets: [u64; BUCKETS.len()],
}

impl Metrics {
    /// Counts a request.
    pub(super) fn record(&self, route: &str, status: u16, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let mut all = lock(&self.0);
        // Routes, not paths: their number is bounded.
        let entry = all.entry((route.to_owned(), status)).or_default();
        entry.count += 1;
        entry.seconds += seconds;
        if let Some(bucket) = BUCKETS.iter().position(|bound| seconds <= *bound) {
            entry.buckets[bucket] += 1;
        }
    }

    /// Appends the histograms.
    pub(super) fn write(&self, text: &mut String) -> std::fmt::Result {
        let name = "lexiform_http_request_duration_seconds";
        writeln!(text, "# HELP {name} Time until the headers of a response.\n# TYPE {name} histogram")?;
        for ((route, status), durations) in &*lock(&self.0) {
            let labels = format!("route=\"{route}\",status=\"{status}\"");
            let mut below = 0;
            for (bound, count) in BUCKETS.iter().zip(durations.buckets) {
                below += count;
                writeln!(text, "{name}_bucket{{{labels},le=\"{bound}\"}} {below}")?;
            }
            writeln!(text, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", durations.count)?;
            writeln!(text, "{name}_sum{{{labels}}} {:.6}", durations.seconds)?;
            writeln!(text, "{name}_count{{{labels}}} {}", durations.count)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative() {
        let metrics = Metrics::default();
        for milliseconds in [1, 4, 4, 300, 9000] {
            metrics.record("/v1/search", 200, Duration::from_millis(milliseconds));
        }
        let mut text = String::new();
        metrics.write(&mut text).unwrap();
        let value = |bound: &str| {
            let start = format!(
                "lexiform_http_request_duration_seconds_bucket{{route=\"/v1/search\",status=\"200\",le=\"{bound}\"}} "
            );
            text.lines().find_map(|line| line.strip_prefix(&start)).unwrap().parse::<u64>().unwrap()
        };
        assert_eq!(["0.002", "0.005", "0.25", "0.5", "5", "+Inf"].map(value), [1, 3, 3, 4, 4, 5]);
        assert!(text.contains("_sum{route=\"/v1/search\",status=\"200\"} 9.309000"), "{text}");
    }
}
