//! Normalization of a shape to the position and size that rigs and encoders expect.

use glam::{Affine3A, DVec3, Vec3};
use serde::{Deserialize, Serialize};

use crate::Scene;

/// Which point becomes the origin. The reference implementations differ: renderers center the bounding box, point encoders
/// the mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Center {
    /// The center of the bounding box.
    #[default]
    Bounds,
    /// The mean of all points; for a mesh, of its triangles' corners.
    Mean,
}

/// How large the shape becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extent {
    /// The farthest point is 1 from the origin.
    #[default]
    UnitSphere,
    /// The longest edge of the bounds is 1.
    UnitBox,
}

/// A translation to the origin and a scaling. They are kept separate because one after the other keeps digits that their
/// product loses far from the origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalization {
    /// The point that becomes the origin.
    pub center: Vec3,
    /// Scale factor, applied after the translation.
    pub scale: f32,
}

impl Normalization {
    /// The normalization of these points. A single point is only translated; without points it is the identity.
    pub fn from_points(points: impl Iterator<Item = Vec3> + Clone, center: Center, extent: Extent) -> Self {
        let mut low = DVec3::INFINITY;
        let mut high = DVec3::NEG_INFINITY;
        let (mut sum, mut count) = (DVec3::ZERO, 0_u64);
        for point in points.clone().map(|p| p.as_dvec3()) {
            (low, high, sum, count) = (low.min(point), high.max(point), sum + point, count + 1);
        }
        if count == 0 {
            return Self { center: Vec3::ZERO, scale: 1.0 };
        }
        let center = match center {
            Center::Bounds => (low + high) / 2.0,
            Center::Mean => sum / count as f64,
        };
        let size = match extent {
            Extent::UnitBox => (high - low).max_element(),
            Extent::UnitSphere => {
                let squares = points.map(|p| (p.as_dvec3() - center).length_squared());
                squares.fold(0.0, f64::max).sqrt()
            }
        };
        // A size of zero, or one beyond the range of `f32`, leaves no usable factor.
        let scale = (1.0 / size) as f32;
        Self { center: center.as_vec3(), scale: if scale.is_normal() { scale } else { 1.0 } }
    }

    /// The normalization of all visible points of a scene: corners of triangles, and points of clouds.
    pub fn from_scene(scene: &Scene, center: Center, extent: Extent) -> Self {
        let corners = scene
            .meshes
            .iter()
            .flat_map(|m| m.faces().iter().flat_map(move |f| f.map(|v| m.positions()[v as usize])));
        let points = scene.clouds.iter().flat_map(|c| c.positions().iter().copied());
        Self::from_points(corners.chain(points), center, extent)
    }

    /// As one transform.
    pub fn target_from_source(&self) -> Affine3A {
        let scale = Vec3::splat(self.scale);
        Affine3A::from_scale(scale) * Affine3A::from_translation(-self.center)
    }

    /// Normalizes one point.
    pub fn apply(&self, point: Vec3) -> Vec3 {
        (point - self.center) * self.scale
    }
}

/// Normalizes a scene into the unit sphere around the origin, as rigs expect it.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
/// use lexiform_geometry::{PointCloud, Scene};
///
/// let cloud = PointCloud::new(vec![Vec3::X * 10.0, Vec3::X * 14.0])?;
/// let (scene, normalization) = normalize_unit_sphere(Scene::from_cloud(cloud), Center::Bounds);
/// assert_eq!(scene.clouds[0].positions(), [Vec3::NEG_X, Vec3::X]);
/// assert_eq!((normalization.center, normalization.scale), (Vec3::X * 12.0, 0.5));
/// # Ok::<(), lexiform_geometry::PointCloudError>(())
/// ```
pub fn normalize_unit_sphere(scene: Scene, center: Center) -> (Scene, Normalization) {
    normalize(scene, center, Extent::UnitSphere)
}

/// Normalizes a scene; also returns the transform that was applied.
pub fn normalize(scene: Scene, center: Center, extent: Extent) -> (Scene, Normalization) {
    let normalization = Normalization::from_scene(&scene, center, extent);
    let moved = scene.transformed(Affine3A::from_translation(-normalization.center));
    (moved.transformed(Affine3A::from_scale(Vec3::splat(normalization.scale))), normalization)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PointCloud;

    fn cloud(points: &[[f32; 3]]) -> Scene {
        Scene::from_cloud(PointCloud::new(points.iter().map(|&p| p.into()).collect()).unwrap())
    }

    #[test]
    fn the_farthest_point_is_one_from_the_center() {
        let scene = cloud(&[[10.0, 0.0, 0.0], [10.0, 0.0, 4.0], [10.0, 0.0, 3.0]]);
        let (by_bounds, _) = normalize_unit_sphere(scene.clone(), Center::Bounds);
        assert_eq!(by_bounds.clouds[0].positions(), [Vec3::NEG_Z, Vec3::Z, Vec3::new(0.0, 0.0, 0.5)]);
        let (by_mean, n) = normalize(scene, Center::Mean, Extent::UnitBox);
        assert!((n.center.z - 7.0 / 3.0).abs() < 1e-6 && n.scale == 0.25);
        assert!((by_mean.bounds().unwrap().extents().z - 1.0).abs() < 1e-6);
    }

    #[test]
    fn digits_survive_far_from_the_origin() {
        let scene = cloud(&[[5e6, 0.0, 0.0], [5e6 + 1.0, 0.0, 0.0]]);
        let (scene, _) = normalize_unit_sphere(scene, Center::Bounds);
        assert_eq!(scene.bounds().unwrap().extents().x, 2.0);
    }

    #[test]
    fn extremes_stay_finite() {
        for points in
            [&[[f32::MAX, 0.0, 0.0], [-f32::MAX, 0.0, 0.0]][..], &[[3.0; 3]], &[[1e-42; 3], [0.0; 3]], &[]]
        {
            let (scene, n) = normalize_unit_sphere(cloud(points), Center::Bounds);
            assert!(n.center.is_finite() && n.scale.is_finite());
            assert_eq!(scene.n_points(), points.len());
        }
    }
}
