//! Normals of points without a surface.

use glam::Vec3;

/// The direction of least variance of some points: the normal of the surface they are on. Straight up if it is
/// undefined.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::normals::estimate_normal;
///
/// let square = [Vec3::ZERO, Vec3::X, Vec3::Z, Vec3::X + Vec3::Z].map(|p| p + 0.01 * Vec3::Y * p.x * p.z);
/// assert!(estimate_normal(square.into_iter()).dot(Vec3::Y).abs() > 0.999);
/// ```
pub fn estimate_normal(points: impl Iterator<Item = Vec3> + Clone) -> Vec3 {
    let count = points.clone().count() as f32;
    let mean = points.clone().fold(Vec3::ZERO, |sum, p| sum + p) / count.max(1.0);
    let mut spread = [Vec3::ZERO; 3];
    for point in points {
        let d = point - mean;
        spread = [spread[0] + d * d.x, spread[1] + d * d.y, spread[2] + d * d.z];
    }
    let total = spread[0].x + spread[1].y + spread[2].z;
    if total <= 0.0 || total.is_nan() {
        return Vec3::Y;
    }
    // The largest eigenvector of (trace · I − covariance) is the smallest of the covariance. Squaring the matrix six times is
    // 64 steps of power iteration.
    let mut power = [Vec3::X * total - spread[0], Vec3::Y * total - spread[1], Vec3::Z * total - spread[2]];
    for _ in 0..6 {
        let scale = 1.0 / (power[0].x + power[1].y + power[2].z);
        let scaled = power.map(|r| r * scale);
        let times = |r: Vec3| scaled[0] * r.x + scaled[1] * r.y + scaled[2] * r.z;
        power = scaled.map(times);
    }
    let longest = power
        .into_iter()
        .fold(Vec3::ZERO, |a, b| if b.length_squared() > a.length_squared() { b } else { a });
    longest.try_normalize().unwrap_or(Vec3::Y)
}
