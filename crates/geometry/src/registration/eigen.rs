//! Eigenvalues and eigenvectors of small symmetric matrices by the [Jacobi method].
//!
//! [Jacobi method]: https://en.wikipedia.org/wiki/Jacobi_eigenvalue_algorithm

/// More sweeps than a matrix of this size ever needs.
const MAX_SWEEPS: usize = 30;

/// Eigenvalues, largest first, each with its unit eigenvector.
pub(super) fn eigen<const N: usize>(mut matrix: [[f64; N]; N]) -> [(f64, [f64; N]); N] {
    let mut vectors = [[0.0; N]; N];
    for (i, row) in vectors.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for _ in 0..MAX_SWEEPS {
        let mut turned = false;
        for p in 0..N {
            for q in p + 1..N {
                turned |= jacobi_rotate(&mut matrix, &mut vectors, p, q);
            }
        }
        if !turned {
            break;
        }
    }
    let mut pairs = std::array::from_fn(|i| (matrix[i][i], vectors[i]));
    pairs.sort_by(|a: &(f64, [f64; N]), b| b.0.total_cmp(&a.0));
    pairs
}

/// Rotates in the plane of two axes so that their off-diagonal element becomes 0; `false` if it is negligible already. Rows
/// of `vectors` are the eigenvectors.
fn jacobi_rotate<const N: usize>(
    matrix: &mut [[f64; N]; N],
    vectors: &mut [[f64; N]; N],
    p: usize,
    q: usize,
) -> bool {
    let off = matrix[p][q];
    if off.abs() <= f64::EPSILON * (matrix[p][p].abs() + matrix[q][q].abs()) || !off.is_finite() {
        return false;
    }
    // The smaller of the two possible angles, computed without cancellation (Golub and Van Loan, section 8.5).
    let theta = (matrix[q][q] - matrix[p][p]) / (2.0 * off);
    let tangent = 1.0_f64.copysign(theta) / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
    let sine = tangent * cosine;
    for row in matrix.iter_mut() {
        (row[p], row[q]) = (cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]);
    }
    for k in 0..N {
        let (a, b) = (matrix[p][k], matrix[q][k]);
        (matrix[p][k], matrix[q][k]) = (cosine * a - sine * b, sine * a + cosine * b);
        let (a, b) = (vectors[p][k], vectors[q][k]);
        (vectors[p][k], vectors[q][k]) = (cosine * a - sine * b, sine * a + cosine * b);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_axes_of_a_turned_matrix() {
        let matrix = [[2.0, 1.0, 0.5], [1.0, 3.0, -0.25], [0.5, -0.25, 1.0]];
        let pairs = eigen(matrix);
        assert!(pairs.windows(2).all(|pair| pair[0].0 >= pair[1].0));
        for (value, vector) in pairs {
            for (row, along) in matrix.iter().zip(vector) {
                let image: f64 = row.iter().zip(vector).map(|(m, v)| m * v).sum();
                assert!((image - value * along).abs() < 1e-12);
            }
            assert!((vector.iter().map(|v| v * v).sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn odd_matrices_end() {
        assert_eq!(eigen([[0.0; 3]; 3]).map(|pair| pair.0), [0.0; 3]);
        eigen([[f64::NAN; 4]; 4]);
    }
}
