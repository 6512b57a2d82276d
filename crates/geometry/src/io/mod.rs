//! Reading and writing 3D files, one format one file.
//!
//! Untrusted bytes give a [`Scene`] or a [`ReadError`], never a panic, a hang, or unbounded memory.

mod color;
mod columns;
mod dae;
mod dae_material;
mod dae_mesh;
mod draft;
mod format;
mod gltf;
mod image_file;
mod info;
mod las;
mod laz;
mod laz_gps;
mod lzf;
mod mtl;
mod npy;
mod npz;
mod obj;
mod off;
mod pcd;
mod ply;
mod ply_header;
mod ply_vertex;
mod polygon;
mod sniff;
mod source;
mod stl;
mod text;
mod walk;
mod write;
mod write_mesh;
mod write_points;
mod xyz;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

pub use self::format::{Format, UpAxis};
pub use self::gltf::{GlbError, write_glb};
pub use self::info::{FileInfo, SurfaceInfo, info, info_with};
use self::source::Source;
pub use self::walk::{Found, HEAD_BYTES, is_asset, walk};
pub use self::write::{WriteError, write};
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
    /// Memory for all textures of one file, in bytes.
    pub const ALL_TEXTURE_BYTES: u64 = 1 << 30;
    /// Largest text file beside a 3D file, in bytes.
    pub const SIDE_FILE_BYTES: u64 = 64 << 20;
    /// Most notes about one file.
    pub const NOTES: usize = 100;
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

/// What a file does not say about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The axis that points up; `None` is the format's habit (see [`Format::up_axis`]).
    pub up: Option<UpAxis>,
}

/// Reads any supported file.
pub fn read(path: &Path) -> Result<Scene, ReadError> {
    read_with(path, &ReadOptions::default())
}

/// Reads any supported file, with what the caller knows about it.
pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Scene, ReadError> {
    read_bytes(path, &file_bytes(path)?, options)
}

/// Reads a file whose content is in memory. `path` gives its name; files beside it are looked up there.
pub fn read_bytes(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Scene, ReadError> {
    open(path, bytes, options).map(|opened| opened.scene)
}

/// A scene and what was found out on the way to it.
struct Opened {
    scene: Scene,
    format: Format,
    up: UpAxis,
}

fn open(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Opened, ReadError> {
    let content = text::without_byte_order_mark(bytes);
    let found = sniff::format(path, &content)?;
    let source = Source { path, bytes: &content, format: found.format.name() };
    let (scene, up) = read_format(&source, found.format)?;
    let up = options.up.unwrap_or(up);
    let mut scene = if up == UpAxis::Y { scene } else { scene.transformed(up.world_from_file()) };
    scene.notes.splice(0..0, found.note);
    if scene.notes.len() > limits::NOTES {
        let more = scene.notes.len() - limits::NOTES;
        scene.notes.truncate(limits::NOTES);
        scene.notes.push(format!("and {more} more notes"));
    }
    if scene.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned() });
    }
    Ok(Opened { scene, format: found.format, up })
}

/// The scene in the file's own axes, and the one that points up.
fn read_format(source: &Source, format: Format) -> Result<(Scene, UpAxis), ReadError> {
    let scene = match format {
        Format::Gltf | Format::Glb => gltf::read(source.path, source.bytes),
        Format::Obj => obj::read(source),
        Format::Ply => ply::read(source),
        Format::Stl => stl::read(source),
        Format::Off => off::read(source),
        Format::Pcd => pcd::read(source),
        Format::Xyz => xyz::read(source),
        Format::Las | Format::Laz => las::read(source),
        Format::Npy => npy::read(source),
        Format::Npz => npz::read(source),
        Format::Dae => return dae::read(source),
    }?;
    Ok((scene, format.up_axis()))
}

/// The whole file, if it is a file of bearable size.
fn file_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
    let file = fs_err::File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ReadError::UnknownFormat {
            path: path.to_owned(),
            found: "not a regular file".to_owned(),
        });
    }
    let too_large = |found| ReadError::TooLarge {
        path: path.to_owned(),
        what: "file size",
        found,
        limit: limits::FILE_BYTES,
    };
    if metadata.len() > limits::FILE_BYTES {
        return Err(too_large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let read = file.take(limits::FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if read as u64 > limits::FILE_BYTES { Err(too_large(read as u64)) } else { Ok(bytes) }
}
