//! Feature rows: means, dot products, and bytes in files and messages.

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

/// Dot product, in as many partial sums as a vector register holds.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Numbers as little-endian bytes.
pub(crate) fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Numbers from little-endian bytes.
pub(crate) fn to_floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
