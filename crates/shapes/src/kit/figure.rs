//! Parts of animals and people: bodies, limbs, balls and blades in a smooth, faceted or boxy style, and coats with several
//! colors.

use glam::{Vec3, vec3};

use super::{Builder, MaterialKind, Paint, Ring, Rng, Solid, cuboid, ellipsoid, loft, loft_square};

/// Style of a figure.
#[derive(Clone, Copy, Debug)]
pub struct FigureStyle {
    /// Segments of cross-sections.
    pub segments: usize,
    /// Every part is a box, as in voxel games.
    pub boxy: bool,
    /// Squareness of cross-sections: 0 is round, 1 nearly square.
    squareness: f32,
    /// Interpolation steps between two rings.
    steps: usize,
}

impl FigureStyle {
    /// Samples a style and sets the builder's shading to match. `boxy` is the probability of boxes.
    pub fn sample(rng: &mut Rng, b: &mut Builder, boxy: f32) -> Self {
        if rng.chance(boxy) {
            // Boxes with interpolated normals would look inflated.
            b.flat = true;
            b.segments = 8;
            return Self { segments: 4, boxy: true, squareness: 1.0, steps: 1 };
        }
        if rng.chance(0.55) {
            b.flat = rng.chance(0.9);
            b.segments = 8;
            let squareness = rng.choose(&[0.0, 0.0, 0.15, 0.3]);
            return Self { segments: rng.int_between(6, 8), boxy: false, squareness, steps: 1 };
        }
        b.flat = false;
        b.segments = 14;
        Self { segments: rng.int_between(10, 14), boxy: false, squareness: 0.0, steps: rng.int_between(2, 3) }
    }

    /// Samples a style that is not boxy.
    pub fn round(rng: &mut Rng, b: &mut Builder) -> Self {
        Self::sample(rng, b, 0.0)
    }

    /// A body through cross-sections; in boxy style, one box from the first to the last.
    pub fn body(&self, rings: &[Ring]) -> Solid {
        let Some((first, last)) = rings.first().zip(rings.last()) else { return Solid::default() };
        if self.boxy {
            let width = rings.iter().map(|r| r.width).fold(0.0, f32::max) * 0.94;
            let height = rings.iter().map(|r| r.height).fold(0.0, f32::max) * 0.94;
            let middle = rings.iter().map(|r| r.center).sum::<Vec3>() / rings.len() as f32;
            let half = (last.center - first.center) * 0.5;
            let ends = [-half, half].map(|h| Ring { center: middle + h, width, height });
            return loft_square(&ends, 4, 1.0);
        }
        loft_square(&interpolate_rings(rings, self.steps), self.segments, self.squareness)
    }

    /// An ellipsoid around the origin, or a box of about its size.
    pub fn ball(&self, x: f32, y: f32, z: f32) -> Solid {
        if self.boxy {
            return cuboid(x * 1.8, y * 1.8, z * 1.8).at(0.0, -y * 0.9, 0.0);
        }
        ellipsoid(x, y, z, self.segments.max(6))
    }

    /// A round limb through points with a radius each; straight in boxy style.
    pub fn limb(&self, joints: &[(Vec3, f32)]) -> Solid {
        let rings: Vec<Ring> =
            joints.iter().map(|&(center, r)| Ring { center, width: r, height: r }).collect();
        // Bent boxes would self-intersect at the joints.
        if let (true, Some((first, last))) = (self.boxy, rings.first().zip(rings.last())) {
            let r = rings.iter().map(|r| r.width).sum::<f32>() / rings.len() as f32;
            let ends = [first, last].map(|e| Ring { width: r, height: r, ..*e });
            return loft_square(&ends, 4, 1.0);
        }
        loft(&interpolate_rings(&rings, self.steps), (self.segments * 2 / 3).max(5))
    }

    /// A flat blade (ear, feather, flipper) from the origin along `direction`, widest at `belly` (0–1) of its length; `width` is
    /// along x where possible.
    pub fn blade(&self, direction: Vec3, length: f32, width: f32, belly: f32) -> Solid {
        let direction = direction.try_normalize().unwrap_or(Vec3::Y);
        let thickness = (width * 0.28).min(length * 0.15);
        let ring = |t: f32, w: f32| Ring {
            center: direction * (length * t),
            width: width * 0.5 * w,
            height: thickness * 0.5 * w.max(0.35),
        };
        if self.boxy {
            return loft_square(&[ring(0.0, 0.9), ring(0.85, 0.9)], 4, 1.0);
        }
        let rings = [ring(0.0, 0.62), ring(belly, 1.0), ring((1.0 + belly) * 0.5, 0.8), ring(1.0, 0.12)];
        loft(&interpolate_rings(&rings, self.steps.min(2)), 6)
    }
}

/// Inserts `steps − 1` rings between each two by Catmull–Rom interpolation.
fn interpolate_rings(rings: &[Ring], steps: usize) -> Vec<Ring> {
    let last = rings.len().saturating_sub(1);
    if steps <= 1 || rings.len() < 3 {
        return rings.to_vec();
    }
    // Catmull–Rom, as in `curve`, for each coordinate.
    let mix = |[a, b, c, d]: [f32; 4], t: f32| {
        b + 0.5 * t * (c - a + t * (2.0 * a - 5.0 * b + 4.0 * c - d + t * (3.0 * (b - c) + d - a)))
    };
    let mut fine = Vec::with_capacity(last * steps + 1);
    for i in 0..last {
        let four = [i.saturating_sub(1), i, i + 1, (i + 2).min(last)].map(|k| rings[k]);
        for step in 0..steps {
            let t = step as f32 / steps as f32;
            fine.push(Ring {
                center: vec3(
                    mix(four.map(|r| r.center.x), t),
                    mix(four.map(|r| r.center.y), t),
                    mix(four.map(|r| r.center.z), t),
                ),
                // The spline may overshoot below zero.
                width: mix(four.map(|r| r.width), t).max(1e-3),
                height: mix(four.map(|r| r.height), t).max(1e-3),
            });
        }
    }
    fine.extend(rings.last());
    fine
}

/// Splits a solid into `kinds` parts: `pick` gives the index of each face by its center and unit normal.
pub fn split(solid: &Solid, kinds: usize, pick: impl Fn(Vec3, Vec3) -> usize) -> Vec<Solid> {
    let mut parts = vec![Solid { shading: solid.shading, ..Solid::default() }; kinds];
    for face in &solid.faces {
        let [a, b, c] = face.map(|v| solid.positions[v as usize]);
        let kind = pick((a + b + c) / 3.0, (b - a).cross(c - a).normalize_or_zero());
        // Faces of an unknown kind are dropped.
        if let Some(part) = parts.get_mut(kind) {
            let first = part.positions.len() as u32;
            part.positions.extend([a, b, c]);
            part.faces.push([first, first + 1, first + 2]);
        }
    }
    parts
}

/// Adds a solid with several paints: `pick` gives the index of each face's paint by its center and unit normal.
pub fn add_split(
    b: &mut Builder,
    name: &str,
    solid: &Solid,
    paints: &[Paint],
    pick: impl Fn(Vec3, Vec3) -> usize,
) {
    for (part, &paint) in split(solid, paints.len(), pick).into_iter().zip(paints) {
        if !part.faces.is_empty() {
            b.add(name, part, paint);
        }
    }
}

/// Two eyes at `(±x, y, z)`: dark spheres, in 40 % of the specimens with whites.
pub fn add_eyes(rng: &mut Rng, b: &mut Builder, at: Vec3, radius: f32, place: impl Fn(Solid) -> Solid) {
    let black = rng.paint("black", MaterialKind::Plain);
    if rng.chance(0.4) {
        let white = rng.paint("white", MaterialKind::Plain);
        let ball = ellipsoid(radius * 1.5, radius * 1.5, radius * 1.5, 8).translated(at).mirrored_x();
        b.add("eyes", place(ball), white);
        let pupil =
            ellipsoid(radius, radius, radius, 8).translated(at + vec3(0.35, 0.1, 0.75) * radius).mirrored_x();
        b.add("pupils", place(pupil), black);
    } else {
        b.add("eyes", place(ellipsoid(radius, radius, radius, 8).translated(at).mirrored_x()), black);
    }
}
