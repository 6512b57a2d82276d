//! Mean and covariance of a shape: integrals over its triangles, which are independent of the triangulation, and sums over
//! its points.

use std::f64::consts::PI;

use glam::{DMat3, DVec3};

use super::eigen::eigen;
use crate::Scene;

/// Points next to triangles weigh at least this fraction of their area, so that a few points far away still count.
const MIN_POINT_WEIGHT: f64 = 1.0 / 64.0;

/// Mean and covariance of triangles and points.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) mean: DVec3,
    /// RMS distance to `mean`.
    pub(super) rms_radius: f64,
    /// Principal axes as rows, by decreasing variance; right-handed.
    pub(super) axes: DMat3,
    /// Fractions of the variance along the axes; sum 1.
    pub(super) variance_ratios: [f64; 3],
    /// Weight of points rather than triangles, from 0 to 1.
    pub(super) point_fraction: f64,
}

/// Sums over weighted points.
#[derive(Default)]
struct Sums {
    weight: f64,
    first: DVec3,
    /// Of products of coordinates: columns of a symmetric matrix.
    second: [DVec3; 3],
}

impl Sums {
    fn add(&mut self, weight: f64, point: DVec3) {
        self.weight += weight;
        self.first += point * weight;
        for (axis, column) in self.second.iter_mut().enumerate() {
            *column += point * (point[axis] * weight);
        }
    }

    /// Adds other sums, scaled by `weight`.
    fn add_all(&mut self, other: &Self, weight: f64) {
        self.weight += other.weight * weight;
        self.first += other.first * weight;
        for (column, added) in self.second.iter_mut().zip(other.second) {
            *column += added * weight;
        }
    }

    /// Area of the sphere with the same variance: independent of the number of points and of rotation.
    fn area_of_sphere(&self) -> f64 {
        let squares: f64 = (0..3).map(|axis| self.second[axis][axis]).sum();
        let spread = squares / self.weight - (self.first / self.weight).length_squared();
        4.0 * PI * spread.max(0.0)
    }

    /// Midpoint rule: the midpoints of the edges with a third of the area each integrate quadratic functions exactly.
    fn add_triangle(&mut self, [a, b, c]: [DVec3; 3]) {
        let area = (b - a).cross(c - a).length() / 6.0;
        if area.is_finite() {
            [(a, b), (b, c), (c, a)].into_iter().for_each(|(p, q)| self.add(area, (p + q) / 2.0));
        }
    }
}

impl Moments {
    /// `None` if the scene is empty or everything is at one point.
    pub(super) fn of(scene: &Scene) -> Option<Self> {
        // Relative to the center, so that squares of large coordinates do not swallow the variance.
        let origin = scene.bounds()?.center().as_dvec3();
        let (mut sums, mut of_points) = (Sums::default(), Sums::default());
        for mesh in &scene.meshes {
            for face in 0..mesh.faces().len() {
                sums.add_triangle(mesh.triangle(face).map(|p| p.as_dvec3() - origin));
            }
        }
        let points = scene.clouds.iter().flat_map(|cloud| cloud.positions());
        points.for_each(|p| of_points.add(1.0, p.as_dvec3() - origin));
        let area = sums.weight;
        if area <= 0.0 {
            return Self::from_sums(&of_points, origin, 1.0);
        }
        if of_points.weight > 0.0 {
            let counted = of_points.area_of_sphere().max(MIN_POINT_WEIGHT * area);
            sums.add_all(&of_points, counted / of_points.weight);
        }
        Self::from_sums(&sums, origin, 1.0 - area / sums.weight)
    }

    fn from_sums(sums: &Sums, origin: DVec3, point_fraction: f64) -> Option<Self> {
        let mean = sums.first / sums.weight;
        let spread: [[f64; 3]; 3] = std::array::from_fn(|row| {
            std::array::from_fn(|column| sums.second[column][row] / sums.weight - mean[row] * mean[column])
        });
        let pairs = eigen(spread);
        let total: f64 = pairs.iter().map(|pair| pair.0.max(0.0)).sum();
        let rms_radius = total.sqrt();
        if !rms_radius.is_normal() || !mean.is_finite() {
            return None;
        }
        let [x, y] = [pairs[0].1, pairs[1].1].map(DVec3::from);
        let axes = DMat3::from_cols(x, y, x.cross(y)).transpose();
        let variance_ratios = pairs.map(|pair| pair.0.max(0.0) / total);
        Some(Self { mean: mean + origin, rms_radius, axes, variance_ratios, point_fraction })
    }
}
