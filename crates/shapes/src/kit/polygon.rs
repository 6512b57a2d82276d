//! Polygons, and solids extruded from them.

use glam::{Vec2, Vec3, vec2, vec3};

use super::{FRAC_PI_2, Solid};

/// Extrudes a simple polygon in the xy plane by `depth` along z, centered.
pub fn extrude(outline: &[Vec2], depth: f32) -> Solid {
    extrude_beveled(outline, depth, 0.0)
}

/// Extrudes an outline of (z, y) points by `width` along x, centered.
pub fn side_profile(points: &[(f32, f32)], width: f32) -> Solid {
    extrude(&outline(points), width).rot_y(-FRAC_PI_2)
}

/// Like [`extrude`], but with front and back scaled toward the centroid by `bevel` (0–1); 1 gives edges like a blade's.
pub fn extrude_beveled(outline: &[Vec2], depth: f32, bevel: f32) -> Solid {
    let outline = counter_clockwise(outline);
    let n = outline.len();
    if n < 3 {
        return Solid::default();
    }
    let middle = outline.iter().sum::<Vec2>() / n as f32;
    let inner: Vec<Vec2> = outline.iter().map(|&p| p.lerp(middle, bevel)).collect();
    let layers: &[(&[Vec2], f32)] = if bevel > 0.0 {
        &[(&inner, -0.5), (&outline, 0.0), (&inner, 0.5)]
    } else {
        &[(&outline, -0.5), (&outline, 0.5)]
    };
    let mut solid = Solid::default();
    for (points, z) in layers {
        solid.positions.extend(points.iter().map(|p| vec3(p.x, p.y, z * depth)));
    }
    for layer in 0..layers.len() - 1 {
        for i in 0..n {
            let (a, b) = (layer * n + i, layer * n + (i + 1) % n);
            solid.quad(a, b, b + n, a + n);
        }
    }
    let top = (layers.len() - 1) * n;
    for [a, b, c] in triangulate(&outline) {
        solid.tri(c, b, a);
        solid.tri(top + a, top + b, top + c);
    }
    solid
}

/// A leaf or petal without thickness, along +Z from the origin, pointed at both ends. `bend` raises (or lowers) its tip, `fold`
/// raises its edges.
pub fn leaf(length: f32, width: f32, bend: f32, fold: f32) -> Solid {
    let steps = 5;
    let mut solid = Solid::default();
    for i in 0..=steps {
        let t = i as f32 / steps as f32;
        let half = width * 0.5 * (std::f32::consts::PI * t.powf(0.8)).sin().max(0.0);
        let y = bend * t * t;
        for (side, lift) in [(-1.0, fold), (0.0, 0.0), (1.0, fold)] {
            solid.positions.push(vec3(side * half, y + lift * half, length * t));
        }
    }
    for i in 0..steps {
        let a = i * 3;
        solid.quad(a, a + 3, a + 4, a + 1);
        solid.quad(a + 1, a + 4, a + 5, a + 2);
    }
    solid
}

/// A rectangle in the xy plane, from `y = 0` up, facing +Z.
pub fn rect(width: f32, height: f32) -> Solid {
    let x = width / 2.0;
    let positions = vec![vec3(-x, 0.0, 0.0), vec3(x, 0.0, 0.0), vec3(x, height, 0.0), vec3(-x, height, 0.0)];
    let mut solid = Solid { positions, ..Solid::default() };
    solid.quad(0, 1, 2, 3);
    solid
}

/// A thin sheet through rows of points, which must have equal lengths.
pub fn sheet(rows: &[Vec<Vec3>]) -> Solid {
    let width = rows.first().map_or(0, Vec::len);
    let mut solid = Solid { positions: rows.iter().flatten().copied().collect(), ..Solid::default() };
    if rows.iter().any(|r| r.len() != width) {
        return Solid::default();
    }
    for row in 0..rows.len().saturating_sub(1) {
        for i in 0..width.saturating_sub(1) {
            let a = row * width + i;
            solid.quad(a, a + 1, a + width + 1, a + width);
        }
    }
    solid
}

/// A regular polygon's or circle's outline around the origin, first point up.
pub fn circle(radius: f32, n: usize) -> Vec<Vec2> {
    star(radius, radius, n)
}

/// A star: `n` points that alternate between two radii, the first one up.
pub fn star(outer: f32, inner: f32, n: usize) -> Vec<Vec2> {
    (0..n)
        .map(|i| {
            let (sin, cos) = (std::f32::consts::TAU * i as f32 / n as f32).sin_cos();
            vec2(-sin, cos) * if i % 2 == 0 { outer } else { inner }
        })
        .collect()
}

/// Converts points to an outline.
pub fn outline(points: &[(f32, f32)]) -> Vec<Vec2> {
    points.iter().map(|&(x, y)| vec2(x, y)).collect()
}

/// Completes the right half of a symmetric outline, from bottom to top, by its mirror image at `x = 0`.
pub fn mirrored(right: &[(f32, f32)]) -> Vec<Vec2> {
    let left = right.iter().rev().filter(|p| p.0.abs() > 1e-6).map(|&(x, y)| vec2(-x, y));
    right.iter().map(|&(x, y)| vec2(x, y)).chain(left).collect()
}

/// Triangulates a simple polygon by [ear clipping](https://en.wikipedia.org/wiki/Polygon_triangulation#Ear_clipping_method).
/// What is left of an invalid polygon is dropped.
pub fn triangulate(outline: &[Vec2]) -> Vec<[usize; 3]> {
    let mut rest: Vec<usize> = (0..outline.len()).collect();
    let mut triangles = Vec::with_capacity(outline.len().saturating_sub(2));
    while rest.len() >= 3 {
        let n = rest.len();
        let ear = (0..n).find(|&i| is_ear(outline, &rest, i));
        let Some(i) = ear else { break };
        triangles.push([rest[(i + n - 1) % n], rest[i], rest[(i + 1) % n]]);
        rest.remove(i);
    }
    triangles
}

fn is_ear(outline: &[Vec2], rest: &[usize], i: usize) -> bool {
    let n = rest.len();
    let (before, after) = (rest[(i + n - 1) % n], rest[(i + 1) % n]);
    let (a, b, c) = (outline[before], outline[rest[i]], outline[after]);
    // A reflex corner is no ear.
    if (b - a).perp_dot(c - b) < 0.0 {
        return false;
    }
    let inside = |p: Vec2| {
        (b - a).perp_dot(p - a) > 0.0 && (c - b).perp_dot(p - b) > 0.0 && (a - c).perp_dot(p - c) > 0.0
    };
    n == 3 || !rest.iter().any(|&k| k != before && k != rest[i] && k != after && inside(outline[k]))
}

fn counter_clockwise(outline: &[Vec2]) -> Vec<Vec2> {
    // Twice the signed area (shoelace formula).
    let area: f32 = (0..outline.len()).map(|i| outline[i].perp_dot(outline[(i + 1) % outline.len()])).sum();
    if area < 0.0 { outline.iter().rev().copied().collect() } else { outline.to_vec() }
}
