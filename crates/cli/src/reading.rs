//! Reading a 3D file that a command was given.

use std::path::Path;

use lexiform_geometry::Scene;

use crate::failure::WithHint as _;
use crate::output;

/// The file's scene; what is odd about the file is told on standard error.
pub fn read_scene(path: &Path) -> anyhow::Result<Scene> {
    if !path.exists() {
        return Err(not_found(path));
    }
    let scene = lexiform_mesh_io::read(path).hint("`lexiform info FILE` says what the file holds")?;
    scene.notes.iter().for_each(|text| output::note(format!("note: {text}")));
    Ok(scene)
}

/// A path that leads nowhere.
pub fn not_found(path: &Path) -> anyhow::Error {
    lexiform_search::Error::NotFound { path: path.to_owned() }.into()
}
