//! A kind of thing, and how to make one.

use crate::kit::{Rng, Specimen};

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
