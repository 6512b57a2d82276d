//! Writers: GLB for everything; OBJ with MTL, 3MF, STL, PLY, OFF for triangles; PLY, PCD, XYZ, NPY for points.

mod error;
mod glb;
mod mesh;
mod output;
mod points;
mod threemf;

use std::path::{Path, PathBuf};

use lexiform_formats::write_file;
use lexiform_geometry::Scene;

pub use self::error::WriteError;
pub use self::glb::{GlbError, write_glb};
use self::mesh::{obj, obj_sidecars, off, stl};
use self::output::{AxisConversion, Output, Points};
use self::points::{npy, pcd, ply, xyz};
use crate::Format;

/// Writes a scene in the format of the file name's extension, with that format's up axis. Files are written atomically.
///
/// ```
/// use glam::Vec3;
/// use lexiform_geometry::{Mesh, Scene};
///
/// let scene = Scene::from_mesh(Mesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]])?);
/// let path = std::env::temp_dir().join(format!("lexiform-triangle-{}.stl", std::process::id()));
/// lexiform_mesh_io::write(&path, &scene)?;
/// assert_eq!(lexiform_mesh_io::read(&path)?.n_faces(), 1);
/// std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// When the extension is of no writable format, the format cannot hold what the scene has, a texture cannot be encoded, or the
/// file cannot be written.
pub fn write(path: &Path, scene: &Scene) -> Result<(), WriteError> {
    let output = encode(path, scene)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    // Sidecars first, so that the main file never refers to files that do not exist yet.
    for (name, bytes) in &output.sidecars {
        write_file(&folder.join(name), bytes)?;
    }
    Ok(write_file(path, &output.bytes)?)
}

/// Files that [`write`](write()) writes next to `path`: the material library and textures of OBJ.
pub fn written_sidecars(path: &Path, scene: &Scene) -> Vec<PathBuf> {
    if Format::from_path(path) != Some(Format::Obj) {
        return Vec::new();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    obj_sidecars(scene, &stem).map(|name| path.with_file_name(name)).collect()
}

fn encode(path: &Path, scene: &Scene) -> Result<Output, WriteError> {
    let unknown = || WriteError::UnknownFormat { path: path.to_owned() };
    let format = Format::from_path(path).ok_or_else(unknown)?;
    let nothing =
        |supported| WriteError::NothingToWrite { path: path.to_owned(), format: format.name(), supported };
    let axis_conversion = || AxisConversion { file_from_world: format.up_axis() };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let triangles = || if scene.n_faces() > 0 { Ok(()) } else { Err(nothing("triangles")) };
    let points = || {
        let cloud = Points::from_scene(scene, axis_conversion());
        if cloud.positions.is_empty() { Err(nothing("points")) } else { Ok(cloud) }
    };
    match format {
        Format::Glb if scene.is_empty() => Err(nothing("triangles and points")),
        Format::Glb => match write_glb(scene) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(WriteError::Image { path: path.to_owned(), message: error.to_string() }),
        },
        Format::Obj => obj(path, scene, &stem),
        Format::ThreeMf => {
            triangles().and_then(|()| Ok(threemf::threemf(path, scene, axis_conversion())?.into()))
        }
        Format::Stl => triangles().map(|()| stl(scene, axis_conversion()).into()),
        Format::Off => triangles().map(|()| off(scene, axis_conversion()).into()),
        Format::Ply => Ok(ply(scene).into()),
        Format::Pcd => Ok(pcd(&points()?).into()),
        Format::Xyz => Ok(xyz(&points()?).into()),
        Format::Npy => Ok(npy(&points()?).into()),
        _ => Err(unknown()),
    }
}
