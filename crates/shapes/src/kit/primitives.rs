//! Primitives. Boxes, cylinders and cones are on the ground `y = 0` around the y axis; spheres and tori are centered.

use std::f32::consts::{FRAC_PI_2, PI, TAU};

use glam::{Vec2, Vec3, vec2, vec3};

use super::{Solid, lathe, lathe_loop};

/// A box: width along x, height along y (from 0), depth along z.
pub fn cuboid(width: f32, height: f32, depth: f32) -> Solid {
    let (x, z) = (width / 2.0, depth / 2.0);
    let positions = [0.0, height]
        .iter()
        .flat_map(|&y| [vec3(-x, y, -z), vec3(x, y, -z), vec3(x, y, z), vec3(-x, y, z)])
        .collect();
    let mut solid = Solid { positions, ..Solid::default() };
    solid.quad(0, 1, 2, 3);
    solid.quad(7, 6, 5, 4);
    for i in 0..4 {
        let j = (i + 1) % 4;
        solid.quad(j, i, i + 4, j + 4);
    }
    solid
}

/// A box whose edges are rounded with `radius` in `steps` flat pieces; one step is a bevel.
pub fn rounded_box(width: f32, height: f32, depth: f32, radius: f32, steps: usize) -> Solid {
    let radius = radius.min(width.min(height).min(depth) * 0.499);
    if radius <= 0.0 || steps == 0 {
        return cuboid(width, height, depth);
    }
    let core = vec3(width, height, depth) * 0.5 - radius;
    let per_ring = 4 * (steps + 1);
    let mut solid = Solid::default();
    // A sphere of `steps` rings per hemisphere whose octants are moved to the corners of the inner box.
    for (side, first) in [(-1.0, -FRAC_PI_2), (1.0, 0.0)] {
        for ring in 0..=steps {
            let latitude = first + FRAC_PI_2 * ring as f32 / steps as f32;
            for i in 0..per_ring {
                let quadrant = (i / (steps + 1)) as f32;
                let angle = FRAC_PI_2 * (quadrant + (i % (steps + 1)) as f32 / steps as f32);
                // All vertices of a quadrant belong to the same corner.
                let middle = FRAC_PI_2 * (quadrant + 0.5);
                let corner = vec3(middle.sin().signum(), side, middle.cos().signum()) * core;
                let (sin, cos) = angle.sin_cos();
                let out = vec3(latitude.cos() * sin, latitude.sin(), latitude.cos() * cos);
                solid.positions.push(corner + out * radius + Vec3::Y * height / 2.0);
            }
        }
    }
    let rings = 2 * (steps + 1);
    for ring in 0..rings - 1 {
        for i in 0..per_ring {
            let (a, b) = (ring * per_ring + i, ring * per_ring + (i + 1) % per_ring);
            solid.quad(a, b, b + per_ring, a + per_ring);
        }
    }
    let top = (rings - 1) * per_ring;
    for i in 1..per_ring - 1 {
        solid.tri(0, i + 1, i);
        solid.tri(top, top + i, top + i + 1);
    }
    solid
}

/// A cylinder with `n` sides.
pub fn cylinder(radius: f32, height: f32, n: usize) -> Solid {
    frustum(radius, radius, height, n)
}

/// A truncated cone with radii at the bottom and at the top.
pub fn frustum(bottom: f32, top: f32, height: f32, n: usize) -> Solid {
    lathe(&[vec2(bottom, 0.0), vec2(top, height)], n)
}

/// A cone with its tip up.
pub fn cone(radius: f32, height: f32, n: usize) -> Solid {
    frustum(radius, 0.0, height, n)
}

/// A regular prism with `n` sides; the same as a flat-shaded cylinder.
pub fn prism(radius: f32, height: f32, n: usize) -> Solid {
    cylinder(radius, height, n).flat()
}

/// A sphere around the origin.
pub fn sphere(radius: f32, n: usize) -> Solid {
    ellipsoid(radius, radius, radius, n)
}

/// An ellipsoid around the origin with `n` sides and about `n / 2` rings.
pub fn ellipsoid(x: f32, y: f32, z: f32, n: usize) -> Solid {
    // Half as many rings as sides gives about square faces.
    let rings = (n / 2).max(3);
    let profile: Vec<Vec2> = (0..=rings)
        .map(|i| {
            let angle = PI * i as f32 / rings as f32 - FRAC_PI_2;
            vec2(if i == 0 || i == rings { 0.0 } else { angle.cos() }, angle.sin())
        })
        .collect();
    lathe(&profile, n).scale(x, y, z)
}

/// The upper half of a sphere, closed, on `y = 0`.
pub fn hemisphere(radius: f32, n: usize) -> Solid {
    dome(radius, radius, n)
}

/// The upper half of an ellipsoid, closed, on `y = 0`.
pub fn dome(radius: f32, height: f32, n: usize) -> Solid {
    let rings = (n / 4).max(2);
    let profile: Vec<Vec2> = (0..=rings)
        .map(|i| {
            let angle = FRAC_PI_2 * i as f32 / rings as f32;
            vec2(if i == rings { 0.0 } else { angle.cos() * radius }, angle.sin() * height)
        })
        .collect();
    lathe(&profile, n)
}

/// A cylinder between two points with hemispherical ends.
pub fn capsule(from: Vec3, to: Vec3, radius: f32, n: usize) -> Solid {
    let length = from.distance(to);
    let rings = (n / 4).max(2);
    let cap = |i: usize| {
        let angle = FRAC_PI_2 * i as f32 / rings as f32;
        // Exactly 0 at the pole: cos(π/2) is not, and would leave a hole.
        vec2(if i == rings { 0.0 } else { angle.cos() * radius }, angle.sin() * radius)
    };
    // The lower cap mirrored, then the upper one: together one profile from pole to pole.
    let below = (0..=rings).rev().map(|i| cap(i) * vec2(1.0, -1.0));
    let above = (0..=rings).map(|i| cap(i) + vec2(0.0, length));
    let profile: Vec<Vec2> = below.chain(above).collect();
    lathe(&profile, n).along(to - from).translated(from)
}

/// A cylinder between two points.
pub fn rod(from: Vec3, to: Vec3, radius: f32, n: usize) -> Solid {
    tapered_rod(from, to, radius, radius, n)
}

/// A truncated cone between two points.
pub fn tapered_rod(from: Vec3, to: Vec3, radius_from: f32, radius_to: f32, n: usize) -> Solid {
    frustum(radius_from, radius_to, from.distance(to), n).along(to - from).translated(from)
}

/// A rectangular bar between two points: `width` along x (where possible), `thickness` in the other direction.
pub fn bar(from: Vec3, to: Vec3, width: f32, thickness: f32) -> Solid {
    cuboid(width, from.distance(to), thickness).along(to - from).translated(from)
}

/// A torus around the y axis, centered: major radius, and radius of the tube.
pub fn torus(radius: f32, tube: f32, n: usize, tube_sides: usize) -> Solid {
    let sides = tube_sides.max(3);
    let profile: Vec<Vec2> = (0..sides)
        .map(|i| {
            let angle = TAU * i as f32 / sides as f32;
            vec2(radius + tube * angle.cos(), tube * angle.sin())
        })
        .collect();
    lathe_loop(&profile, n)
}

/// A flat ring (washer, wheel rim) on `y = 0`.
pub fn washer(outer: f32, inner: f32, height: f32, n: usize) -> Solid {
    lathe_loop(&[vec2(inner, 0.0), vec2(outer, 0.0), vec2(outer, height), vec2(inner, height)], n)
}

/// A box without a lid: outer sizes, and thickness of walls and floor.
pub fn open_box(width: f32, height: f32, depth: f32, wall: f32) -> Solid {
    let side = cuboid(wall, height, depth).at((width - wall) / 2.0, 0.0, 0.0).mirrored_x();
    let front = cuboid(width - 2.0 * wall, height, wall).at(0.0, 0.0, (depth - wall) / 2.0).mirrored_z();
    side.join(front).join(cuboid(width - 2.0 * wall, wall, depth - 2.0 * wall))
}

/// An upright rectangular frame in the xy plane: outer sizes, width of its bars, depth along z.
pub fn frame(width: f32, height: f32, bar: f32, depth: f32) -> Solid {
    let posts = cuboid(bar, height, depth).at((width - bar) / 2.0, 0.0, 0.0).mirrored_x();
    let rail = cuboid(width - 2.0 * bar, bar, depth);
    posts.join(rail.clone()).join(rail.at(0.0, height - bar, 0.0))
}

/// A box with different rectangles as bottom and top, each as (width, back z, front z, y).
pub fn wedge(bottom: [f32; 4], top: [f32; 4]) -> Solid {
    let corners = [bottom, top];
    cuboid(1.0, 1.0, 1.0).map(|p| {
        let [w, back, front, y] = corners[usize::from(p.y > 0.5)];
        vec3(p.x * w, y, if p.z > 0.0 { front } else { back })
    })
}
