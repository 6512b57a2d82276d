//! Categories of shapes.

use crate::kit::{Rng, Specimen};

/// A category of shapes.
///
/// ```
/// let mug = lexiform_shapes::category("mug").expect("mug is a category");
/// assert_eq!(mug.generate(3).scene, mug.generate(3).scene);
/// assert_ne!(mug.generate(3).scene, mug.generate(4).scene);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Category {
    /// The noun in singular, lower case: "fire hydrant".
    pub name: &'static str,
    /// Synonyms.
    pub synonyms: &'static [&'static str],
    /// Supercategory, as in COCO: "furniture", "food", "animal".
    pub supercategory: &'static str,
    /// Generates a specimen.
    pub build: fn(&mut Rng) -> Specimen,
}

impl Category {
    /// A row of a family's table.
    pub const fn new(
        name: &'static str,
        synonyms: &'static [&'static str],
        supercategory: &'static str,
        build: fn(&mut Rng) -> Specimen,
    ) -> Self {
        Self { name, synonyms, supercategory, build }
    }

    /// Generates the specimen of a seed; it does not depend on other categories.
    pub fn generate(&self, seed: u64) -> Specimen {
        (self.build)(&mut Rng::named(self.name, seed))
    }
}
