//! Reading and writing 3D files, one format one file.
//!
//! Untrusted bytes give a [`Scene`] or a [`ReadError`], never a panic, a hang, or unbounded memory.

mod gltf;

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Scene;

/// Bounds on what one file may ask for.
pub mod limits {
    /// Largest file that is read, in bytes.
    pub const FILE_BYTES: u64 = 2 << 30;
    /// Most vertices or points of one file.
    pub const VERTICES: usize = 20_000_000;
    /// Most triangles of one file.
    pub const FACES: usize = 20_000_000;
    /// Largest edge of a texture in pixels.
    pub const TEXTURE_EDGE: u32 = 16_384;
    /// Memory for one decoded texture, in bytes.
    pub const TEXTURE_BYTES: u64 = 256 << 20;
}

/// A file format Lexiform reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// glTF 2.0 JSON.
    Gltf,
    /// glTF 2.0 binary.
    Glb,
    /// Wavefront OBJ.
    Obj,
    /// Stereolithography, text or binary.
    Stl,
    /// Stanford polygon file.
    Ply,
    /// Object file format (OFF, COFF, NOFF …).
    Off,
    /// COLLADA.
    Dae,
    /// Point Cloud Library.
    Pcd,
    /// Rows of numbers: XYZ, PTS, TXT, CSV.
    Xyz,
    /// ASPRS LAS.
    Las,
    /// Compressed LAS.
    Laz,
    /// NumPy array.
    Npy,
    /// Zip of NumPy arrays.
    Npz,
}

/// Why a file gives no scene.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The name or the content belongs to no known format.
    #[error("{}: not a 3D format Lexiform reads ({found})", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What its ending or first bytes say.
        found: String,
    },
    /// The content breaks the format's rules.
    #[error("{}: invalid {format}: {message}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// Where, expected, found.
        message: String,
    },
    /// Valid, but it needs something Lexiform does not do.
    #[error("{}: {format} needs {feature}, which is not supported", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// What it needs.
        feature: String,
    },
    /// It would take more memory than a shape may.
    #[error("{}: {what} is {found}, the limit is {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Which quantity.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The limit.
        limit: u64,
    },
    /// It holds nothing to look at.
    #[error("{}: no triangles and no points", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
}

impl Format {
    /// The format a file name's ending stands for.
    pub fn from_path(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match ending.as_str() {
            "gltf" => Self::Gltf,
            "glb" | "vrm" => Self::Glb,
            "obj" => Self::Obj,
            "stl" => Self::Stl,
            "ply" => Self::Ply,
            "off" => Self::Off,
            "dae" => Self::Dae,
            "pcd" => Self::Pcd,
            "xyz" | "xyzrgb" | "xyzn" | "pts" | "txt" | "asc" | "csv" => Self::Xyz,
            "las" => Self::Las,
            "laz" => Self::Laz,
            "npy" => Self::Npy,
            "npz" => Self::Npz,
            _ => return None,
        })
    }
}

/// Reads any supported file.
pub fn read(path: &Path) -> Result<Scene, ReadError> {
    let unknown = || ReadError::UnknownFormat {
        path: path.to_owned(),
        found: path.extension().map_or("no file name ending".to_owned(), |e| format!(".{}", e.display())),
    };
    let format = Format::from_path(path).ok_or_else(unknown)?;
    match format {
        Format::Gltf | Format::Glb => gltf::read(path, &read_bytes(path)?),
        _ => Err(ReadError::Unsupported {
            path: path.to_owned(),
            format: "format",
            feature: format!("{format:?}"),
        }),
    }
}

/// All bytes of a file of bounded size.
fn read_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let file = fs_err::File::open(path)?;
    let found = file.metadata()?.len();
    if found > limits::FILE_BYTES {
        let path = path.to_owned();
        return Err(ReadError::TooLarge {
            path,
            what: "file size in bytes",
            found,
            limit: limits::FILE_BYTES,
        });
    }
    let mut bytes = Vec::with_capacity(found as usize);
    file.take(limits::FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
