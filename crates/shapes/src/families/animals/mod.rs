//! Animals: four-legged ones from one skeleton, and birds, insects and fish from plans of their own.

pub(super) mod birds;
pub(super) mod critters;
pub(super) mod dinosaurs;
pub(super) mod domestic;
mod heads;
mod quadruped;
pub(super) mod sea;
mod species;
pub(super) mod wild;

use crate::category::Category;
use crate::kit::{Rng, Specimen};
use species::{Coat, Head, Marks, Pose};

/// A row of the table.
const fn animal(
    name: &'static str,
    synonyms: &'static [&'static str],
    build: fn(&mut Rng) -> Specimen,
) -> Category {
    Category { name, synonyms, supercategory: "animal", build }
}

const fn coat(main: &'static str, rest: [&'static str; 4], marks: Marks) -> Coat {
    let [belly, socks, muzzle, tip] = rest;
    Coat { main, belly, socks, muzzle, tip, marks }
}

const fn plain(main: &'static str) -> Coat {
    coat(main, ["", "", "", ""], Marks::Plain)
}

const fn head(length: f32, skull: (f32, f32), muzzle: f32, tip: (f32, f32), drop: f32, pitch: f32) -> Head {
    Head { length, skull, muzzle, tip, drop, pitch }
}

const GRAZERS: &[Pose] = &[Pose::Standing, Pose::Standing, Pose::Walking, Pose::Grazing];

const RUNNERS: &[Pose] = &[Pose::Standing, Pose::Standing, Pose::Walking, Pose::Running, Pose::Grazing];

const HUNTERS: &[Pose] = &[
    Pose::Standing,
    Pose::Standing,
    Pose::Walking,
    Pose::Running,
    Pose::Sitting,
    Pose::Sitting,
    Pose::Lying,
];

const WALKERS: &[Pose] = &[Pose::Standing, Pose::Standing, Pose::Walking];
