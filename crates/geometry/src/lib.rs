//! 3D shapes as plain data: scenes, cameras, normalization, sampling, neighbors, registration.
//!
//! Coordinates are right-handed with **+Y up**. Colors are linear RGB in `0..=1` here, sRGB in images.
//! This crate knows no files, no tensors, no async runtime and no network.

mod camera;
pub mod color;
mod material;
mod mesh;
pub mod neighbors;
pub mod normalize;
mod point_cloud;
pub mod registration;
pub mod resize;
mod rig;
pub mod sample;
mod scene;
pub mod surface;
pub mod test_shapes;

pub use camera::{Camera, Rig, Views};
pub use color::{linear_from_srgb, srgb_from_linear};
pub use material::{AlphaMode, Material, Texture, TextureRef, Wrap};
pub use mesh::{Mesh, MeshError};
pub use point_cloud::{PointCloud, PointCloudError};
pub use rig::{RigKind, UnknownRig};
pub use scene::{Bounds, Scene};
