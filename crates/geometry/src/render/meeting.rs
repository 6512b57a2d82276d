//! Where a sight meets a triangle, and what of the triangle's looks lies there.

use glam::{Affine2, Vec2, Vec3, Vec4};

use super::color::tables;
use super::texture::{FixedTexel, MipChain};

/// A sight through one point of the grid.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub(super) eye: Vec3,
    /// One unit deep, not of unit length.
    pub(super) ray: Vec3,
    /// Area of a pixel at depth 1.
    pub(super) pixel_area: f32,
}

/// What shading needs of a vertex, in one line of the cache; zeros where the mesh has no normals or coordinates.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(super) struct Corner {
    pub(super) position: Vec3,
    pub(super) normal: Vec3,
    pub(super) uv: Vec2,
}

/// Where a sight meets a triangle.
#[derive(Clone, Copy)]
pub(super) struct Meeting {
    /// Weights of the corners, sum 1.
    pub(super) weights: Vec3,
    /// Unit normal of the triangle, turned to the camera.
    pub(super) face_normal: Vec3,
    /// Area in the world that a pixel covers, over twice the triangle's area.
    pub(super) footprint: f32,
}

/// A point of a triangle.
pub(super) struct Hit<'s> {
    pub(super) vertices: [u32; 3],
    pub(super) corners: [&'s Corner; 3],
    pub(super) meeting: Meeting,
}

/// A texture as a part uses it.
#[derive(Clone, Copy)]
pub(super) struct Paint<'s> {
    pub(super) chain: &'s MipChain<'s>,
    pub(super) image_from_uv: Affine2,
}

impl Meeting {
    /// Where the sight meets the plane of a triangle (Möller and Trumbore, 1997), in the world's own coordinates, so that
    /// the result does not depend on how the triangle was cut.
    #[inline(always)]
    pub(super) fn new([a, b, c]: [Vec3; 3], sight: &Sight) -> Self {
        let (ab, ac, from_a) = (b - a, c - a, sight.eye - a);
        let across = sight.ray.cross(ac);
        let determinant = ab.dot(across);
        let inverse = if determinant == 0.0 { 0.0 } else { 1.0 / determinant };
        let along = from_a.cross(ab);
        let (weight_b, weight_c) = (from_a.dot(across) * inverse, sight.ray.dot(along) * inverse);
        let depth = ac.dot(along) * inverse;
        let normal = ab.cross(ac);
        let sign = if normal.dot(sight.ray) > 0.0 { -1.0 } else { 1.0 };
        Self {
            weights: Vec3::new(1.0 - weight_b - weight_c, weight_b, weight_c),
            face_normal: unit_or(normal * sign, Vec3::Y),
            footprint: depth * depth * sight.pixel_area * inverse.abs(),
        }
    }

    /// The smooth normal where the corners have one, turned to the side of the face that is seen.
    #[inline(always)]
    pub(super) fn normal(&self, [a, b, c]: [Vec3; 3]) -> Vec3 {
        let mixed = a * self.weights.x + b * self.weights.y + c * self.weights.z;
        let normal = unit_or(mixed, self.face_normal);
        let sign = if normal.dot(self.face_normal) < 0.0 { -1.0 } else { 1.0 };
        normal * sign
    }
}

impl Hit<'_> {
    #[inline]
    pub(super) fn normal(&self) -> Vec3 {
        self.meeting.normal(self.corners.map(|corner| corner.normal))
    }
}

impl Paint<'_> {
    /// Coordinates on the image.
    #[inline(always)]
    pub(super) fn on_image(&self, uv: Vec2) -> Vec2 {
        let [x, y, offset] =
            [self.image_from_uv.x_axis, self.image_from_uv.y_axis, self.image_from_uv.translation];
        x * uv.x + y * uv.y + offset
    }

    #[inline]
    pub(super) fn texel(&self, hit: &Hit<'_>) -> Vec4 {
        let corners = hit.corners.map(|corner| self.on_image(corner.uv));
        let (uv, area) = on_texture(corners, &hit.meeting, self.chain.size());
        self.sample(uv, area)
    }

    /// Linear color around `uv`, where a pixel covers an area of so many texels.
    #[inline]
    pub(super) fn sample(&self, uv: Vec2, area: f32) -> Vec4 {
        linear(self.chain.sample(uv, area))
    }
}

/// Coordinates of a meeting on an image, and the texels a pixel covers there.
#[inline(always)]
pub(super) fn on_texture([a, b, c]: [Vec2; 3], meeting: &Meeting, texels: Vec2) -> (Vec2, f32) {
    let weights = meeting.weights;
    let uv = a * weights.x + b * weights.y + c * weights.z;
    let area = ((b - a).perp_dot(c - a) * texels.x * texels.y).abs();
    (uv, area * meeting.footprint)
}

/// The unit vector of that direction; `otherwise` where there is none. Without a branch, for loops.
#[inline(always)]
fn unit_or(vector: Vec3, otherwise: Vec3) -> Vec3 {
    let inverse = 1.0 / vector.dot(vector).sqrt();
    let is_direction = inverse > 0.0 && inverse < f32::INFINITY;
    let pick = |unit: f32, otherwise: f32| if is_direction { unit } else { otherwise };
    let unit = vector * inverse;
    Vec3::new(pick(unit.x, otherwise.x), pick(unit.y, otherwise.y), pick(unit.z, otherwise.z))
}

/// Unit normal of a triangle, on the side its winding says.
#[inline]
pub(super) fn face_normal([a, b, c]: [Vec3; 3]) -> Vec3 {
    unit_or((b - a).cross(c - a), Vec3::Y)
}

#[inline]
fn linear(texel: FixedTexel) -> Vec4 {
    let table = tables();
    let [r, g, b] = [texel[0], texel[1], texel[2]].map(|c| table.linear_from_fixed(c));
    Vec4::new(r, g, b, f32::from(texel[3]) / 65_280.0)
}
