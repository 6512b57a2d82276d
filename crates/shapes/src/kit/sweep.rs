//! Swept surfaces: lathes, tubes along curves, and lofts through rings.

use std::f32::consts::{FRAC_PI_2, TAU};

use glam::{Quat, Vec2, Vec3, vec2, vec3};

use super::Solid;

/// A surface of revolution around y. `profile` is (radius, height) from the bottom to the top of the outside; ends off the axis
/// get flat caps. For a hollow body, go up outside and down inside.
pub fn lathe(profile: &[Vec2], n: usize) -> Solid {
    let mut solid = lathe_open(profile, n);
    let n = n.max(3);
    let Some((first, last)) = profile.first().zip(profile.last()) else { return solid };
    if first.x > 0.0 {
        let center = solid.positions.len();
        solid.positions.push(vec3(0.0, first.y, 0.0));
        (0..n).for_each(|i| solid.tri(center, (i + 1) % n, i));
    }
    if last.x > 0.0 {
        let (center, ring) = (solid.positions.len(), (profile.len() - 1) * n);
        solid.positions.push(vec3(0.0, last.y, 0.0));
        (0..n).for_each(|i| solid.tri(center, ring + i, ring + (i + 1) % n));
    }
    solid
}

/// A surface of revolution without caps, such as a lamp shade.
pub fn lathe_open(profile: &[Vec2], n: usize) -> Solid {
    let n = n.max(3);
    let mut solid = Solid::default();
    for point in profile {
        // Offset by half a step, so that four-sided bodies are aligned with the axes.
        for i in 0..n {
            let (sin, cos) = (TAU * (i as f32 + 0.5) / n as f32).sin_cos();
            // A smoothed profile may overshoot the axis a little.
            let radius = point.x.max(0.0);
            solid.positions.push(vec3(radius * sin, point.y, radius * cos));
        }
    }
    for ring in 0..profile.len().saturating_sub(1) {
        for i in 0..n {
            let (a, b) = (ring * n + i, ring * n + (i + 1) % n);
            solid.quad(a, b, b + n, a + n);
        }
    }
    solid
}

/// A ring around y with a closed cross-section, counter-clockwise in (radius, height).
pub fn lathe_loop(profile: &[Vec2], n: usize) -> Solid {
    let closed: Vec<Vec2> = profile.iter().chain(profile.first()).copied().collect();
    lathe_open(&closed, n)
}

/// A [`lathe`] with rounded square cross-sections: `squareness` 0 is round, 1 nearly square.
pub fn lathe_square(profile: &[Vec2], n: usize, squareness: f32) -> Solid {
    lathe(profile, n).map(|p| {
        let radius = p.x.hypot(p.z);
        let largest = p.x.abs().max(p.z.abs());
        if largest <= 0.0 {
            return p;
        }
        let factor = 1.0 + squareness * (radius / largest - 1.0);
        vec3(p.x * factor, p.y, p.z * factor)
    })
}

/// A cross-section of a [`loft`].
#[derive(Clone, Copy, Debug)]
pub struct Ring {
    /// Its middle.
    pub center: Vec3,
    /// Half width, across x where the body does not run along x.
    pub width: f32,
    /// Half height, across the other way.
    pub height: f32,
}

/// A cross-section: middle, half width (across x) and half height.
pub fn ring(x: f32, y: f32, z: f32, width: f32, height: f32) -> Ring {
    Ring { center: vec3(x, y, z), width, height }
}

/// A body through cross-sections, such as an animal's trunk from tail to head. Rings are ellipses with `n` vertices,
/// perpendicular to the line of centers, with their width along x. The ends are closed.
pub fn loft(rings: &[Ring], n: usize) -> Solid {
    loft_square(rings, n, 0.0)
}

/// A [`loft`] with rounded rectangular cross-sections: `squareness` 0 is round, 1 nearly square.
pub fn loft_square(rings: &[Ring], n: usize, squareness: f32) -> Solid {
    let n = n.max(3);
    let mut solid = Solid::default();
    for (i, ring) in rings.iter().enumerate() {
        // Central difference of the centers, one-sided at both ends.
        let ahead = rings[(i + 1).min(rings.len() - 1)].center;
        let behind = rings[i.saturating_sub(1)].center;
        let forward = (ahead - behind).try_normalize().unwrap_or(Vec3::Z);
        // Gram–Schmidt: the part of X that is perpendicular to the direction.
        let side = Vec3::X - forward * forward.x;
        let side = side.try_normalize().filter(|_| forward.x.abs() < 0.95).unwrap_or(Vec3::Z);
        let up = forward.cross(side);
        for k in 0..n {
            let (sin, cos) = (TAU * (k as f32 + 0.5) / n as f32).sin_cos();
            let press = 1.0 + squareness * (1.0 / sin.abs().max(cos.abs()) - 1.0);
            solid
                .positions
                .push(ring.center + side * (cos * press * ring.width) + up * (sin * press * ring.height));
        }
    }
    close_rings(solid, rings.len(), n)
}

/// A tube of constant radius along a polyline, with flat ends.
pub fn tube(points: &[Vec3], radius: f32, n: usize) -> Solid {
    tube_with(points, |_| radius, n)
}

/// A tube along a polyline whose radius is a function of the relative position, from 0 at the start to 1 at the end.
pub fn tube_with(points: &[Vec3], radius: impl Fn(f32) -> f32, n: usize) -> Solid {
    let n = n.max(3);
    let mut solid = Solid::default();
    let last = points.len().saturating_sub(1);
    let mut forward = Vec3::ZERO;
    let mut side = Vec3::ZERO;
    for (i, &point) in points.iter().enumerate() {
        let tangent = points[(i + 1).min(last)] - points[i.saturating_sub(1)];
        let tangent = tangent.try_normalize().unwrap_or(if i == 0 { Vec3::Y } else { forward });
        // Parallel transport: the smallest rotation between tangents, so that the tube does not twist.
        side = if i == 0 {
            tangent.any_orthonormal_vector()
        } else {
            Quat::from_rotation_arc(forward, tangent) * side
        };
        forward = tangent;
        let up = forward.cross(side);
        let r = radius(i as f32 / last.max(1) as f32);
        for k in 0..n {
            let (sin, cos) = (TAU * k as f32 / n as f32).sin_cos();
            solid.positions.push(point + (side * cos + up * sin) * r);
        }
    }
    close_rings(solid, points.len(), n)
}

/// A Catmull–Rom spline through the points, with `steps` segments between two of them.
pub fn curve(points: &[Vec3], steps: usize) -> Vec<Vec3> {
    let last = points.len().saturating_sub(1);
    let mut line = Vec::with_capacity(last * steps + 1);
    for i in 0..last {
        let [p0, p1, p2, p3] =
            [points[i.saturating_sub(1)], points[i], points[i + 1], points[(i + 2).min(last)]];
        for step in 0..steps.max(1) {
            let t = step as f32 / steps.max(1) as f32;
            let cubic = (p1 - p2) * 3.0 + p3 - p0;
            let square = p0 * 2.0 - p1 * 5.0 + p2 * 4.0 - p3;
            line.push(p1 + ((cubic * t + square) * t + (p2 - p0)) * (t * 0.5));
        }
    }
    line.extend(points.last());
    line
}

/// A Catmull–Rom spline through 2D points, with `steps` segments between two of them.
pub fn smooth_outline(points: &[(f32, f32)], steps: usize) -> Vec<Vec2> {
    let points: Vec<Vec3> = points.iter().map(|&(x, y)| vec3(x, y, 0.0)).collect();
    curve(&points, steps).iter().map(|p| vec2(p.x, p.y)).collect()
}

/// Profile of a vessel for [`lathe`]: up the given outside and down inside, at a distance of `wall`.
pub fn vessel(outer: &[Vec2], wall: f32) -> Vec<Vec2> {
    let floor = outer.first().map_or(0.0, |p| p.y) + wall;
    let inner = outer.iter().rev().filter(|p| p.y > floor && p.x > wall).map(|p| vec2(p.x - wall, p.y));
    let inner: Vec<Vec2> = inner.collect();
    let ground = inner.last().map(|p| vec2(p.x, floor));
    outer.iter().copied().chain(inner).chain(ground).chain([vec2(0.0, floor)]).collect()
}

/// Points on an arc around the origin in the xy plane, between two angles (0 is +X).
pub fn arc(radius: f32, from: f32, to: f32, steps: usize) -> Vec<Vec3> {
    let steps = steps.max(1);
    (0..=steps)
        .map(|i| {
            let (sin, cos) = (from + (to - from) * i as f32 / steps as f32).sin_cos();
            vec3(radius * cos, radius * sin, 0.0)
        })
        .collect()
}

/// A cup's or jug's ear in the plane of x and y: from `(0, low)` to `(0, high)`, bulging to +X by `reach`.
pub fn handle(low: f32, high: f32, reach: f32, radius: f32, n: usize) -> Solid {
    let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
    let points: Vec<Vec3> = arc(1.0, -FRAC_PI_2, FRAC_PI_2, 6.max(n / 2))
        .iter()
        .map(|p| vec3(p.x * reach, middle + p.y * half, 0.0))
        .collect();
    tube(&points, radius, (n / 2).clamp(4, 8))
}

/// Joins consecutive rings of `n` vertices and closes both ends with fans.
fn close_rings(mut solid: Solid, rings: usize, n: usize) -> Solid {
    if rings < 2 {
        return Solid::default();
    }
    for r in 0..rings - 1 {
        for k in 0..n {
            let (a, b) = (r * n + k, r * n + (k + 1) % n);
            solid.quad(a, b, b + n, a + n);
        }
    }
    let top = (rings - 1) * n;
    for k in 1..n - 1 {
        solid.tri(0, k + 1, k);
        solid.tri(top, top + k, top + k + 1);
    }
    solid
}
