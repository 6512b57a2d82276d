//! What belongs together in a scan of a room: the up axis, planes, superpoints and proposals of objects, without learned weights.
//!
//! [`segment`] does it all: points become voxels, the largest planes are found by [RANSAC], the floor, walls and ceiling among them are
//! removed, and what remains is grouped by density at several scales, split above flat tops, and merged from superpoints.
//! [`superpoints`] is the segmentation of meshes that ScanNet's annotations are made of.
//!
//! ```
//! use glam::{Vec3, vec3};
//! use lexiform_geometry::{PointCloud, Scene};
//! use lexiform_segment::{SegmentConfig, segment};
//!
//! // A floor of 4 m with two boxes of points on it.
//! let grid = |n: i32, step: f32| (0..n * n).map(move |i| vec3((i % n) as f32, 0.0, (i / n) as f32) * step);
//! let mut points: Vec<Vec3> = grid(200, 0.02).collect();
//! for corner in [vec3(1.0, 0.2, 1.0), vec3(2.5, 0.2, 2.5)] {
//!     for level in 0..20 {
//!         points.extend(grid(20, 0.02).map(|p| p + corner + Vec3::Y * level as f32 * 0.02));
//!     }
//! }
//! let scene = Scene::from_cloud(PointCloud::new(points)?);
//! let found = segment(&scene, &SegmentConfig::default());
//! assert!(found.up.abs_diff_eq(Vec3::Y, 1e-3));
//! // Whatever else is proposed has neighbors that it is not separate from.
//! assert_eq!(found.proposals.iter().filter(|proposal| proposal.objectness > 0.9).count(), 2);
//! # Ok::<(), lexiform_geometry::PointCloudError>(())
//! ```
//!
//! [RANSAC]: https://doi.org/10.1145/358669.358692

mod components;
mod graph;
mod kmeans;
mod merging;
mod parts;
mod planes;
mod proposals;
mod samples;
mod segmentation;
mod structure;
pub mod superpoints;
mod supports;
mod up;
mod voxels;

pub use kmeans::kmeans;
pub use parts::shape_parts;
pub use planes::{Plane, PlaneConfig, find_planes};
pub use proposals::{Proposal, overlap};
pub use samples::SceneSamples;
pub use segmentation::{SegmentConfig, Segmentation, segment};
pub use structure::Structure;
pub use voxels::VoxelGrid;
