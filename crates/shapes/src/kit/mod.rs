//! What shapes are made with: solids, paint, chance, and the builder that puts them together.
//!
//! A category's function draws sizes and builds from an [`Rng`], adds painted [`Solid`]s to a [`Builder`], and
//! says in words what it has drawn. Lengths are metres at the real thing's size; the front looks along **+Z**
//! (glTF's convention), up is +Y, and the shape stands on `y = 0`.

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
