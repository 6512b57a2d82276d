//! Which layout a folder or file of a labeled scene has.

use std::path::Path;

use super::LabeledScene;
use super::failures::unreadable;
use super::replica::{read_replica_scene, replica_mesh};
use super::s3dis::{is_s3dis_room, read_s3dis_room};
use super::scannet::{is_scannet_mesh, read_scannet_scene};
use crate::EvalError;

/// Reads the labeled scenes in a folder: rooms of S3DIS (a folder with `Annotations/`), scenes of ScanNet (a mesh with its
/// `segs.json` and `aggregation.json`) and of Replica (a mesh with `info_semantic.json`), in this folder or in those below it, sorted by path.
///
/// # Errors
/// If there are none, or one cannot be read.
pub fn read_scene_layout(folder: &Path) -> Result<Vec<LabeledScene>, EvalError> {
    let mut scenes = Vec::new();
    collect(folder, &mut scenes)?;
    if scenes.is_empty() {
        return Err(EvalError::Input {
            message: format!("{}: no labeled scenes", folder.display()),
            hint: Some("expected rooms of S3DIS (Annotations/*.txt), scenes of ScanNet (*.ply, *.segs.json, *.aggregation.json) or of Replica (mesh_semantic.ply, info_semantic.json)".to_owned()),
        });
    }
    Ok(scenes)
}

fn collect(folder: &Path, scenes: &mut Vec<LabeledScene>) -> Result<(), EvalError> {
    if is_s3dis_room(folder) {
        scenes.push(read_s3dis_room(folder)?);
        return Ok(());
    }
    if let Some(mesh) = replica_mesh(folder) {
        scenes.push(read_replica_scene(folder, &mesh)?);
        return Ok(());
    }
    let entries = fs_err::read_dir(folder).map_err(|error| unreadable(&error))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            collect(&path, scenes)?;
        } else if is_scannet_mesh(&path) {
            scenes.push(read_scannet_scene(&path)?);
        }
    }
    Ok(())
}
