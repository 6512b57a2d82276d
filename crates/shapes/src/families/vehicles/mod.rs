//! Vehicles on roads, rails, water and in the air.

pub(super) mod aircraft;
pub(super) mod boats;
pub(super) mod cars;
pub(super) mod cycles;
pub(super) mod trucks;

use glam::{Vec3, vec3};

use crate::category::Category;
use crate::kit::*;

/// A row of the table.
const fn vehicle(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "vehicle", build }
}

/// A tire with a hub, standing on the ground at `(0, 0, 0)`, its axle along x.
pub(super) fn wheel_at(b: &mut Builder, radius: f32, width: f32, at: Vec3, hub: Paint, tire: Paint) {
    let n = b.segments.max(8);
    let disk = |r: f32, w: f32| {
        cylinder(r, w, n).at(0.0, -w / 2.0, 0.0).rot_z(FRAC_PI_2).at(0.0, radius, 0.0).translated(at)
    };
    b.add("tire", disk(radius, width), tire);
    b.add("hub", disk(radius * 0.55, width * 1.12), hub);
}

/// Wheels on both sides at half the track and at the given z.
fn wheels(rng: &mut Rng, b: &mut Builder, radius: f32, x: f32, zs: &[f32]) {
    let tire = rng.paint_of(&["black", "black", "dark gray"], MaterialKind::Plain);
    let hub = rng.paint_of(&["light gray", "gray", "white", "dark gray", "silver"], MaterialKind::Metal);
    let width = radius * rng.between(0.5, 0.75);
    for &z in zs {
        for side in [-1.0, 1.0] {
            wheel_at(b, radius, width, vec3(side * x, 0.0, z), hub, tire);
        }
    }
}
