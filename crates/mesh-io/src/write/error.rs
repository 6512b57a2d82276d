//! Errors of writers.

use std::path::PathBuf;

/// Why a scene cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The file cannot be written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The extension is of no writable format.
    #[error("{}: expected the extension glb, obj, stl, ply, 3mf, off, pcd, xyz or npy", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The scene has nothing that the format can hold.
    #[error("{}: {format} holds {supported}, the scene has none", path.display())]
    NothingToWrite {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// What the format can hold.
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
