//! The families of categories, a file each, and the registry of them all.

mod animals;
mod buildings;
mod food;
mod furniture;
mod household;
mod leisure;
mod nature;
mod people;
mod vehicles;
mod weapons;

use std::sync::LazyLock;

use crate::category::Category;
use crate::kit::Specimen;

/// Tables of all families, one line a file.
#[rustfmt::skip]
const FAMILIES: &[&[Category]] = &[
    furniture::chairs_and_tables::CATEGORIES,
    furniture::sofas_and_beds::CATEGORIES,
    furniture::storage::CATEGORIES,
    furniture::lighting::CATEGORIES,
    furniture::interior::CATEGORIES,
    household::bathroom::CATEGORIES,
    household::appliances::CATEGORIES,
    household::electronics::CATEGORIES,
    household::gadgets::CATEGORIES,
    household::containers::CATEGORIES,
    household::bags::CATEGORIES,
    household::stationery::CATEGORIES,
    household::toiletries::CATEGORIES,
    household::tableware::CATEGORIES,
    household::cutlery::CATEGORIES,
    food::fruit::CATEGORIES,
    food::vegetables::CATEGORIES,
    food::meals::CATEGORIES,
    food::sweets::CATEGORIES,
    household::tools::CATEGORIES,

    // Living things, vehicles, buildings, weapons, clothes and toys.
    animals::domestic::CATEGORIES,
    animals::wild::CATEGORIES,
    animals::birds::CATEGORIES,
    animals::critters::CATEGORIES,
    animals::dinosaurs::CATEGORIES,
    animals::sea::CATEGORIES,
    people::figures::CATEGORIES,
    vehicles::trucks::CATEGORIES,
    vehicles::cars::CATEGORIES,
    vehicles::aircraft::CATEGORIES,
    vehicles::cycles::CATEGORIES,
    vehicles::boats::CATEGORIES,
    nature::trees::CATEGORIES,
    nature::ground::CATEGORIES,
    nature::plants::CATEGORIES,
    buildings::towers::CATEGORIES,
    buildings::houses::CATEGORIES,
    buildings::street::CATEGORIES,
    weapons::shooting::CATEGORIES,
    weapons::blades_and_armor::CATEGORIES,
    people::accessories::CATEGORIES,
    people::clothing::CATEGORIES,
    leisure::instruments::CATEGORIES,
    leisure::treasures::CATEGORIES,
    leisure::toys::CATEGORIES,
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
