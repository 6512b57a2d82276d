//! Boxes, spheres, cones, cylinders and capsules, centered at the origin, along +Y.

use std::f64::consts::{PI, TAU};

use glam::DVec3;

use crate::surface::Surface;

/// Sides of round shapes, and rings of a sphere.
const SIDES: i64 = 32;
const RINGS: i64 = 16;

/// A box of half its edge lengths.
pub(super) fn cuboid(half: DVec3) -> Surface {
    let sign = |bit: i64| if bit == 0 { -1.0 } else { 1.0 };
    let corner = |i: i64| half * DVec3::new(sign(i & 1), sign(i & 2), sign(i & 4));
    let mut surface = Surface { positions: (0..8).map(corner).collect(), ..Surface::default() };
    let faces = [[0, 4, 6, 2], [1, 3, 7, 5], [0, 1, 5, 4], [2, 6, 7, 3], [0, 2, 3, 1], [4, 5, 7, 6]];
    faces.into_iter().for_each(|face| surface.polygons.push(face));
    surface
}

/// A sphere.
pub(super) fn sphere(radius: f64) -> Surface {
    capsule(radius, 0.0)
}

/// A cylinder of half its height between half spheres.
pub(super) fn capsule(radius: f64, half: f64) -> Surface {
    let ring = |ring: i64| {
        let angle = PI * ring as f64 / RINGS as f64;
        // Exactly at the axis, where sides have three corners.
        let at_axis = ring == 0 || ring == RINGS;
        let side = if ring < RINGS / 2 { -half } else { half };
        [if at_axis { 0.0 } else { radius * angle.sin() }, side - radius * angle.cos()]
    };
    let mut profile: Vec<[f64; 2]> = (0..=RINGS).map(ring).collect();
    if half > 0.0 {
        profile.insert(RINGS as usize / 2, [radius, -half]);
    }
    revolved(&profile)
}

/// A cone of half its height, with its tip at the top.
pub(super) fn cone(radius: f64, half: f64, has_bottom: bool) -> Surface {
    let mut profile = vec![[radius, -half], [0.0, half]];
    if has_bottom {
        profile.insert(0, [0.0, -half]);
    }
    revolved(&profile)
}

/// A cylinder of half its height, with the ends that it has.
pub(super) fn cylinder(radius: f64, half: f64, [has_bottom, has_top]: [bool; 2]) -> Surface {
    let mut profile = vec![[radius, -half], [radius, half]];
    if has_bottom {
        profile.insert(0, [0.0, -half]);
    }
    if has_top {
        profile.push([0.0, half]);
    }
    revolved(&profile)
}

/// A profile of radii and heights, from the bottom, turned about the y axis.
fn revolved(profile: &[[f64; 2]]) -> Surface {
    let mut surface = Surface::default();
    for &[radius, height] in profile {
        surface.positions.extend((0..SIDES).map(|side| {
            let angle = TAU * side as f64 / SIDES as f64;
            DVec3::new(radius * angle.sin(), height, radius * angle.cos())
        }));
    }
    for (ring, pair) in profile.windows(2).enumerate() {
        for side in 0..SIDES {
            let (low, high) = (ring as i64 * SIDES, (ring as i64 + 1) * SIDES);
            let next = (side + 1) % SIDES;
            // At the axis, a side has three corners.
            match (pair[0][0] == 0.0, pair[1][0] == 0.0) {
                (true, _) => surface.polygons.push([low, high + next, high + side]),
                (_, true) => surface.polygons.push([low + side, low + next, high]),
                _ => surface.polygons.push([low + side, low + next, high + next, high + side]),
            }
        }
    }
    surface
}
