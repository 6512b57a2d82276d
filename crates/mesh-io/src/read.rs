//! From a file, or its bytes, to a scene: the format is recognized, its reader called, the result turned upright.

use std::{io::Read as _, path::Path};

use lexiform_geometry::Scene;

use crate::source::Source;
use crate::{
    Format, ReadError, UpAxis, dae, gltf, las, limits, npy, npz, obj, off, pcd, ply, sniff, stl, text, xyz,
};

/// What a file does not say about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The axis that points up; `None` is the format's habit (see [`Format::up_axis`]).
    pub up: Option<UpAxis>,
}

/// Reads any supported file.
///
/// # Errors
///
/// When the file cannot be read, is of no known format, breaks the rules of its format, exceeds the [limits], or holds
/// neither triangles nor points.
pub fn read(path: &Path) -> Result<Scene, ReadError> {
    read_with(path, &ReadOptions::default())
}

/// Reads any supported file, with what the caller knows about it.
///
/// # Errors
///
/// As [`read`].
pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Scene, ReadError> {
    read_bytes(path, &file_bytes(path)?, options)
}

/// Reads a file whose content is in memory. `path` gives its name; other files it names are looked up in its folder.
///
/// # Errors
///
/// As [`read`].
pub fn read_bytes(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Scene, ReadError> {
    open(path, bytes, options).map(|opened| opened.scene)
}

/// A scene and what was found out on the way to it.
pub(crate) struct Opened {
    pub scene: Scene,
    pub format: Format,
    pub up: UpAxis,
}

pub(crate) fn open(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Opened, ReadError> {
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
pub(crate) fn file_bytes(path: &Path) -> Result<Vec<u8>, ReadError> {
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
