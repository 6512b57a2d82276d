//! Houses, towers, and what people put up in streets.

pub(super) mod houses;
pub(super) mod street;
pub(super) mod towers;

use crate::category::Category;
use crate::kit::*;

/// A row of a table of this kind of thing.
const fn row(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "building", build }
}

fn roof_paint(rng: &mut Rng) -> Paint {
    rng.paint_of(
        &["red", "dark red", "brown", "dark gray", "orange", "blue", "dark brown", "navy", "teal"],
        MaterialKind::Plain,
    )
}

fn window_paint(rng: &mut Rng) -> Paint {
    rng.paint_of(&["light blue", "light blue", "dark gray", "yellow", "navy", "white"], MaterialKind::Glass)
}
