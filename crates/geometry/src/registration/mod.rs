//! Registration: finds shapes that are the same up to position, size, rotation, mirroring, triangulation and colors.
//!
//! A [`CanonicalShape`] is a shape normalized by its principal axes: points sampled uniformly from its surface, and points of
//! its clouds. Its [`Signature`] is a short descriptor that is invariant to all of the above, for finding candidates among
//! many shapes; [`CanonicalShape::register`] aligns two shapes by ICP and measures the remaining distance.
//!
//! ```
//! use glam::{Affine3A, Vec3};
//! use lexiform_geometry::registration::CanonicalShape;
//! use lexiform_geometry::{Mesh, Scene};
//!
//! let corners = vec![Vec3::ZERO, Vec3::X * 3.0, Vec3::Y * 2.0, Vec3::Z];
//! let scene = Scene::from_mesh(Mesh::new(corners, vec![[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])?);
//! let copy = scene.clone().transformed(Affine3A::from_rotation_y(0.7) * Affine3A::from_scale(Vec3::splat(9.0)));
//! let [shape, copy] = [scene, copy].map(|s| CanonicalShape::from_scene(&s).expect("the scene has a surface"));
//! assert!(shape.register(&copy).is_same());
//! # Ok::<(), lexiform_geometry::MeshError>(())
//! ```

mod canonical;
mod duplicates;
mod eigen;
mod icp;
mod moments;
mod rotations;
mod signature;

pub use canonical::CanonicalShape;
pub use duplicates::{DuplicateGroup, duplicate_groups};
pub use icp::RegistrationResult;
pub use signature::Signature;
