//! Times filling, opening and searching a library of random vectors.
//!
//! `cargo run --release -p lexiform-store --example bench_scan -- [RECORDS DIM]...` (default: 10000 256 200000 512)
#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::path::Path;
use std::time::Instant;

use lexiform_store::{
    EmbeddingSpace, Filter, IndexState, Payload, Record, RecordId, SearchRequest, SqliteStore, StoreError,
    VectorStore,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

const RUNS: usize = 15;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sizes: Vec<usize> =
        std::env::args().skip(1).map(|size| size.parse()).collect::<Result<_, _>>()?;
    if sizes.is_empty() {
        sizes = vec![10_000, 256, 200_000, 512];
    }
    for size in sizes.chunks_exact(2) {
        let folder = tempfile::tempdir()?;
        measure(folder.path(), size[0], size[1])?;
    }
    Ok(())
}

fn measure(folder: &Path, count: usize, dim: usize) -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = SmallRng::seed_from_u64(1);
    let start = Instant::now();
    fill(folder, count, dim, &mut rng)?;
    report(&format!("fill {count} x {dim}"), start.elapsed().as_secs_f64());
    let filter = Filter::parse("format = glb and triangles < 1000")?;
    let cold = median(|| {
        let request = SearchRequest::new(unit(&mut rng, dim), 10);
        let start = Instant::now();
        SqliteStore::open(folder)?.search(&request)?;
        Ok(start.elapsed().as_secs_f64())
    })?;
    let store = SqliteStore::open(folder)?;
    store.search(&SearchRequest::new(unit(&mut rng, dim), 10))?;
    let warm = median(|| {
        let request = SearchRequest::new(unit(&mut rng, dim), 10);
        let start = Instant::now();
        store.search(&request)?;
        Ok(start.elapsed().as_secs_f64())
    })?;
    let filtered = median(|| {
        let request =
            SearchRequest { filter: Some(filter.clone()), ..SearchRequest::new(unit(&mut rng, dim), 10) };
        let start = Instant::now();
        store.search(&request)?;
        Ok(start.elapsed().as_secs_f64())
    })?;
    report(&format!("open and scan {count} x {dim}"), cold);
    report(&format!("scan {count} x {dim}"), warm);
    report(&format!("filtered scan {count} x {dim}"), filtered);
    Ok(())
}

/// One line of JSON, as `cargo xtask bench` reads them.
fn report(what: &str, seconds: f64) {
    println!("{{\"what\": \"{what}\", \"milliseconds\": {:.3}}}", seconds * 1e3);
}

/// Median of some runs, in seconds.
fn median(mut seconds: impl FnMut() -> Result<f64, StoreError>) -> Result<f64, StoreError> {
    let mut all: Vec<f64> = (0..RUNS).map(|_| seconds()).collect::<Result<_, _>>()?;
    all.sort_by(f64::total_cmp);
    Ok(all[RUNS / 2])
}

fn fill(folder: &Path, count: usize, dim: usize, rng: &mut SmallRng) -> Result<(), StoreError> {
    let space = EmbeddingSpace { model: "random".into(), dim, preprocessing: "none".into() };
    let store = SqliteStore::open_or_create(folder, &space)?;
    store.upsert_from(&space, &mut (0..count).map(|number| Ok(record(number, dim, rng))))?;
    Ok(())
}

fn record(number: usize, dim: usize, rng: &mut SmallRng) -> Record {
    let path = format!("folder {}/model {number}.glb", number % 100);
    let payload = Payload {
        content_hash: format!("{number:064x}"),
        format: if number.is_multiple_of(2) { "glb" } else { "stl" }.into(),
        triangles: rng.random_range(0..20_000),
        extents: [1.0; 3],
        modified_ns: Some(0),
        path,
        ..Payload::default()
    };
    let id = RecordId::derive(&payload.path, &payload.content_hash, 0);
    let thumbnail = Some(vec![0; 4_000]);
    Record { id, vector: unit(rng, dim), payload, index_state: IndexState::default(), thumbnail }
}

fn unit(rng: &mut SmallRng, dim: usize) -> Vec<f32> {
    let raw: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
    raw.iter().map(|x| x / norm).collect()
}
