//! From a file, or its bytes, to a scene: the format is recognized, its reader called, the result turned upright.

use std::io::{self, BufRead, Read as _};
use std::path::Path;

use lexiform_geometry::Scene;

use crate::archive::Archive;
use crate::large_cloud::file_content;
use crate::sidecar::{Sidecar, Sidecars};
use crate::source::Source;
use crate::unpack::Unpacked;
use crate::up::turned;
use crate::{
    Format, Orientation, ReadError, UpAxis, UpRule, UpSource, amf, dae, drc, dxf, e57, fbx, gltf, las,
    limits, npy, npz, obj, off, pcd, ply, sniff, splat, stl, tds, text, threemf, usd, vox, vrml, xyz,
};

/// Options for facts that files do not contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// How the up axis is found.
    pub up: UpRule,
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

/// Reads any supported file, with options.
///
/// # Errors
///
/// As [`read`].
pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Scene, ReadError> {
    read_with_format(path, options).map(|(scene, _)| scene)
}

/// Reads any supported file, with options, and returns the format that its content has: the one of the 3D file inside an archive.
///
/// # Errors
///
/// As [`read`].
pub fn read_with_format(path: &Path, options: &ReadOptions) -> Result<(Scene, Format), ReadError> {
    open_path(path, options).map(|loaded| (loaded.scene, loaded.format))
}

/// Reads a file from memory. Its extension and the folder for referenced files are from `path`.
///
/// # Errors
///
/// As [`read`].
pub fn read_bytes(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<Scene, ReadError> {
    open(path, bytes, options).map(|opened| opened.scene)
}

/// Whether a file with this name may be a 3D file, or an archive with one; reading says.
///
/// ```
/// use std::path::Path;
/// use lexiform_mesh_io::is_readable;
///
/// assert!(is_readable(Path::new("chair.glb")) && is_readable(Path::new("chair.stl.gz")));
/// assert!(!is_readable(Path::new("notes.md.gz")));
/// ```
pub fn is_readable(path: &Path) -> bool {
    Format::from_path(path).is_some() || Archive::from_path(path).is_some()
}

/// The files that a 3D file at `path` with this content references directly, sorted by path. Those that a material library
/// references in turn are found by [`material_library_sidecars`]. An invalid file has none. Only the part with the references is
/// read.
///
/// ```
/// use std::path::Path;
/// use lexiform_mesh_io::sidecars;
///
/// let found = sidecars(Path::new("a.obj"), &b"mtllib wood.mtl\nv 0 0 0\n"[..])?;
/// assert_eq!(found[0].path, "wood.mtl");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// When the content cannot be read.
pub fn sidecars(path: &Path, content: impl BufRead) -> io::Result<Vec<Sidecar>> {
    let mut sidecars = Sidecars::default();
    match Format::from_path(path) {
        Some(Format::Gltf | Format::Glb) => gltf::sidecars(content, &mut sidecars)?,
        Some(Format::Obj) => obj::sidecars(content, &mut sidecars)?,
        Some(Format::Ply) => ply::sidecars(path, content, &mut sidecars)?,
        Some(format @ (Format::Dae | Format::Fbx | Format::Tds | Format::X3d)) => {
            let mut bytes = Vec::new();
            content.take(limits::FILE_BYTES).read_to_end(&mut bytes)?;
            let bytes = text::without_byte_order_mark(&bytes);
            match format {
                Format::Dae => dae::sidecars(&bytes, &mut sidecars),
                Format::Fbx => fbx::sidecars(&bytes, &mut sidecars),
                Format::Tds => tds::sidecars(&bytes, &mut sidecars),
                _ => vrml::sidecars(&Source { path, bytes: &bytes, format: format.name() }, &mut sidecars),
            }
        }
        _ => {}
    }
    Ok(sidecars.into_vec())
}

/// The textures that a material library (MTL) references, sorted by path, relative to the library's folder.
///
/// # Errors
///
/// When the content cannot be read.
pub fn material_library_sidecars(content: impl BufRead) -> io::Result<Vec<Sidecar>> {
    let mut sidecars = Sidecars::default();
    obj::library_sidecars(content, &mut sidecars)?;
    Ok(sidecars.into_vec())
}

/// A scene with its format, and the up axis that it has in the file.
pub(crate) struct LoadedFile {
    pub scene: Scene,
    pub format: Format,
    pub orientation: Orientation,
    /// Size of the file.
    pub bytes: u64,
}

/// Reads a file; of a large cloud, a part of the points.
pub(crate) fn open_path(path: &Path, options: &ReadOptions) -> Result<LoadedFile, ReadError> {
    let content = file_content(path)?;
    let mut loaded = open(path, &content.bytes, options)?;
    loaded.scene.notes.splice(0..0, content.note);
    loaded.bytes = content.file_bytes;
    Ok(loaded)
}

fn open(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<LoadedFile, ReadError> {
    if let Some(archive) = Archive::from_path(path) {
        let unpacked = Unpacked::open(archive, path, bytes)?;
        // The temporary folder is gone when the message is read.
        let content = file_content(&unpacked.file).map_err(|error| error.at(path))?;
        let mut loaded =
            open_file(&unpacked.file, &content.bytes, options).map_err(|error| error.at(path))?;
        loaded.scene.notes.splice(0..0, unpacked.note.iter().cloned().chain(content.note));
        loaded.bytes = bytes.len() as u64;
        return Ok(loaded);
    }
    open_file(path, bytes, options)
}

fn open_file(path: &Path, bytes: &[u8], options: &ReadOptions) -> Result<LoadedFile, ReadError> {
    let content = text::without_byte_order_mark(bytes);
    let found = sniff::format(path, &content)?;
    let source = Source { path, bytes: &content, format: found.format.name() };
    let (scene, stated) = read_format(&source, found.format)?;
    let orientation = options.up.resolve(&scene, Orientation::of_format(found.format, stated));
    let mut scene = turned(scene, orientation.axis);
    // A guess is said where it changes something.
    if orientation.source == UpSource::Shape && orientation.axis != UpAxis::Y {
        scene.notes.insert(0, format!("up axis: {}", orientation.describe(found.format)));
    }
    // A wrong extension explains the other notes, so it comes first.
    scene.notes.splice(0..0, found.note);
    if scene.notes.len() > limits::NOTES {
        let more = scene.notes.len() - limits::NOTES;
        scene.notes.truncate(limits::NOTES);
        scene.notes.push(format!("and {more} more notes"));
    }
    if scene.is_empty() {
        return Err(ReadError::Empty { path: path.to_owned(), notes: scene.notes });
    }
    Ok(LoadedFile { scene, format: found.format, orientation, bytes: bytes.len() as u64 })
}

/// The scene in the file's own axes, and the one that points up if the file states it.
fn read_format(source: &Source, format: Format) -> Result<(Scene, Option<UpAxis>), ReadError> {
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
        Format::Fbx => return fbx::read(source),
        Format::Usd => return usd::read(source),
        Format::ThreeMf => threemf::read(source),
        Format::Amf => amf::read(source),
        Format::Tds => tds::read(source),
        Format::Dxf => dxf::read(source),
        Format::X3d => vrml::read(source),
        Format::Vox => vox::read(source),
        Format::Drc => drc::read(source),
        Format::Splat => splat::read(source),
        Format::E57 => e57::read(source),
    }?;
    Ok((scene, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(name: &str, content: &[u8]) -> Vec<String> {
        sidecars(Path::new(name), content).unwrap().into_iter().map(|sidecar| sidecar.path).collect()
    }

    #[test]
    fn sidecars_are_what_readers_look_for() {
        let json = br#"{"asset":{"version":"2.0"},"buffers":[{"uri":"a%20b.bin"},{"uri":"data:;base64,AA"}],
            "images":[{"uri":"t\\u.png"},{},{"uri":"../../c.png"},{"uri":"http://d/e.png"}]}"#;
        assert_eq!(names("a.gltf", json), ["a b.bin", "t/u.png"]);
        let chunk = [&(json.len() as u32).to_le_bytes()[..], b"JSON", json].concat();
        assert_eq!(
            names("a.glb", &[b"glTF\x02\0\0\0\xff\xff\xff\xff", &chunk[..], b"BIN"].concat()).len(),
            2
        );
        let obj = b"# mtllib no.mtl\nmtllib a.mtl\r\nv 0 0 0\nmtllib x\\b.mtl c.mtl\n";
        assert_eq!(names("a.obj", obj), ["a.mtl", "c.mtl", "x/b.mtl", "x/b.mtl c.mtl"]);
        let ply = b"ply\nformat ascii 1.0\ncomment TextureFile my wood.png\nend_header\n";
        assert_eq!(names("a.ply", ply), ["my wood.png"]);
        let dae = b"<COLLADA><library_images><image><init_from>file://../a%20b.png</init_from></image>\
            <image><init_from><ref>c.png</ref></init_from></image></library_images></COLLADA>";
        assert_eq!(names("a.dae", dae), ["../a b.png", "c.png"]);
        let x3d = "<X3D><Scene><Shape><Appearance><ImageTexture url='\"a b.png\" \"http://c/d.png\"'/></Appearance></Shape></Scene></X3D>";
        for mark in ["", "\u{feff}"] {
            assert_eq!(names("a.x3d", format!("{mark}{x3d}").as_bytes()), ["a b.png"]);
            assert_eq!(names("a.dae", &[mark.as_bytes(), dae].concat()), ["../a b.png", "c.png"]);
        }
        for (name, broken) in
            [("a.gltf", "{"), ("a.glb", "glTF"), ("a.ply", "p"), ("a.dae", "<"), ("a.stl", "s")]
        {
            assert!(names(name, broken.as_bytes()).is_empty(), "{name}");
        }
    }

    #[test]
    fn libraries_name_textures_of_all_kinds() {
        let library =
            b"newmtl a\nmap_Kd -s 1 1 1 my wood.png\n\tbump -bm 0.5 maps\\b.png\nnorm n.png\nKd 1 1 1\n";
        let found = material_library_sidecars(&library[..]).unwrap();
        let paths: Vec<_> = found.iter().map(|sidecar| &sidecar.path[..]).collect();
        assert_eq!(paths, ["maps/b.png", "my wood.png", "n.png"]);
    }
}
