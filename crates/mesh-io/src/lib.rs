//! Readers and writers of 3D files: one module per format.
//!
//! ```
//! use std::path::Path;
//! use lexiform_mesh_io::{ReadOptions, read_bytes};
//!
//! let obj = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nf 1 2 3 4\n";
//! let scene = read_bytes(Path::new("square.obj"), obj, &ReadOptions::default())?;
//! assert_eq!((scene.n_vertices(), scene.n_faces()), (4, 2));
//!
//! let error = read_bytes(Path::new("broken.obj"), b"f 1 2 3\n", &ReadOptions::default()).unwrap_err();
//! assert!(error.to_string().starts_with("broken.obj: "));
//! # Ok::<(), lexiform_mesh_io::ReadError>(())
//! ```
//!
//! Untrusted bytes give a [`Scene`](lexiform_geometry::Scene) or a [`ReadError`], never a panic, a hang, or unbounded
//! memory. This crate links no tensor library, async runtime or network code.

mod amf;
mod archive;
mod axis;
mod builder;
mod color;
mod columns;
mod corner_merger;
mod cursor;
mod dae;
mod drc;
mod dxf;
mod e57;
mod error;
mod fbx;
mod format;
mod gltf;
mod image_file;
mod info;
mod large_cloud;
mod las;
pub mod limits;
mod npy;
mod npz;
mod obj;
mod off;
mod pcd;
mod ply;
mod polygon;
mod primitive;
mod read;
mod regular_file;
mod sidecar;
mod sniff;
mod source;
mod splat;
mod stl;
mod surface;
mod tds;
mod text;
mod thinning;
mod threemf;
mod unpack;
mod up;
mod usd;
mod views;
mod vox;
mod vrml;
mod walk;
mod write;
mod xml;
mod xyz;

pub use axis::UpAxis;
pub use error::ReadError;
pub use format::Format;
pub use info::{FileInfo, SurfaceInfo, info, info_with};
pub use read::{
    ReadOptions, is_readable, material_library_sidecars, read, read_bytes, read_with, read_with_format,
    sidecars,
};
pub use regular_file::open_regular_file;
pub use sidecar::Sidecar;
pub use up::{Orientation, UnknownUpRule, UpRule, UpSource, turn_cloud_upright, turn_upright};
pub use views::{image_size, is_image, strip_views, thin_views, view_files};
pub use walk::{HEAD_BYTES, WalkResult, is_asset, walk};
pub use write::{GlbError, WriteError, write, write_glb, written_sidecars};
