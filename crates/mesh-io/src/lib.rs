//! Reading and writing 3D files: one file or folder per format.
//!
//! Untrusted bytes give a [`Scene`](lexiform_geometry::Scene) or a [`ReadError`], never a panic, a hang, or unbounded
//! memory. This crate knows no tensors, no async runtime and no network.

mod builder;
mod color;
mod columns;
mod dae;
mod error;
mod format;
mod gltf;
mod image_file;
mod info;
mod las;
pub mod limits;
mod npy;
mod npz;
mod obj;
mod off;
mod pcd;
mod ply;
mod polygon;
mod read;
mod sidecar;
mod sniff;
mod source;
mod stl;
mod text;
mod walk;
mod write;
mod xyz;

pub use error::ReadError;
pub use format::{Format, UpAxis};
pub use info::{FileInfo, SurfaceInfo, info, info_with};
pub use read::{ReadOptions, material_library_sidecars, read, read_bytes, read_with, sidecars};
pub use sidecar::Sidecar;
pub use walk::{HEAD_BYTES, WalkResult, is_asset, walk};
pub use write::{GlbError, WriteError, write, write_glb};
