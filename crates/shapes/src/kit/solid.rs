//! A piece of surface before it is painted, and what can be done to it.

use glam::{Affine3A, EulerRot, Quat, Vec3, vec3};

/// How a surface's normals are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shading {
    /// As the specimen's style says.
    Auto,
    /// Every face its own normal.
    Flat,
    /// Normals flow over edges that are not sharp.
    Smooth,
}

/// Triangles, counter-clockwise seen from outside. Methods return the changed solid, so that a part reads as
/// one chain: `cuboid(0.4, 0.05, 0.4).taper_y(0.9).at(0.0, 0.45, 0.0)`. Angles in radians.
#[derive(Clone, Debug, PartialEq)]
pub struct Solid {
    /// Vertices.
    pub positions: Vec<Vec3>,
    /// Triangles.
    pub faces: Vec<[u32; 3]>,
    /// How normals are made.
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

    /// Every face gets its own normal, whatever the style.
    pub fn flat(mut self) -> Self {
        self.shading = Shading::Flat;
        self
    }

    /// Normals flow over soft edges, whatever the style.
    pub fn smooth(mut self) -> Self {
        self.shading = Shading::Smooth;
        self
    }

    /// Smallest and largest corner; zeros when empty.
    pub fn bounds(&self) -> (Vec3, Vec3) {
        let Some(&first) = self.positions.first() else { return (Vec3::ZERO, Vec3::ZERO) };
        self.positions.iter().fold((first, first), |(low, high), &p| (low.min(p), high.max(p)))
    }

    /// Moved by the vector.
    pub fn at(self, x: f32, y: f32, z: f32) -> Self {
        self.translated(vec3(x, y, z))
    }

    /// Moved by the vector.
    pub fn translated(self, by: Vec3) -> Self {
        self.map(|p| p + by)
    }

    /// Moved so that the middle of its bounds is the origin.
    pub fn centered(self) -> Self {
        let (low, high) = self.bounds();
        self.translated(-(low + high) * 0.5)
    }

    /// Moved along y so that it stands on `y = 0`.
    pub fn grounded(self) -> Self {
        let (low, _) = self.bounds();
        self.at(0.0, -low.y, 0.0)
    }

    /// Turned about the x axis (y goes to z).
    pub fn rot_x(self, angle: f32) -> Self {
        self.rotated(Quat::from_rotation_x(angle))
    }

    /// Turned about the y axis (z goes to x).
    pub fn rot_y(self, angle: f32) -> Self {
        self.rotated(Quat::from_rotation_y(angle))
    }

    /// Turned about the z axis (x goes to y).
    pub fn rot_z(self, angle: f32) -> Self {
        self.rotated(Quat::from_rotation_z(angle))
    }

    /// Turned about z, then x, then y.
    pub fn rot(self, x: f32, y: f32, z: f32) -> Self {
        self.rotated(Quat::from_euler(EulerRot::YXZ, y, x, z))
    }

    /// Turned by the quaternion.
    pub fn rotated(self, rotation: Quat) -> Self {
        self.map(|p| rotation * p)
    }

    /// Turned so that +Y points along `direction`.
    pub fn along(self, direction: Vec3) -> Self {
        let direction = direction.try_normalize().unwrap_or(Vec3::Y);
        self.rotated(Quat::from_rotation_arc(Vec3::Y, direction))
    }

    /// Scaled along the axes; a mirroring scale also turns the faces.
    pub fn scale(mut self, x: f32, y: f32, z: f32) -> Self {
        if x * y * z < 0.0 {
            self.faces.iter_mut().for_each(|f| f.swap(1, 2));
        }
        self.map(|p| p * vec3(x, y, z))
    }

    /// Scaled evenly.
    pub fn scaled(self, factor: f32) -> Self {
        self.scale(factor, factor, factor)
    }

    /// Moved by an affine map that keeps orientation.
    pub fn transformed(self, target_from_source: Affine3A) -> Self {
        self.map(|p| target_from_source.transform_point3(p))
    }

    /// Every vertex moved by a function of its place. The function must keep orientation.
    pub fn map(mut self, target_from_source: impl Fn(Vec3) -> Vec3) -> Self {
        self.positions.iter_mut().for_each(|p| *p = target_from_source(*p));
        self
    }

    /// Both solids as one; keeps this one's shading.
    pub fn join(mut self, other: Self) -> Self {
        let first = self.positions.len() as u32;
        self.positions.extend(other.positions);
        self.faces.extend(other.faces.into_iter().map(|f| f.map(|v| v + first)));
        self
    }

    /// All solids as one.
    pub fn union(solids: impl IntoIterator<Item = Self>) -> Self {
        solids.into_iter().reduce(Self::join).unwrap_or_default()
    }

    /// The mirror image in the plane `x = 0`.
    pub fn flip_x(self) -> Self {
        self.scale(-1.0, 1.0, 1.0)
    }

    /// The mirror image in the plane `z = 0`.
    pub fn flip_z(self) -> Self {
        self.scale(1.0, 1.0, -1.0)
    }

    /// With its mirror image in `x = 0`: left and right.
    pub fn mirrored_x(self) -> Self {
        let other = self.clone().flip_x();
        self.join(other)
    }

    /// With its mirror image in `z = 0`: front and back.
    pub fn mirrored_z(self) -> Self {
        let other = self.clone().flip_z();
        self.join(other)
    }

    /// `count` copies, each moved on by `step`.
    pub fn linear_array(self, count: usize, step: Vec3) -> Self {
        Self::union((0..count).map(|i| self.clone().translated(step * i as f32)))
    }

    /// `count` copies around the y axis.
    pub fn radial_array_y(self, count: usize) -> Self {
        let step = std::f32::consts::TAU / count.max(1) as f32;
        Self::union((0..count).map(|i| self.clone().rot_y(step * i as f32)))
    }

    /// The faces turned inside out.
    pub fn inverted(mut self) -> Self {
        self.faces.iter_mut().for_each(|f| f.swap(1, 2));
        self
    }

    /// Six times the signed volume is positive for a closed solid that faces outward.
    pub fn volume(&self) -> f32 {
        let corner = |v: u32| self.positions[v as usize];
        self.faces.iter().map(|&[a, b, c]| corner(a).dot(corner(b).cross(corner(c)))).sum::<f32>() / 6.0
    }
}
