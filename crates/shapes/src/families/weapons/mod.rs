//! Weapons and armor.

pub(super) mod blades_and_armor;
pub(super) mod shooting;

use crate::category::Category;
use crate::kit::*;

/// A row of a table of this kind of thing.
const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "weapon", build }
}

fn steel(rng: &mut Rng) -> Paint {
    rng.paint_of(&["silver", "silver", "light gray", "gray", "dark gray"], MaterialKind::Metal)
}

fn grip_paint(rng: &mut Rng) -> Paint {
    rng.paint_of(&["brown", "dark brown", "black", "red", "navy"], MaterialKind::Leather)
}

/// Finishes a specimen that was built upright in a random pose: upright, point down, or flat.
fn laid(rng: &mut Rng, b: &mut Builder) {
    let turn = match rng.index(6) {
        0 => glam::Quat::from_rotation_z(PI),
        1 => glam::Quat::from_rotation_z(FRAC_PI_2),
        2 => glam::Quat::from_rotation_x(FRAC_PI_2),
        3 => glam::Quat::from_rotation_z(0.7),
        _ => glam::Quat::IDENTITY,
    };
    b.transform(glam::Affine3A::from_quat(turn));
}
