//! Procedurally generated 3D shapes of everyday things, with captions: what the built-in model learns from.
//!
//! Each [`Category`] generates a different [`Specimen`] for every seed: sizes, parts, materials and style vary as they do
//! between the assets of games, catalogs and scans. The same category and seed always give the same specimen.
//!
//! ```
//! use lexiform_shapes::{Rng, captions, category};
//!
//! let chair = category("chair").expect("there is a category of chairs");
//! let specimen = chair.generate(7);
//! assert!(specimen.scene.n_faces() > 0);
//!
//! // From a bare noun to parts and materials.
//! let captions = captions(chair, &specimen, &mut Rng::new(1));
//! assert_eq!(captions.len(), 5);
//! ```
//!
//! A family of categories is one file in `families/` with a `CATEGORIES` table; [`categories`] lists them all. [`kit`] has
//! the solids, paints and random numbers that they are built with.

mod captions;
mod category;
mod families;
pub mod kit;
mod questions;
mod variation;

pub use captions::captions;
pub use category::Category;
pub use families::{categories, category, generate};
pub use kit::{Attributes, Builder, Rng, Specimen};
pub use questions::{Aspect, Question, is_unseen, questions};
pub use variation::{FileUpAxis, Variation};

#[cfg(test)]
mod tests;
