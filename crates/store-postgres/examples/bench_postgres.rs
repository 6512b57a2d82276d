//! Measures a library in PostgreSQL: insertion, search and recall, with vectors in random clusters.
//!
//! `cargo run --release -p lexiform-store-postgres --example bench_postgres -- COORDINATOR ROWS DIM [SHARD …]`

use std::error::Error;
use std::time::{Duration, Instant};

use lexiform_store::{
    EmbeddingSpace, Filter, IndexState, Payload, Record, RecordId, SearchRequest, VectorStore as _,
};
use lexiform_store_postgres::{PostgresAddress, PostgresStore};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

const CLUSTERS: usize = 1_000;
const QUERIES: usize = 200;
const K: usize = 10;
const BATCH: usize = 10_000;

/// A direction near the center of a cluster.
fn vector(dim: usize, number: usize) -> Vec<f32> {
    let mut center = SmallRng::seed_from_u64((number % CLUSTERS) as u64);
    let mut own = SmallRng::seed_from_u64(1 << 40 | number as u64);
    let values = (0..dim).map(|_| center.random_range(-1.0..1.0) + 0.7 * own.random_range(-1.0..1.0f32));
    let mut vector: Vec<f32> = values.collect();
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}

fn record(dim: usize, number: usize) -> Record {
    let path = format!("folder{}/{number}.glb", number % 20);
    let payload =
        Payload { path, content_hash: number.to_string(), format: "glb".into(), ..Payload::default() };
    Record {
        id: RecordId::derive(&payload.path, &payload.content_hash, 0),
        vector: vector(dim, number),
        payload,
        index_state: IndexState::default(),
        thumbnail: None,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [coordinator, rows, dim, shards @ ..] = &arguments[..] else {
        return Err("expected COORDINATOR ROWS DIM [SHARD …]".into());
    };
    let (rows, dim): (usize, usize) = (rows.parse()?, dim.parse()?);
    let address = PostgresAddress::parse(coordinator)?;
    let shards = shards.iter().map(|shard| PostgresAddress::parse(shard)).collect::<Result<Vec<_>, _>>()?;
    let space = EmbeddingSpace { model: "random".into(), dim, preprocessing: "none".into() };
    if !PostgresStore::exists(&address)? {
        PostgresStore::create(&address, &shards)?;
    }
    let store = PostgresStore::open_or_add_space(&address, &space)?;
    if store.len()? == 0 {
        let start = Instant::now();
        for first in (0..rows).step_by(BATCH) {
            let batch: Vec<Record> =
                (first..rows.min(first + BATCH)).map(|number| record(dim, number)).collect();
            store.upsert(&space, &batch)?;
            println!("{} rows after {:.1} s", store.len()?, start.elapsed().as_secs_f64());
        }
    }
    let vectors: Vec<Vec<f32>> = (0..rows).map(|number| vector(dim, number)).collect();
    for (name, filter) in [
        ("all", None),
        ("5 % by folder", Some("path ~ 'folder7/*'")),
        ("50 %", Some("path ~ 'folder*[02468]/*'")),
    ] {
        measure(&store, &vectors, name, filter)?;
    }
    Ok(())
}

fn measure(
    store: &PostgresStore,
    vectors: &[Vec<f32>],
    name: &str,
    filter: Option<&str>,
) -> Result<(), Box<dyn Error>> {
    let dim = vectors[0].len();
    let filter = filter.map(Filter::parse).transpose()?;
    let (mut times, mut found, mut scores) = (Vec::new(), 0, 0);
    for query in 0..QUERIES {
        let query = vector(dim, vectors.len() + query * 7);
        let request = SearchRequest { filter: filter.clone(), ..SearchRequest::new(query.clone(), K) };
        let start = Instant::now();
        let hits = store.search(&request)?;
        times.push(start.elapsed());
        let mut exact: Vec<(f32, usize)> = vectors
            .iter()
            .enumerate()
            .filter(|(number, _)| {
                let path = format!("folder{}/{number}.glb", number % 20);
                let payload = Payload { path, ..Payload::default() };
                filter.as_ref().is_none_or(|filter| filter.matches(&payload))
            })
            .map(|(number, row)| (row.iter().zip(&query).map(|(a, b)| a * b).sum(), number))
            .collect();
        exact.select_nth_unstable_by(K, |a, b| b.0.total_cmp(&a.0));
        let best: Vec<String> =
            exact[..K].iter().map(|(_, number)| format!("folder{}/{number}.glb", number % 20)).collect();
        found += hits.iter().filter(|hit| best.contains(&hit.payload.path)).count();
        scores += K;
    }
    times.sort();
    let at = |share: f64| ms(times[((times.len() - 1) as f64 * share) as usize]);
    println!(
        "{name}: p50 {:.1} ms, p95 {:.1} ms, recall@{K} {:.4}",
        at(0.5),
        at(0.95),
        f64::from(found as u32) / f64::from(scores as u32)
    );
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
