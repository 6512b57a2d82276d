//! Modeling kit: solids, paints, random numbers, and the builder that collects them.
//!
//! A category's function samples sizes from an [`Rng`], adds painted [`Solid`]s to a [`Builder`], and records their attributes.
//! Lengths are in metres at real size; the front faces **+Z** (as in glTF), up is +Y, and the ground is `y = 0`.
//!
//! ```
//! use lexiform_shapes::kit::{Builder, MaterialKind, Rng, cylinder};
//!
//! let mut rng = Rng::new(7);
//! let mut b = Builder::new(&mut rng);
//! let paint = rng.paint("red", MaterialKind::Wood);
//! b.add("seat", cylinder(0.2, 0.04, b.segments).at(0.0, 0.45, 0.0), paint);
//! b.main_paint(paint);
//! b.counted_part(3, "leg", "legs");
//! let stool = b.build();
//! assert_eq!(stool.attributes.parts, ["three legs"]);
//! assert_eq!(stool.scene.bounds().map(|b| b.min.y), Some(0.0));
//! ```

mod builder;
mod figure;
mod modify;
mod paint;
mod polygon;
mod primitives;
mod rng;
mod solid;
mod sweep;

pub use std::f32::consts::{FRAC_PI_2, PI};

pub use builder::{Attributes, Builder, Specimen};
pub use figure::{FigureStyle, add_eyes, add_split, split};
pub use modify::hash_noise;
pub(crate) use paint::PALETTE as PALETTE_COLORS;
pub use paint::{Color, MaterialKind, Paint};
pub use polygon::{
    circle, extrude, extrude_beveled, leaf, mirrored, outline, rect, sheet, side_profile, star, triangulate,
};
pub use primitives::{
    bar, capsule, cone, cuboid, cylinder, dome, ellipsoid, frame, frustum, hemisphere, open_box, prism, rod,
    rounded_box, sphere, tapered_rod, torus, washer, wedge,
};
pub use rng::Rng;
pub use solid::{Shading, Solid};
pub use sweep::{
    Ring, arc, curve, handle, lathe, lathe_loop, lathe_open, lathe_square, loft, loft_square, ring,
    smooth_outline, tube, tube_with, vessel,
};

#[cfg(test)]
mod tests;
