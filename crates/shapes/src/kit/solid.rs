//! Unpainted triangle meshes and their transforms.

use glam::{Affine3A, EulerRot, Quat, Vec3, vec3};

/// Shading of a surface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shading {
    /// Flat or smooth, by the style of the specimen.
    Auto,
    /// One normal per face.
    Flat,
    /// Normals are interpolated over edges that are not sharp.
    Smooth,
}

/// A triangle mesh, counter-clockwise seen from outside. Methods take and return it, for chaining:
/// `cuboid(0.4, 0.05, 0.4).taper_y(0.9).at(0.0, 0.45, 0.0)`. Angles are in radians.
#[derive(Clone, Debug, PartialEq)]
pub struct Solid {
    /// Vertices.
    pub positions: Vec<Vec3>,
    /// Triangles.
    pub faces: Vec<[u32; 3]>,
    /// Shading.
    pub shading: Shading,
}

impl Default for Solid {
    fn default() -> Self {
        Self { positions: Vec::new(), faces: Vec::new(), shading: Shading::Auto }
    }
}

impl Solid {
    /// Adds a quadrilateral, counter-clockwise.
    pub(super) fn quad(&mut self, a: usize, b: usize, c: usize, d: usize) {
        self.tri(a, b, c);
        self.tri(a, c, d);
    }

    /// Adds a triangle, counter-clockwise.
    pub(super) fn tri(&mut self, a: usize, b: usize, c: usize) {
        self.faces.push([a as u32, b as u32, c as u32]);
    }

    /// With flat shading, regardless of style.
    pub fn flat(mut self) -> Self {
        self.shading = Shading::Flat;
        self
    }

    /// With smooth shading, regardless of style.
    pub fn smooth(mut self) -> Self {
        self.shading = Shading::Smooth;
        self
    }

    /// Smallest and largest corner; zeros when empty.
    pub fn bounds(&self) -> (Vec3, Vec3) {
        let Some(&first) = self.positions.first() else { return (Vec3::ZERO, Vec3::ZERO) };
        self.positions.iter().fold((first, first), |(low, high), &p| (low.min(p), high.max(p)))
    }

    /// Translated by `(x, y, z)`.
    pub fn at(self, x: f32, y: f32, z: f32) -> Self {
        self.translated(vec3(x, y, z))
    }

    /// Translated by a vector.
    pub fn translated(self, by: Vec3) -> Self {
        self.map(|p| p + by)
    }

    /// Translated so that its bounds are centered at the origin.
    pub fn centered(self) -> Self {
        let (low, high) = self.bounds();
        self.translated(-(low + high) * 0.5)
    }

    /// Translated along y so that its lowest point is at `y = 0`.
    pub fn grounded(self) -> Self {
        let (low, _) = self.bounds();
        self.at(0.0, -low.y, 0.0)
    }

    /// Rotated about the x axis (y to z).
    pub fn rot_x(self, angle: f32) -> Self {
        self.rotated(Quat::from_rotation_x(angle))
    }

    /// Rotated about the y axis (z to x).
    pub fn rot_y(self, angle: f32) -> Self {
        self.rotated(Quat::from_rotation_y(angle))
    }

    /// Rotated about the z axis (x to y).
    pub fn rot_z(self, angle: f32) -> Self {
        self.rotated(Quat::from_rotation_z(angle))
    }

    /// Rotated about z, then x, then y.
    pub fn rot(self, x: f32, y: f32, z: f32) -> Self {
        self.rotated(Quat::from_euler(EulerRot::YXZ, y, x, z))
    }

    /// Rotated by a quaternion.
    pub fn rotated(self, rotation: Quat) -> Self {
        self.map(|p| rotation * p)
    }

    /// Rotated so that +Y points along `direction`.
    pub fn along(self, direction: Vec3) -> Self {
        // A zero direction keeps the solid upright.
        let direction = direction.try_normalize().unwrap_or(Vec3::Y);
        self.rotated(Quat::from_rotation_arc(Vec3::Y, direction))
    }

    /// Scaled along the axes; a mirroring scale also flips the faces, to keep them outward.
    pub fn scale(mut self, x: f32, y: f32, z: f32) -> Self {
        // A mirroring scale turns the faces inside out.
        if x * y * z < 0.0 {
            self.faces.iter_mut().for_each(|f| f.swap(1, 2));
        }
        self.map(|p| p * vec3(x, y, z))
    }

    /// Scaled evenly.
    pub fn scaled(self, factor: f32) -> Self {
        self.scale(factor, factor, factor)
    }

    /// Transformed by an affine map that preserves orientation.
    pub fn transformed(self, target_from_source: Affine3A) -> Self {
        self.map(|p| target_from_source.transform_point3(p))
    }

    /// Applies a function to every vertex; it must preserve orientation.
    pub fn map(mut self, target_from_source: impl Fn(Vec3) -> Vec3) -> Self {
        self.positions.iter_mut().for_each(|p| *p = target_from_source(*p));
        self
    }

    /// Concatenates two solids; keeps the shading of the first.
    pub fn join(mut self, other: Self) -> Self {
        let first = self.positions.len() as u32;
        self.positions.extend(other.positions);
        self.faces.extend(other.faces.into_iter().map(|f| f.map(|v| v + first)));
        self
    }

    /// Concatenates all solids.
    pub fn union(solids: impl IntoIterator<Item = Self>) -> Self {
        solids.into_iter().reduce(Self::join).unwrap_or_default()
    }

    /// Mirrored at the plane `x = 0`.
    pub fn flip_x(self) -> Self {
        self.scale(-1.0, 1.0, 1.0)
    }

    /// Mirrored at the plane `z = 0`.
    pub fn flip_z(self) -> Self {
        self.scale(1.0, 1.0, -1.0)
    }

    /// Together with its mirror image at `x = 0`: left and right.
    pub fn mirrored_x(self) -> Self {
        let other = self.clone().flip_x();
        self.join(other)
    }

    /// Together with its mirror image at `z = 0`: front and back.
    pub fn mirrored_z(self) -> Self {
        let other = self.clone().flip_z();
        self.join(other)
    }

    /// `count` copies at distances of `step`.
    pub fn linear_array(self, count: usize, step: Vec3) -> Self {
        Self::union((0..count).map(|i| self.clone().translated(step * i as f32)))
    }

    /// `count` copies around the y axis.
    pub fn radial_array_y(self, count: usize) -> Self {
        let step = std::f32::consts::TAU / count.max(1) as f32;
        Self::union((0..count).map(|i| self.clone().rot_y(step * i as f32)))
    }

    /// With all faces flipped.
    pub fn inverted(mut self) -> Self {
        self.faces.iter_mut().for_each(|f| f.swap(1, 2));
        self
    }

    /// Signed volume by the divergence theorem; positive if closed and facing outward.
    pub fn volume(&self) -> f32 {
        let corner = |v: u32| self.positions[v as usize];
        self.faces.iter().map(|&[a, b, c]| corner(a).dot(corner(b).cross(corner(c)))).sum::<f32>() / 6.0
    }
}
