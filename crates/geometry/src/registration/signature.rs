//! A shape descriptor that is invariant to translation, rotation, mirroring, scale and triangulation.
//!
//! Four kinds of features, all of points sampled uniformly from the surface: fractions of the variance along the principal
//! axes; quantiles of distances to the mean; a histogram of distances between pairs of points (D2; [Osada et al. 2002]); and,
//! for each shell around the mean, the energy of each degree of spherical harmonics ([Kazhdan et al. 2003]). The last are
//! computed as means of Legendre polynomials over pairs of points, which is equal by the addition theorem.
//!
//! [Osada et al. 2002]: https://doi.org/10.1145/571647.571648
//! [Kazhdan et al. 2003]: https://doi.org/10.2312/SGP/SGP03/156-165

use glam::Vec3;

use super::canonical::{CanonicalShape, POINTS};

/// Quantiles of distances to the mean.
const RADIUS_QUANTILES: usize = 16;
/// Bins of the cumulative histogram of pair distances …
const DISTANCE_BINS: usize = 24;
/// … up to this distance.
const MAX_PAIR_DISTANCE: f32 = 3.6;
/// Shells of equal area around the mean.
const SHELLS: usize = 4;
/// Degrees of spherical harmonics, starting at 1.
const DEGREES: usize = 8;
/// Points of each set used for pairs.
const PAIR_POINTS: usize = POINTS / 2;
/// Variance fractions are less noisy than the other features.
const VARIANCE_WEIGHT: f32 = 2.0;

/// Length of a signature.
const LENGTH: usize = 3 + RADIUS_QUANTILES + DISTANCE_BINS + SHELLS * DEGREES;

/// An invariant shape descriptor. Mirror images have the same signature.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature([f32; LENGTH]);

impl Signature {
    /// Number of values.
    pub const LENGTH: usize = LENGTH;
    /// Changes whenever the values of the same shape change.
    pub const VERSION: u32 = 2;

    pub(super) fn of(shape: &CanonicalShape) -> Self {
        let variance_ratios = shape.variance_ratios.into_iter().map(|share| share as f32 * VARIANCE_WEIGHT);
        let (query_points, targets) =
            (by_radius(&shape.query_points), by_radius(&shape.coarse_targets.points));
        let numbers = variance_ratios
            .chain(radii(&query_points))
            .chain(pair_distances(shape))
            .chain(harmonic_energies(&query_points, &targets));
        let mut list = [0.0; LENGTH];
        list.iter_mut().zip(numbers).for_each(|(slot, number)| *slot = number);
        Self(list)
    }

    /// The values.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The signature with these values; `None` if the length is wrong or one is not finite.
    pub fn from_slice(numbers: &[f32]) -> Option<Self> {
        let list: [f32; LENGTH] = numbers.try_into().ok()?;
        list.iter().all(|number| number.is_finite()).then_some(Self(list))
    }

    /// RMS difference of two signatures.
    pub fn distance(&self, other: &Self) -> f32 {
        let squares = self.0.iter().zip(&other.0).map(|(a, b)| (a - b) * (a - b));
        (squares.sum::<f32>() / LENGTH as f32).sqrt()
    }
}

/// Points and their distances to the mean, nearest first.
fn by_radius(points: &[Vec3]) -> Vec<(f32, Vec3)> {
    let mut list: Vec<(f32, Vec3)> = points.iter().map(|p| (p.length(), *p)).collect();
    list.sort_by(|a, b| a.0.total_cmp(&b.0));
    list
}

fn radii(points: &[(f32, Vec3)]) -> impl Iterator<Item = f32> + '_ {
    (0..RADIUS_QUANTILES).map(|i| points[(2 * i + 1) * points.len() / (2 * RADIUS_QUANTILES)].0)
}

/// Fractions of pairs that are closer than each bin's end.
fn pair_distances(shape: &CanonicalShape) -> [f32; DISTANCE_BINS] {
    let mut counts = [0_u32; DISTANCE_BINS + 1];
    for a in shape.query_points.iter().take(PAIR_POINTS) {
        for b in shape.coarse_targets.points.iter().take(PAIR_POINTS) {
            let step = (a.distance(*b) * (DISTANCE_BINS as f32 / MAX_PAIR_DISTANCE)) as usize;
            counts[step.min(DISTANCE_BINS)] += 1;
        }
    }
    let pairs: u32 = counts.iter().sum();
    let mut below = 0;
    std::array::from_fn(|i| {
        below += counts[i];
        below as f32 / pairs.max(1) as f32
    })
}

/// Energy of each degree in the directions of each shell.
fn harmonic_energies(query_points: &[(f32, Vec3)], targets: &[(f32, Vec3)]) -> impl Iterator<Item = f32> {
    let shell = |points: &[(f32, Vec3)], index: usize| -> Vec<Vec3> {
        let size = points.len() / SHELLS;
        let every = (POINTS / PAIR_POINTS).max(1);
        let points = points[index * size..(index + 1) * size].iter().step_by(every);
        points.map(|(_, p)| p.normalize_or_zero()).collect()
    };
    let harmonic_energies: Vec<[f32; DEGREES]> =
        (0..SHELLS).map(|i| legendre_means(&shell(query_points, i), &shell(targets, i))).collect();
    harmonic_energies.into_iter().flatten()
}

/// Means of the Legendre polynomials of degree 1 and up over the cosines between two lists of directions.
fn legendre_means(a: &[Vec3], b: &[Vec3]) -> [f32; DEGREES] {
    let mut sums = [0.0_f64; DEGREES];
    for from in a {
        let mut row = [0.0_f32; DEGREES];
        for to in b {
            let x = from.dot(*to);
            let (mut last, mut this) = (1.0, x);
            for (degree, sum) in row.iter_mut().enumerate() {
                *sum += this;
                // Bonnet's recursion: (l + 1) P(l+1) = (2l + 1) x P(l) − l P(l−1).
                let l = (degree + 1) as f32;
                (last, this) = (this, ((2.0 * l + 1.0) * x * this - l * last) / (l + 1.0));
            }
        }
        sums.iter_mut().zip(row).for_each(|(sum, row)| *sum += f64::from(row));
    }
    let pairs = (a.len() * b.len()).max(1) as f64;
    sums.map(|sum| (sum / pairs) as f32)
}
