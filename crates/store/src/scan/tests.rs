//! The scan compared with a naive implementation.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

fn unit(rng: &mut SmallRng, dim: usize) -> Vec<f32> {
    let raw: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
    raw.iter().map(|x| x / norm).collect()
}

fn coded(vectors: &[Vec<f32>]) -> Vec<u8> {
    let mut coded = Vec::new();
    vectors.iter().for_each(|vector| encode(vector, &mut coded));
    coded
}

/// The best `k` rows by exact score, ties by row.
fn naive(vectors: &[Vec<f32>], query: &[f32], k: usize, rows: &[u32]) -> Vec<u32> {
    let mut rows = rows.to_vec();
    rows.sort_by(|a, b| {
        let score = |row: u32| dot_f64(query, &vectors[row as usize]) as f32;
        score(*b).total_cmp(&score(*a)).then(a.cmp(b))
    });
    rows.truncate(k);
    rows
}

#[test]
fn all_of_the_best_are_proposed() {
    let mut rng = SmallRng::seed_from_u64(3);
    for round in 0..120 {
        let dim = rng.random_range(1..80);
        let count = rng.random_range(0..700);
        let mut vectors: Vec<Vec<f32>> = (0..count).map(|_| unit(&mut rng, dim)).collect();
        // Neighbors that differ by less than a code resolves, and exact ties.
        for row in 1..count {
            if rng.random_bool(0.3) {
                vectors[row] = vectors[row - 1].clone();
                vectors[row][0] += rng.random_range(-1e-6..1e-6) * f32::from(rng.random_bool(0.5));
            }
        }
        let dead: Vec<u32> = (0..count as u32).filter(|_| rng.random_bool(0.2)).collect();
        let mut live: Vec<u32> = (0..count as u32).filter(|row| !dead.contains(row)).collect();
        let filtered = rng.random_bool(0.5);
        live.retain(|_| !filtered || rng.random_bool(0.2));
        let (query, k) = (unit(&mut rng, dim), rng.random_range(0..20));
        let expected = naive(&vectors, &query, k, &live);
        let rows = Rows { dim, coded: &coded(&vectors), dead: &dead };
        let only = filtered.then_some(&live[..]);
        let found = candidates(rows, Wanted { query: &query, k, min_score: -2.0, only });
        assert!(expected.iter().all(|row| found.contains(row)), "round {round}");
        assert!(found.is_sorted() && found.iter().all(|row| live.contains(row)), "round {round}");
    }
}

#[test]
fn few_candidates_are_proposed_by_several_threads() {
    let mut rng = SmallRng::seed_from_u64(4);
    // Enough multiplications for several threads.
    let vectors: Vec<Vec<f32>> = (0..70_000).map(|_| unit(&mut rng, 64)).collect();
    let coded = coded(&vectors);
    let dead = [7, 4_000, 69_999];
    let rows = Rows { dim: 64, coded: &coded, dead: &dead };
    let wanted = Wanted { query: &vectors[7], k: 10, min_score: -2.0, only: None };
    let found = candidates(rows, wanted);
    let live: Vec<u32> = (0..70_000).filter(|row| !dead.contains(row)).collect();
    assert!(naive(&vectors, &vectors[7], 10, &live).iter().all(|row| found.contains(row)));
    assert!((10..100).contains(&found.len()), "{}", found.len());
    assert!(!found.contains(&7));
}
