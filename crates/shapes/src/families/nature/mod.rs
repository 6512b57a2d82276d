//! Plants, trees and what covers the ground.

pub(super) mod ground;
pub(super) mod plants;
pub(super) mod trees;

use crate::category::Category;
use crate::kit::*;

const GREENS: &[&str] = &["green", "green", "dark green", "light green"];

/// A row of a table of this kind of thing.
const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "nature", build }
}

fn green(rng: &mut Rng) -> Paint {
    rng.paint_of(GREENS, MaterialKind::Plain)
}

fn bark(rng: &mut Rng) -> Paint {
    rng.paint_of(&["brown", "brown", "dark brown", "tan", "gray"], MaterialKind::Wood)
}

/// A lump of leaves: a ball with bumps.
fn lump(rng: &mut Rng, r: f32, n: usize, rough: f32) -> Solid {
    ellipsoid(r, r * rng.between(0.7, 1.0), r, n).displaced(r * rough, rng)
}
