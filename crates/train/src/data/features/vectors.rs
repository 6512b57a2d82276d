//! Arithmetic on feature rows: means and nearest neighbors.

use rayon::prelude::*;

/// Mean of some rows of `[rows, dim]`, not normalized, as in Duoduo CLIP; empty without rows.
pub(crate) fn mean_rows(rows: &[f32], dim: usize, which: &[usize]) -> Vec<f32> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut mean = vec![0.0f32; dim];
    for row in which {
        mean.iter_mut().zip(&rows[row * dim..(row + 1) * dim]).for_each(|(m, x)| *m += x);
    }
    mean.into_iter().map(|x| x / which.len().max(1) as f32).collect()
}

/// Mean of all rows of `[rows, dim]`, normalized to unit length.
pub(crate) fn unit_mean(rows: &[f32], dim: usize) -> Vec<f32> {
    let mut sum = vec![0.0f32; dim];
    for row in rows.chunks(dim.max(1)) {
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
    }
    let norm = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
    sum.into_iter().map(|x| x / norm).collect()
}

/// For each vector the others by descending dot product, at most `count`; ties by index.
pub(crate) fn nearest_neighbors(unit_means: &[Vec<f32>], count: usize) -> Vec<Vec<usize>> {
    let near = |i: usize| {
        let mut others: Vec<(f32, usize)> = (0..unit_means.len())
            .filter(|j| *j != i)
            .map(|j| (unit_means[i].iter().zip(&unit_means[j]).map(|(a, b)| a * b).sum(), j))
            .collect();
        // Total order: equal similarities must not depend on the sort.
        others.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        others.into_iter().take(count).map(|(_, j)| j).collect()
    };
    (0..unit_means.len()).into_par_iter().map(near).collect()
}
