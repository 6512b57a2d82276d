//! 3D shapes as plain data: scenes, cameras, normalization, sampling, neighbors, registration.
//!
//! ```
//! use glam::Vec3;
//! use lexiform_geometry::normalize::{Center, normalize_unit_sphere};
//! use lexiform_geometry::sample::sample_surface;
//! use lexiform_geometry::{Mesh, Scene};
//! use rand::SeedableRng as _;
//!
//! let triangle = Mesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]])?;
//! let (scene, _) = normalize_unit_sphere(Scene::from_mesh(triangle), Center::Bounds);
//! let cloud = sample_surface(&scene, 1000, &mut rand::rngs::SmallRng::seed_from_u64(1));
//! assert_eq!(cloud.positions().len(), 1000);
//! assert!(cloud.positions().iter().all(|p| p.length() <= 1.0001));
//! # Ok::<(), lexiform_geometry::MeshError>(())
//! ```
//!
//! Coordinates are right-handed with **+Y up**. Colors are linear RGB in `0..=1`; images are sRGB.
//! This crate links no file readers, tensor library, async runtime or network code.

mod camera;
pub mod color;
mod material;
mod mesh;
pub mod neighbors;
pub mod normalize;
pub mod normals;
mod point_cloud;
pub mod registration;
pub mod resize;
mod rig;
pub mod sample;
mod scene;
pub mod surface;
pub mod test_shapes;
pub mod upright;

pub use camera::{Camera, Rig, Views};
pub use color::{linear_from_srgb, srgb_from_linear};
pub use material::{AlphaMode, Material, Texture, TextureRef, Wrap};
pub use mesh::{Mesh, MeshError};
pub use point_cloud::{PointCloud, PointCloudError};
pub use rig::{RigKind, UnknownRig};
pub use scene::{Bounds, Scene};
