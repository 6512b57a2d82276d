//! 3D shapes as plain data: reading files, normalizing, sampling, neighbors and rendering.
//!
//! Coordinates are right-handed with **+Y up**. Colors are linear RGB in `0..=1` here, sRGB in images.
//! This crate knows no tensors, no async runtime and no network.

pub mod alike;
mod camera;
pub mod contact_sheet;
pub mod io;
mod material;
mod mesh;
pub mod neighbors;
pub mod normalize;
mod point_cloud;
pub mod render;
pub mod resize;
pub mod retouch;
mod rig;
pub mod sample;
mod scene;
pub mod shapes;

pub use camera::{Camera, Rig, Views};
pub use material::{AlphaMode, Material, Texture, TextureUse, Wrap};
pub use mesh::{Mesh, MeshError};
pub use point_cloud::{PointCloud, PointCloudError};
pub use rig::{RigKind, UnknownRig};
pub use scene::{Bounds, Scene};

/// sRGB byte → linear value in `0..=1` (IEC 61966-2-1).
pub fn linear_from_srgb(byte: u8) -> f32 {
    let value = f32::from(byte) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Linear value → sRGB byte, rounded; values outside `0..=1` are clamped, NaN becomes 0.
pub fn srgb_from_linear(value: f32) -> u8 {
    let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
    let encoded = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
    (encoded * 255.0).round() as u8
}
