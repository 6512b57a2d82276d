//! Normalization of the positions of a point cloud.

use glam::{DVec3, Vec3};
use half::f16;
use serde::{Deserialize, Serialize};

/// Normalization of the positions of a point cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PointNormalization {
    /// Mean at the origin, farthest point at distance 1.
    #[default]
    #[serde(rename = "unit")]
    UnitSphere,
    /// The same with every step rounded to half precision, in which NumPy computes in ULIP's loader of Objaverse-LVIS: it is the
    /// type of the files.
    #[serde(rename = "unit-in-half")]
    UnitSphereF16,
    /// Neither centered nor scaled.
    #[serde(rename = "as-stored")]
    None,
}

impl PointNormalization {
    /// Normalizes positions. Clouds with a radius of at most `smallest` are treated as a single point, at the origin.
    pub(super) fn apply(self, positions: &[Vec3], smallest: f64) -> Vec<Vec3> {
        match self {
            Self::UnitSphere => unit_sphere(positions, smallest),
            Self::UnitSphereF16 => unit_sphere_f16(positions),
            Self::None => positions.to_vec(),
        }
    }

    /// Description for people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::UnitSphere => "mean at the origin, radius 1",
            Self::UnitSphereF16 => "mean at the origin, radius 1, in half precision",
            Self::None => "as stored",
        }
    }

    /// Whether it is the default.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn unit_sphere(positions: &[Vec3], smallest: f64) -> Vec<Vec3> {
    // In f64: a running f32 sum of many points would lose digits.
    let sum: DVec3 = positions.iter().map(|p| p.as_dvec3()).sum();
    let mean = sum / positions.len().max(1) as f64;
    let radius = positions.iter().map(|p| (p.as_dvec3() - mean).length()).fold(0.0, f64::max);
    // A single point has no scale to divide by.
    if radius <= smallest {
        return vec![Vec3::ZERO; positions.len()];
    }
    positions.iter().map(|p| ((p.as_dvec3() - mean) / radius).as_vec3()).collect()
}

/// As NumPy computes with `float16`: sums in `f32` in the order of points, everything else rounded at each step.
fn unit_sphere_f16(positions: &[Vec3]) -> Vec<Vec3> {
    let half = |x: f32| f16::from_f32(x).to_f32();
    let stored: Vec<Vec3> = positions.iter().map(|p| p.map(half)).collect();
    let sum = stored.iter().fold(Vec3::ZERO, |sum, p| sum + *p);
    // NumPy accumulates float16 means in float32 and rounds the result.
    let mean = (sum / positions.len().max(1) as f32).map(half);
    let centered: Vec<Vec3> = stored.iter().map(|p| (*p - mean).map(half)).collect();
    let length = |p: &Vec3| {
        let [x, y, z] = (*p * *p).map(half).to_array();
        half(half(x + y + z).sqrt())
    };
    let radius = centered.iter().map(length).fold(0.0, f32::max);
    if radius <= 0.0 {
        return vec![Vec3::ZERO; positions.len()];
    }
    centered.iter().map(|p| (*p / radius).map(half)).collect()
}
