//! Generates 3D shapes of everyday objects with captions, the training data of the built-in model.
//!
//! Each [`Category`] generates a different [`Specimen`] for every seed: sizes, parts, materials and style vary as they do in
//! game assets, catalogs and scans. Generation is deterministic: equal category and seed give equal specimens.
//!
//! ```
//! use lexiform_shapes::{Rng, captions, category};
//!
//! let chair = category("chair").expect("there is a category of chairs");
//! let specimen = chair.generate(7);
//! assert!(specimen.scene.n_faces() > 0);
//!
//! // Increasing detail, from the class name to parts and materials.
//! let captions = captions(chair, &specimen, &mut Rng::new(1));
//! assert_eq!(captions.len(), 5);
//! ```
//!
//! [`facts`] describes the categories in everyday words. Each file in `families/` has a `CATEGORIES` table; [`categories`]
//! lists them all. They are built with the solids, paints and random numbers of [`kit`].

mod captions;
mod category;
mod color_words;
mod facts;
mod families;
pub mod kit;
mod questions;
mod room;
mod variation;

pub use captions::{captions, description};
pub use category::Category;
pub use color_words::{MeasuredColors, without_colors};
pub use facts::{Facts, facts};
pub use families::{categories, category, generate};
pub use kit::{Attributes, Builder, Rng, Specimen};
pub use questions::{Aspect, Question, is_unseen, questions};
pub use room::{Room, RoomConfig, RoomInstance, RoomScan, ScanConfig};
pub use variation::{FileUpAxis, Variation};

#[cfg(test)]
mod tests;
