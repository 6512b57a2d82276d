//! Everyday things made by rule, with captions: what the built-in model learns from.
//!
//! Each [`Category`] draws a new build every time: sizes, parts, materials and style vary as they do between the
//! assets of games, catalogs and scans. A family of categories is one file with a `CATEGORIES` table; [`categories`]
//! lists them all. The same category and seed always give the same specimen.

mod captions;
pub mod kit;
mod questions;
mod variation;

// Families, in the order of the registry.
mod appliances;
mod bags;
mod bathroom;
mod containers;
mod cutlery;
mod electronics;
mod food;
mod fruit;
mod furniture;
mod gadgets;
mod home;
mod lighting;
mod lounge;
mod stationery;
mod storage;
mod sweets;
mod tableware;
mod toiletries;
mod tools;
mod vegetables;

// Families of what lives, moves, grows and stands outside, and what their builders share.
mod accessories;
mod aircraft;
mod animals;
mod birds;
mod boats;
mod buildings;
mod clay;
mod clothing;
mod critters;
mod cycles;
mod dinosaurs;
mod ground;
mod heads;
mod instruments;
mod people;
mod plants;
mod quadruped;
mod sea;
mod shooting;
mod species;
mod street;
mod towers;
mod toys;
mod treasures;
mod trees;
mod trucks;
mod vehicles;
mod weapons;
mod wild_animals;

use std::sync::LazyLock;

pub use captions::captions;
pub(crate) use kit::fnv1a;
pub use kit::{Attributes, Builder, Rng, Specimen};
pub use questions::{Aspect, Question, is_unseen, questions};
pub use variation::{UpAxis, Variation};

/// A kind of thing, and how to make one.
#[derive(Clone, Copy, Debug)]
pub struct Category {
    /// The noun in singular, lower case: "fire hydrant".
    pub name: &'static str,
    /// Other nouns for the same thing.
    pub synonyms: &'static [&'static str],
    /// The wider noun: "furniture", "food", "animal".
    pub supercategory: &'static str,
    /// Makes one.
    pub build: fn(&mut Rng) -> Specimen,
}

/// Tables of all families, one line a file.
#[rustfmt::skip]
const FAMILIES: &[&[Category]] = &[
    furniture::CATEGORIES,
    lounge::CATEGORIES,
    storage::CATEGORIES,
    lighting::CATEGORIES,
    home::CATEGORIES,
    bathroom::CATEGORIES,
    appliances::CATEGORIES,
    electronics::CATEGORIES,
    gadgets::CATEGORIES,
    containers::CATEGORIES,
    bags::CATEGORIES,
    stationery::CATEGORIES,
    toiletries::CATEGORIES,
    tableware::CATEGORIES,
    cutlery::CATEGORIES,
    fruit::CATEGORIES,
    vegetables::CATEGORIES,
    food::CATEGORIES,
    sweets::CATEGORIES,
    tools::CATEGORIES,

    // What lives, moves, grows and stands outside.
    animals::CATEGORIES,
    wild_animals::CATEGORIES,
    birds::CATEGORIES,
    critters::CATEGORIES,
    dinosaurs::CATEGORIES,
    sea::CATEGORIES,
    people::CATEGORIES,
    trucks::CATEGORIES,
    vehicles::CATEGORIES,
    aircraft::CATEGORIES,
    cycles::CATEGORIES,
    boats::CATEGORIES,
    trees::CATEGORIES,
    ground::CATEGORIES,
    plants::CATEGORIES,
    towers::CATEGORIES,
    buildings::CATEGORIES,
    street::CATEGORIES,
    shooting::CATEGORIES,
    weapons::CATEGORIES,
    accessories::CATEGORIES,
    clothing::CATEGORIES,
    instruments::CATEGORIES,
    treasures::CATEGORIES,
    toys::CATEGORIES,
];

static ALL: LazyLock<Vec<Category>> = LazyLock::new(|| FAMILIES.concat());

/// All categories.
pub fn categories() -> &'static [Category] {
    &ALL
}

/// The category of this name.
pub fn category(name: &str) -> Option<&'static Category> {
    categories().iter().find(|c| c.name == name)
}

/// A specimen of `categories()[category_index]`, which must exist; the same one for the same seed.
pub fn generate(category_index: usize, seed: u64) -> Specimen {
    categories()[category_index].generate(seed)
}

impl Category {
    /// A row of a family's table: name, synonyms, supercategory, maker.
    pub const fn new(
        name: &'static str,
        synonyms: &'static [&'static str],
        supercategory: &'static str,
        build: fn(&mut Rng) -> Specimen,
    ) -> Self {
        Self { name, synonyms, supercategory, build }
    }

    /// A specimen; the same one for the same seed, whatever other categories there are.
    pub fn generate(&self, seed: u64) -> Specimen {
        (self.build)(&mut Rng::named(self.name, seed))
    }
}

#[cfg(test)]
mod tests;
