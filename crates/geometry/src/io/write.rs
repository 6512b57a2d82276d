//! Writing scenes: GLB for all; OBJ with MTL, STL, PLY, OFF for triangles; PLY, PCD, XYZ, NPY for points.

use std::path::{Path, PathBuf};

use glam::{Vec3, Vec4};
use lexiform_formats::write_file;

use super::{
    Format, UpAxis,
    gltf::write_glb,
    write_mesh::{obj, off, stl},
    write_points::{npy, pcd, ply, xyz},
};
use crate::{Scene, srgb_from_linear};

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
    #[error("{}: {format} holds {holds}, the scene has none", path.display())]
    NothingToWrite {
        /// The file.
        path: PathBuf,
        /// Name of the format.
        format: &'static str,
        /// What it could hold.
        holds: &'static str,
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

/// A file to be: what stands beside the main one has the main one's folder.
pub(super) struct Output {
    pub bytes: Vec<u8>,
    /// Names and contents.
    pub beside: Vec<(String, Vec<u8>)>,
}

impl From<Vec<u8>> for Output {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, beside: Vec::new() }
    }
}

/// Writes a scene in the format of the file name's ending, in the axes that format is read with. Each file is
/// complete or absent: it is written under another name first.
pub fn write(path: &Path, scene: &Scene) -> Result<(), WriteError> {
    let output = encode(path, scene)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for (name, bytes) in &output.beside {
        write_file(&folder.join(name), bytes)?;
    }
    Ok(write_file(path, &output.bytes)?)
}

fn encode(path: &Path, scene: &Scene) -> Result<Output, WriteError> {
    let unknown = || WriteError::UnknownFormat { path: path.to_owned() };
    let format = Format::from_path(path).ok_or_else(unknown)?;
    let nothing = |holds| WriteError::NothingToWrite { path: path.to_owned(), format: format.name(), holds };
    let turned = || Turn { file_from_world: format.up_axis() };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let triangles = || if scene.n_faces() > 0 { Ok(()) } else { Err(nothing("triangles")) };
    let points = || {
        let cloud = Points::of(scene, turned());
        if cloud.positions.is_empty() { Err(nothing("points")) } else { Ok(cloud) }
    };
    match format {
        Format::Glb if scene.is_empty() => Err(nothing("triangles and points")),
        Format::Glb => match write_glb(scene) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(WriteError::Image { path: path.to_owned(), message: error.to_string() }),
        },
        Format::Obj => obj(path, scene, &stem),
        Format::Stl => triangles().map(|()| stl(scene, turned()).into()),
        Format::Off => triangles().map(|()| off(scene, turned()).into()),
        Format::Ply => Ok(ply(scene).into()),
        Format::Pcd => Ok(pcd(&points()?).into()),
        Format::Xyz => Ok(xyz(&points()?).into()),
        Format::Npy => Ok(npy(&points()?).into()),
        _ => Err(unknown()),
    }
}

/// World to file axes.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    file_from_world: UpAxis,
}

impl Turn {
    /// A position or direction in the file's axes.
    pub fn apply(self, v: Vec3) -> Vec3 {
        match self.file_from_world {
            UpAxis::X => Vec3::new(v.y, -v.x, v.z),
            UpAxis::Y => v,
            UpAxis::Z => Vec3::new(v.x, -v.z, v.y),
        }
    }
}

/// Linear to display bytes.
pub(super) fn bytes_of(color: Vec4) -> [u8; 4] {
    let [r, g, b, a] = color.to_array();
    let alpha = (a.clamp(0.0, 1.0) * 255.0).round() as u8;
    [srgb_from_linear(r), srgb_from_linear(g), srgb_from_linear(b), alpha]
}

/// All points of a scene, or the vertices of its meshes where it has none. Colors and normals are there only if
/// every part has them.
pub(super) struct Points {
    pub positions: Vec<Vec3>,
    pub colors: Option<Vec<[u8; 3]>>,
    pub normals: Option<Vec<Vec3>>,
}

impl Points {
    /// Gathers them in the file's axes.
    pub fn of(scene: &Scene, turn: Turn) -> Self {
        let byte = |c: Vec3| {
            let [r, g, b, _] = bytes_of(c.extend(1.0));
            [r, g, b]
        };
        let mut parts = Self { positions: Vec::new(), colors: Some(Vec::new()), normals: Some(Vec::new()) };
        if scene.n_points() > 0 {
            for cloud in &scene.clouds {
                let colors = cloud.colors().map(|c| c.iter().map(|c| byte(*c)).collect());
                parts.append(turn, cloud.positions(), colors, cloud.normals());
            }
        } else {
            for mesh in &scene.meshes {
                let colors = mesh.colors().map(|c| c.iter().map(|c| byte(c.truncate())).collect());
                parts.append(turn, mesh.positions(), colors, mesh.normals());
            }
        }
        parts
    }

    fn append(
        &mut self,
        turn: Turn,
        positions: &[Vec3],
        colors: Option<Vec<[u8; 3]>>,
        normals: Option<&[Vec3]>,
    ) {
        self.positions.extend(positions.iter().map(|p| turn.apply(*p)));
        self.colors = self.colors.take().zip(colors).map(|(mut all, colors)| {
            all.extend(colors);
            all
        });
        self.normals = self.normals.take().zip(normals).map(|(mut all, normals)| {
            all.extend(normals.iter().map(|n| turn.apply(*n)));
            all
        });
    }
}
