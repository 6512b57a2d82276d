//! Reading a command's 3D file.

use std::path::Path;

use lexiform_geometry::Scene;
use lexiform_mesh_io::{Format, ReadError, ReadOptions, UpRule};

use crate::error::WithHint as _;
use crate::output;

/// Reads a 3D file; notes about it go to standard error.
pub(crate) fn read_scene(path: &Path, up: UpRule) -> anyhow::Result<Scene> {
    read_scene_with_format(path, up).map(|(scene, _)| scene)
}

/// As [`read_scene`], with the format that the content has.
pub(crate) fn read_scene_with_format(path: &Path, up: UpRule) -> anyhow::Result<(Scene, Format)> {
    if !path.exists() {
        return Err(not_found(path));
    }
    let (scene, format) = match lexiform_mesh_io::read_with_format(path, &ReadOptions { up }) {
        // `info` could not open it either.
        Err(ReadError::Io(error)) => return Err(error.into()),
        read => read.hint("`lexiform info FILE` shows what the file contains")?,
    };
    for text in &scene.notes {
        output::note(output::single_line(&format!("note: {}: {text}", path.display())));
    }
    Ok((scene, format))
}

/// The error for a path that does not exist.
pub(crate) fn not_found(path: &Path) -> anyhow::Error {
    lexiform_search::Error::NotFound { path: path.to_owned() }.into()
}
