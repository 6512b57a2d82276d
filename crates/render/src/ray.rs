//! Camera rays, and their intersection with triangles.

use glam::Vec3;
use lexiform_geometry::surface::{Intersection, unit_or};

/// A ray through one point of the grid.
#[derive(Clone, Copy)]
pub(crate) struct Ray {
    pub(crate) eye: Vec3,
    /// Of unit depth, not of unit length.
    pub(crate) direction: Vec3,
    /// Area of a pixel at depth 1.
    pub(crate) pixel_area: f32,
}

impl Ray {
    /// Intersection with the plane of a triangle ([Möller and Trumbore 1997]), in world coordinates, so that the result does
    /// not depend on how the triangle was clipped.
    ///
    /// [Möller and Trumbore 1997]: https://doi.org/10.1080/10867651.1997.10487468
    #[inline(always)]
    pub(crate) fn intersect(&self, [a, b, c]: [Vec3; 3]) -> Intersection {
        let (ab, ac, from_a) = (b - a, c - a, self.eye - a);
        let across = self.direction.cross(ac);
        let determinant = ab.dot(across);
        let inverse = if determinant == 0.0 { 0.0 } else { 1.0 / determinant };
        let along = from_a.cross(ab);
        let (weight_b, weight_c) = (from_a.dot(across) * inverse, self.direction.dot(along) * inverse);
        let depth = ac.dot(along) * inverse;
        let normal = ab.cross(ac);
        let sign = if normal.dot(self.direction) > 0.0 { -1.0 } else { 1.0 };
        Intersection {
            barycentric: Vec3::new(1.0 - weight_b - weight_c, weight_b, weight_c),
            face_normal: unit_or(normal * sign, Vec3::Y),
            footprint: depth * depth * self.pixel_area * inverse.abs(),
        }
    }
}
