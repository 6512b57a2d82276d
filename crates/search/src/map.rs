//! A map of a library: a place in the plane for each embedding, near to those of its nearest neighbors.
//!
//! Embeddings are projected on their principal components, neighbors are found there, and places start at the first two components.
//! Then neighbors attract and random others repel each other, as in [LargeVis](https://arxiv.org/abs/1602.00370) and
//! [UMAP](https://arxiv.org/abs/1802.03426), section 4.2, with the curve `1 / (1 + d²)`.

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use rayon::prelude::*;

/// Principal components in which neighbors are found.
const COMPONENTS: usize = 32;
/// Rounds of subspace iteration: the spectra of embeddings fall quickly.
const ROUNDS: usize = 12;
/// Neighbors of an embedding.
const NEIGHBORS: usize = 12;
/// Passes over all pairs of neighbors.
const EPOCHS: usize = 200;
/// Places that repel for each one that attracts.
const NEGATIVES: usize = 4;
/// Longest step of a place, in the unit of the map: most are a tenth of it.
const MAX_STEP: f32 = 4.0;
/// Side of the square in which places start.
const START_SIZE: f32 = 10.0;

/// A place in the unit square for each embedding; the larger side of all places together is 1. The same embeddings give the same map.
///
/// Takes about `n²` distances of 32 numbers and `n` × 12,000 steps: 2 s for 10,000 embeddings on two cores.
///
/// ```
/// use lexiform_search::neighbor_map;
///
/// let places = neighbor_map(&[vec![1.0, 0.0], vec![0.9, 0.1], vec![0.0, 1.0]]);
/// let distance = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
/// assert!(distance(places[0], places[1]) < distance(places[0], places[2]));
/// ```
pub fn neighbor_map(embeddings: &[Vec<f32>]) -> Vec<[f32; 2]> {
    let components = principal_components(embeddings);
    let pairs = neighbor_pairs(&components);
    let mut places = first_places(&components);
    let mut rng = SmallRng::seed_from_u64(0);
    for epoch in 0..EPOCHS {
        let rate = 1.0 - epoch as f32 / EPOCHS as f32;
        for &(a, b) in &pairs {
            pull(&mut places, a, b, rate);
            for _ in 0..NEGATIVES {
                let other = rng.random_range(0..places.len());
                push(&mut places, a, other, rate);
            }
        }
    }
    into_unit_square(&mut places);
    places
}

/// The embeddings on their principal components, up to [`COMPONENTS`] of them.
fn principal_components(embeddings: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let Some(dim) = embeddings.first().map(Vec::len) else { return Vec::new() };
    let mut mean = vec![0.0; dim];
    for row in embeddings {
        mean.iter_mut().zip(row).for_each(|(sum, x)| *sum += x / embeddings.len() as f32);
    }
    let centered: Vec<Vec<f32>> =
        embeddings.par_iter().map(|row| row.iter().zip(&mean).map(|(x, mean)| x - mean).collect()).collect();
    let mut rng = SmallRng::seed_from_u64(1);
    let mut basis: Vec<Vec<f32>> =
        (0..COMPONENTS.min(dim)).map(|_| (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect()).collect();
    orthonormalize(&mut basis);
    for _ in 0..ROUNDS {
        // Covariance times basis, without the covariance.
        basis = basis
            .par_iter()
            .map(|direction| {
                let mut sum = vec![0.0; dim];
                for row in &centered {
                    let along = dot(row, direction);
                    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += along * x);
                }
                sum
            })
            .collect();
        orthonormalize(&mut basis);
    }
    let project = |row: &Vec<f32>| basis.iter().map(|direction| dot(row, direction)).collect();
    centered.par_iter().map(project).collect()
}

/// Makes vectors orthogonal and of unit length, in order; those without a direction of their own are dropped.
fn orthonormalize(basis: &mut Vec<Vec<f32>>) {
    let mut kept: Vec<Vec<f32>> = Vec::with_capacity(basis.len());
    for mut vector in basis.drain(..) {
        let before = dot(&vector, &vector).sqrt();
        // Twice: once leaves rounding errors of what was large.
        for _ in 0..2 {
            for other in &kept {
                let along = dot(&vector, other);
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= along * y);
            }
        }
        let length = dot(&vector, &vector).sqrt();
        if length > 1e-6 * before && length > f32::MIN_POSITIVE {
            vector.iter_mut().for_each(|x| *x /= length);
            kept.push(vector);
        }
    }
    *basis = kept;
}

/// Each row with each of its nearest ones.
fn neighbor_pairs(rows: &[Vec<f32>]) -> Vec<(usize, usize)> {
    // At most half of the rows: a few would all be neighbors of one another.
    let count = NEIGHBORS.min(rows.len() / 2);
    if count == 0 {
        return Vec::new();
    }
    let nearest = |a: usize| {
        let mut others: Vec<(f32, usize)> =
            (0..rows.len()).filter(|b| *b != a).map(|b| (squared_distance(&rows[a], &rows[b]), b)).collect();
        others.select_nth_unstable_by(count - 1, |x, y| x.0.total_cmp(&y.0).then(x.1.cmp(&y.1)));
        others.truncate(count);
        others.into_iter().map(move |(_, b)| (a, b)).collect::<Vec<_>>()
    };
    (0..rows.len()).into_par_iter().flat_map_iter(nearest).collect()
}

/// The first two components, in a square of side [`START_SIZE`]; equal rows lie a little apart.
fn first_places(components: &[Vec<f32>]) -> Vec<[f32; 2]> {
    let mut rng = SmallRng::seed_from_u64(2);
    let mut places: Vec<[f32; 2]> = (components.iter())
        .map(|row| [0, 1].map(|axis| row.get(axis).copied().unwrap_or_default()))
        .collect();
    into_unit_square(&mut places);
    for place in &mut places {
        *place = place.map(|x| START_SIZE * x + rng.random_range(-0.01..0.01));
    }
    places
}

/// Moves two places toward each other.
fn pull(places: &mut [[f32; 2]], a: usize, b: usize, rate: f32) {
    let (difference, squared) = between(places, a, b);
    let strength = -2.0 / (1.0 + squared);
    shift(places, a, difference, strength * rate);
    shift(places, b, difference, -strength * rate);
}

/// Moves the first place away from the second one.
fn push(places: &mut [[f32; 2]], a: usize, b: usize, rate: f32) {
    if a == b {
        return;
    }
    let (difference, squared) = between(places, a, b);
    // Bounded where both are at the same place.
    let strength = 2.0 / ((0.01 + squared) * (1.0 + squared));
    shift(places, a, difference, strength * rate);
}

/// The difference of two places, and its squared length.
fn between(places: &[[f32; 2]], a: usize, b: usize) -> ([f32; 2], f32) {
    let difference = [places[a][0] - places[b][0], places[a][1] - places[b][1]];
    (difference, difference[0] * difference[0] + difference[1] * difference[1])
}

fn shift(places: &mut [[f32; 2]], at: usize, difference: [f32; 2], factor: f32) {
    for axis in 0..2 {
        places[at][axis] += (factor * difference[axis]).clamp(-MAX_STEP, MAX_STEP);
    }
}

fn into_unit_square(places: &mut [[f32; 2]]) {
    let bounds = |axis: usize| {
        let values = places.iter().map(|place| place[axis]);
        values.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
    };
    let [[left, right], [top, bottom]] = [bounds(0), bounds(1)];
    let size = (right - left).max(bottom - top).max(f32::MIN_POSITIVE);
    for place in places {
        *place = [(place[0] - left) / size, (place[1] - top) / size];
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clusters around random unit vectors, one after the other.
    fn clusters(count: usize, each: usize, dim: usize) -> Vec<Vec<f32>> {
        let mut rng = SmallRng::seed_from_u64(7);
        let mut unit = |center: Option<&[f32]>| -> Vec<f32> {
            let spread = if center.is_some() { 0.1 } else { 1.0 };
            let mut vector: Vec<f32> = (0..dim)
                .map(|i| center.map_or(0.0, |c| c[i]) + spread * rng.random_range(-1.0_f32..1.0))
                .collect();
            let length = dot(&vector, &vector).sqrt();
            vector.iter_mut().for_each(|x| *x /= length);
            vector
        };
        let centers: Vec<Vec<f32>> = (0..count).map(|_| unit(None)).collect();
        centers.iter().flat_map(|center| (0..each).map(|_| unit(Some(center))).collect::<Vec<_>>()).collect()
    }

    #[test]
    fn neighbors_stay_together_and_others_apart() {
        let (count, each) = (12, 30);
        let places = neighbor_map(&clusters(count, each, 64));
        let distance = |a: usize, b: usize| {
            let [x, y] = [places[a][0] - places[b][0], places[a][1] - places[b][1]];
            x.hypot(y)
        };
        let right = |a: usize| {
            let mut others: Vec<usize> = (0..places.len()).filter(|b| *b != a).collect();
            others.sort_by(|x, y| distance(a, *x).total_cmp(&distance(a, *y)));
            others[..5].iter().filter(|b| **b / each == a / each).count()
        };
        let together: usize = (0..places.len()).map(right).sum();
        assert!(together as f64 > 0.98 * (5 * places.len()) as f64, "{together} of {}", 5 * places.len());
    }

    #[test]
    fn places_fill_the_unit_square_and_are_the_same_again() {
        let embeddings = clusters(3, 20, 16);
        let places = neighbor_map(&embeddings);
        let largest = places.iter().flatten().copied().fold(0.0, f32::max);
        assert!(places.iter().flatten().all(|x| (0.0..=1.0).contains(x)));
        assert!((largest - 1.0).abs() < 1e-6, "{largest}");
        assert_eq!(places, neighbor_map(&embeddings));
    }

    #[test]
    fn few_and_equal_embeddings_have_places_too() {
        assert!(neighbor_map(&[]).is_empty());
        for count in [1, 2, 3, 40] {
            let places = neighbor_map(&vec![vec![0.6, 0.8]; count]);
            assert_eq!(places.len(), count);
            assert!(places.iter().flatten().all(|x| x.is_finite()), "{places:?}");
        }
    }
}
