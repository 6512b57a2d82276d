//! The scan compared with a naive implementation.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

fn unit(rng: &mut SmallRng, dim: usize) -> Vec<f32> {
    let raw: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    let norm = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
    raw.iter().map(|x| x / norm).collect()
}

fn id(number: usize) -> RecordId {
    RecordId::new(number as u64).unwrap()
}

/// The best `k` rows by exact score, ties by row.
fn naive(vectors: &[Vec<f32>], query: &[f32], k: usize, only: Option<&[u32]>) -> Vec<u32> {
    let all: Vec<u32> = (0..vectors.len() as u32).collect();
    let mut rows = only.unwrap_or(&all).to_vec();
    rows.sort_by(|a, b| {
        let score = |row: u32| dot_f64(query, &vectors[row as usize]) as f32;
        score(*b).total_cmp(&score(*a)).then(a.cmp(b))
    });
    rows.truncate(k);
    rows
}

#[test]
fn every_precision_proposes_all_of_the_best() {
    let mut rng = SmallRng::seed_from_u64(3);
    for round in 0..60 {
        let dim = rng.random_range(1..80);
        let count = rng.random_range(0..700);
        let mut vectors: Vec<Vec<f32>> = (0..count).map(|_| unit(&mut rng, dim)).collect();
        // Neighbors that differ by less than any precision resolves, and exact ties.
        for row in 1..count {
            if rng.random_bool(0.3) {
                vectors[row] = vectors[row - 1].clone();
                vectors[row][0] += rng.random_range(-1e-6..1e-6) * f32::from(rng.random_bool(0.5));
            }
        }
        let only: Option<Vec<u32>> =
            rng.random_bool(0.5).then(|| (0..count as u32).filter(|_| rng.random_bool(0.2)).collect());
        let (query, k) = (unit(&mut rng, dim), rng.random_range(0..20));
        let expected = naive(&vectors, &query, k, only.as_deref());
        for precision in [Precision::F32, Precision::F16, Precision::Int8] {
            let mut matrix = Matrix::new(dim, precision, count);
            vectors.iter().enumerate().for_each(|(row, vector)| matrix.push(id(row), vector));
            let found = matrix.candidates(&query, k, -2.0, only.as_deref());
            assert!(expected.iter().all(|row| found.contains(row)), "round {round}, {precision:?}");
            assert!(
                found.is_sorted() && only.as_ref().is_none_or(|only| found.iter().all(|r| only.contains(r)))
            );
        }
    }
}

#[test]
fn few_candidates_are_proposed() {
    let mut rng = SmallRng::seed_from_u64(4);
    let vectors: Vec<Vec<f32>> = (0..2_000).map(|_| unit(&mut rng, 64)).collect();
    for (precision, limit) in [(Precision::F32, 12), (Precision::F16, 20), (Precision::Int8, 60)] {
        let mut matrix = Matrix::new(64, precision, 0);
        vectors.iter().enumerate().for_each(|(row, vector)| matrix.push(id(row), vector));
        let found = matrix.candidates(&vectors[7], 10, -2.0, None);
        assert!((10..limit).contains(&found.len()), "{precision:?}: {}", found.len());
    }
}

#[test]
fn removed_rows_are_gone() {
    for precision in [Precision::F32, Precision::F16, Precision::Int8] {
        let mut matrix = Matrix::new(2, precision, 0);
        for (row, vector) in [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]].iter().enumerate() {
            matrix.push(id(row), vector);
        }
        assert_eq!(matrix.row(id(2)), Some(2));
        matrix.swap_remove(0);
        assert_eq!((matrix.len(), matrix.row(id(0)), matrix.row(id(2))), (2, None, Some(0)));
        assert_eq!(matrix.candidates(&[-1.0, 0.0], 1, -2.0, None), [0]);
        matrix.push(id(9), &[1.0, 0.0]);
        assert_eq!(matrix.candidates(&[1.0, 0.0], 1, -2.0, None), [2]);
        assert_eq!(matrix.row(id(9)), Some(2));
    }
}

#[test]
fn the_kth_largest_is_found_among_negatives_too() {
    let values = [-0.5, 0.25, -1.0, 0.25, 0.0];
    let kth = |k: usize| kth_largest(k, values.iter().copied());
    assert_eq!(
        [kth(1), kth(2), kth(3), kth(5), kth(6)],
        [Some(0.25), Some(0.25), Some(0.0), Some(-1.0), None]
    );
}
