//! A point of a triangle: barycentric coordinates, normal, and texture coordinates.

use glam::{Affine2, Vec2, Vec3, Vec4};

use super::texture::{FixedTexel, MipChain};
use crate::color::tables;

/// The attributes of a vertex that shading needs, in one cache line; zeros if the mesh has no normals or texture coordinates.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub struct ShadingVertex {
    /// Position in the world.
    pub position: Vec3,
    /// Normal, of any length.
    pub normal: Vec3,
    /// Texture coordinates.
    pub uv: Vec2,
}

/// Intersection of a ray with a triangle.
#[derive(Clone, Copy)]
pub struct Intersection {
    /// Barycentric coordinates: weights of the corners, sum 1.
    pub barycentric: Vec3,
    /// Unit normal of the triangle, flipped towards the camera.
    pub face_normal: Vec3,
    /// World-space area that a pixel covers, divided by twice the triangle's area.
    pub footprint: f32,
}

/// A point of a triangle.
pub struct Hit<'s> {
    /// Indices of the corners among all vertices of the scene.
    pub vertices: [u32; 3],
    /// The corners.
    pub corners: [&'s ShadingVertex; 3],
    /// Position within the triangle.
    pub intersection: Intersection,
}

/// A texture with a part's coordinate transform.
#[derive(Clone, Copy)]
pub struct MappedTexture<'s> {
    /// The texture.
    pub chain: &'s MipChain<'s>,
    /// From the mesh's texture coordinates to the image's.
    pub image_from_uv: Affine2,
}

impl Intersection {
    /// The interpolated normal, or the face's if the corners have none, flipped to the visible side of the face.
    #[inline(always)]
    pub fn normal(&self, [a, b, c]: [Vec3; 3]) -> Vec3 {
        let mixed = a * self.barycentric.x + b * self.barycentric.y + c * self.barycentric.z;
        let normal = unit_or(mixed, self.face_normal);
        let sign = if normal.dot(self.face_normal) < 0.0 { -1.0 } else { 1.0 };
        normal * sign
    }
}

impl Hit<'_> {
    /// Unit normal (see [`Intersection::normal`]).
    #[inline]
    pub fn normal(&self) -> Vec3 {
        self.intersection.normal(self.corners.map(|corner| corner.normal))
    }
}

impl MappedTexture<'_> {
    /// Mesh texture coordinates → image coordinates.
    #[inline(always)]
    pub fn transform_uv(&self, uv: Vec2) -> Vec2 {
        let [x, y, offset] =
            [self.image_from_uv.x_axis, self.image_from_uv.y_axis, self.image_from_uv.translation];
        x * uv.x + y * uv.y + offset
    }

    /// Linear color and alpha at a point of a triangle.
    #[inline]
    pub fn texel(&self, hit: &Hit<'_>) -> Vec4 {
        let corners = hit.corners.map(|corner| self.transform_uv(corner.uv));
        let (uv, area) = texture_footprint(corners, &hit.intersection, self.chain.size());
        self.sample(uv, area)
    }

    /// Linear color around `uv`, where a pixel covers `area` texels.
    #[inline]
    pub fn sample(&self, uv: Vec2, area: f32) -> Vec4 {
        linear(self.chain.sample(uv, area))
    }
}

/// Texture coordinates of an intersection, and how many texels a pixel covers there, for an image of `texels` width and height.
#[inline(always)]
pub fn texture_footprint([a, b, c]: [Vec2; 3], intersection: &Intersection, texels: Vec2) -> (Vec2, f32) {
    let barycentric = intersection.barycentric;
    let uv = a * barycentric.x + b * barycentric.y + c * barycentric.z;
    let area = ((b - a).perp_dot(c - a) * texels.x * texels.y).abs();
    (uv, area * intersection.footprint)
}

/// The normalized vector; `otherwise` if it has no direction. Branch-free, so that loops over it vectorize.
#[inline(always)]
pub fn unit_or(vector: Vec3, otherwise: Vec3) -> Vec3 {
    let inverse = 1.0 / vector.dot(vector).sqrt();
    let is_direction = inverse > 0.0 && inverse < f32::INFINITY;
    let pick = |unit: f32, otherwise: f32| if is_direction { unit } else { otherwise };
    let unit = vector * inverse;
    Vec3::new(pick(unit.x, otherwise.x), pick(unit.y, otherwise.y), pick(unit.z, otherwise.z))
}

/// Unit normal of a triangle, on the side its winding says.
#[inline]
pub fn face_normal([a, b, c]: [Vec3; 3]) -> Vec3 {
    unit_or((b - a).cross(c - a), Vec3::Y)
}

#[inline]
fn linear(texel: FixedTexel) -> Vec4 {
    let table = tables();
    let [r, g, b] = [texel[0], texel[1], texel[2]].map(|c| table.linear_from_fixed(c));
    Vec4::new(r, g, b, f32::from(texel[3]) / 65_280.0)
}
