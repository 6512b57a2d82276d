//! Why a scene is not written.

use std::path::PathBuf;

/// Why a scene is not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file cannot be made.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The ending names no format that is written.
    #[error("{}: expected an ending of glb, obj, stl, ply, off, pcd, xyz or npy", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The format has no place for what the scene holds.
    #[error("{}: {format} holds {supported}, the scene has none", path.display())]
    NothingToWrite {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// What it could hold.
        supported: &'static str,
    },
    /// A texture cannot be encoded.
    #[error("{}: {message}", path.display())]
    Image {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        message: String,
    },
}
