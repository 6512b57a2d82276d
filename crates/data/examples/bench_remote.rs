//! Benchmarks reading a data set in a folder or an object store, and copying it there and back:
//!
//! ```bash
//! cargo run --release -p lexiform-data --features cloud --example bench_remote -- SET [file:///SET] [s3://bucket/new]
//! ```
//!
//! The first argument is a folder. For each location it reads random views (1 to 6 of a shape per call) and whole random shapes, on 1 and
//! 16 threads, then verifies all shards. Object stores get a copy of the folder first, which is copied back at the end.
#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::path::Path;
use std::time::Instant;

use lexiform_data::{DataError, Dataset, copy, is_remote, verify};
use rand::rngs::SmallRng;
use rand::seq::index;
use rand::{Rng, SeedableRng};
use rayon::prelude::*;

type Any = Box<dyn std::error::Error + Send + Sync>;

/// Number of random shapes, sampled with replacement.
const REQUESTS: usize = 500;
/// Numbers of threads: latency hides behind concurrent requests.
const THREADS: [usize; 2] = [1, 16];

/// A shape and some of its views.
type Request = (usize, Vec<usize>);

/// Amount of data that was read.
#[derive(Clone, Copy, Default)]
struct Throughput {
    bytes: usize,
    files: usize,
}

fn main() -> Result<(), Any> {
    let places: Vec<String> = std::env::args().skip(1).collect();
    let folder = Path::new(places.first().ok_or("expected a data set, and more places")?);
    println!("| place | what | s | MB/s | files/s |\n|---|---|---|---|---|");
    for place in places.iter().map(Path::new) {
        if is_remote(place) {
            copied(place, "copied there", || copy(folder, place, &mut |_, _, _| {}))?;
        }
        read(place)?;
        time(place, "verified", || {
            let faults = verify(place, &|_| {})?;
            let bytes = Dataset::open(place)?.manifest().bytes as usize;
            if faults.is_empty() {
                Ok(Throughput { bytes, files: 0 })
            } else {
                Err(format!("{faults:?}").into())
            }
        })?;
        if is_remote(place) {
            let back = std::env::temp_dir().join(format!("bench_remote-{}", std::process::id()));
            copied(place, "copied back", || copy(place, &back, &mut |_, _, _| {}))?;
            std::fs::remove_dir_all(&back)?;
        }
    }
    Ok(())
}

fn copied(
    place: &Path,
    what: &str,
    run: impl FnOnce() -> Result<lexiform_data::CopySummary, DataError>,
) -> Result<(), Any> {
    time(place, what, || {
        let copied = run()?;
        Ok(Throughput { bytes: copied.bytes as usize, files: copied.files })
    })
}

/// Random reads on few and on many threads.
fn read(place: &Path) -> Result<(), Any> {
    let set = Dataset::open(place)?;
    let mut rng = SmallRng::seed_from_u64(1);
    let draw = |_| {
        let shape = rng.random_range(0..set.len());
        let of: Vec<usize> = set.view_indices(shape).collect();
        let count = rng.random_range(1..=of.len().clamp(1, 6)).min(of.len());
        let mut views: Vec<usize> = index::sample(&mut rng, of.len(), count).iter().map(|i| of[i]).collect();
        views.sort_unstable();
        (shape, views)
    };
    let plan: Vec<Request> = (0..REQUESTS).map(draw).collect();
    let views = |(shape, views): &Request| {
        let files = set.views(*shape, views)?;
        Ok(Throughput { bytes: files.iter().map(Vec::len).sum(), files: files.len() })
    };
    let shapes = |(shape, _): &Request| {
        let members = set.shape(*shape)?.members;
        Ok(Throughput { bytes: members.iter().map(|member| member.bytes.len()).sum(), files: 1 })
    };
    for threads in THREADS {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        let all = |one: &(dyn Fn(&Request) -> Result<Throughput, DataError> + Sync)| {
            pool.install(|| {
                plan.par_iter().with_max_len(1).map(one).try_reduce(Throughput::default, |a, b| Ok(a.and(b)))
            })
        };
        time(place, &format!("views, {threads} threads"), || Ok(all(&views)?))?;
        time(place, &format!("whole shapes, {threads} threads"), || Ok(all(&shapes)?))?;
    }
    Ok(())
}

impl Throughput {
    fn and(self, other: Self) -> Self {
        Self { bytes: self.bytes + other.bytes, files: self.files + other.files }
    }
}

fn time(place: &Path, what: &str, run: impl FnOnce() -> Result<Throughput, Any>) -> Result<(), Any> {
    let start = Instant::now();
    let got = run()?;
    let seconds = start.elapsed().as_secs_f64();
    let rate = |n: f64| n / seconds;
    println!(
        "| {} | {what} | {seconds:.2} | {:.1} | {:.0} |",
        place.display(),
        rate(got.bytes as f64 / 1e6),
        rate(got.files as f64)
    );
    Ok(())
}
