//! Scenes of [ScanNet](https://arxiv.org/abs/1702.04405): a mesh, the segment of each vertex (`*.segs.json`), and the objects as lists of
//! segments (`*.aggregation.json`); +Z up.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use glam::Vec3;
use lexiform_mesh_io::{ReadOptions, UpAxis, UpRule, read_with};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::failures::{invalid, unreadable};
use super::labeled_scene::NO_INSTANCE;
use super::{LabeledScene, SceneInstance};
use crate::EvalError;

/// Ending of the meshes that are annotated.
const MESH: &str = "_vh_clean_2.ply";
/// Endings of the annotations, after the name of the scene.
const SEGMENTS: &str = "_vh_clean_2.0.010000.segs.json";
const OBJECTS: [&str; 2] = [".aggregation.json", "_vh_clean.aggregation.json"];

#[derive(Deserialize)]
struct Segments {
    #[serde(rename = "segIndices")]
    of_vertices: Vec<u32>,
}

#[derive(Deserialize)]
struct Aggregation {
    #[serde(rename = "segGroups")]
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    label: String,
    segments: Vec<u32>,
}

pub(super) fn is_scannet_mesh(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(MESH) && sibling(path, SEGMENTS).is_file()
}

/// A file of the same scene.
fn sibling(mesh: &Path, ending: &str) -> PathBuf {
    let name = mesh.file_name().unwrap_or_default().to_string_lossy();
    mesh.with_file_name(format!("{}{ending}", name.strip_suffix(MESH).unwrap_or(&name)))
}

/// Reads a scene. A triangle is of the instance that most of its corners are of, the first of three different ones.
pub(super) fn read_scannet_scene(path: &Path) -> Result<LabeledScene, EvalError> {
    let options = ReadOptions { up: UpRule::Axis(UpAxis::Z) };
    let scene = read_with(path, &options).map_err(|error| invalid(path, &error.to_string()))?;
    let segments: Segments = json(&sibling(path, SEGMENTS))?;
    let aggregation = OBJECTS.iter().map(|ending| sibling(path, ending)).find(|file| file.is_file());
    let aggregation: Aggregation =
        json(&aggregation.ok_or_else(|| invalid(path, "no aggregation.json next to it"))?)?;
    let vertices = scene.n_vertices();
    if segments.of_vertices.len() != vertices {
        let found = segments.of_vertices.len();
        return Err(invalid(path, &format!("expected segments of {vertices} vertices, found {found}")));
    }
    let mut of_segments = HashMap::new();
    for (object, instance) in aggregation.objects.iter().zip(0_u32..) {
        of_segments.extend(object.segments.iter().map(|&segment| (segment, instance)));
    }
    let of_vertex =
        |v: u32| of_segments.get(&segments.of_vertices[v as usize]).copied().unwrap_or(NO_INSTANCE);
    let mut of_elements = Vec::with_capacity(scene.n_faces());
    let mut first = 0;
    for mesh in &scene.meshes {
        let faces = mesh.faces().iter().map(|face| majority(face.map(|v| of_vertex(first + v))));
        of_elements.extend(faces);
        first += mesh.positions().len() as u32;
    }
    let instances = aggregation.objects.iter().map(|object| SceneInstance::new(&object.label)).collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(MESH).unwrap_or(&name).to_owned();
    // The reader turned it.
    Ok(LabeledScene { name, scene, up: Vec3::Y, instances, of_elements })
}

fn majority([a, b, c]: [u32; 3]) -> u32 {
    if b == c { b } else { a }
}

fn json<T: DeserializeOwned>(path: &Path) -> Result<T, EvalError> {
    let bytes = fs_err::read(path).map_err(|error| unreadable(&error))?;
    serde_json::from_slice(&bytes).map_err(|error| invalid(path, &error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triangles_are_of_the_segments_of_their_corners() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "scene0000_00_vh_clean_2.ply",
            "ply\nformat ascii 1.0\nelement vertex 5\nproperty float x\nproperty float y\nproperty float z\n\
             element face 2\nproperty list uchar int vertex_indices\nend_header\n\
             0 0 0\n1 0 0\n0 1 0\n1 1 0\n2 1 1\n3 0 1 2\n3 2 3 4\n",
        );
        write("scene0000_00_vh_clean_2.0.010000.segs.json", r#"{"params":{},"segIndices":[7,7,7,3,3]}"#);
        let objects = r#"{"segGroups":[{"id":0,"label":"Chair","segments":[3]},{"id":1,"label":"floor","segments":[9]}]}"#;
        write("scene0000_00.aggregation.json", objects);
        let path = folder.path().join("scene0000_00_vh_clean_2.ply");
        assert!(is_scannet_mesh(&path));
        let scene = read_scannet_scene(&path).unwrap();
        assert_eq!(scene.of_elements, [NO_INSTANCE, 0]);
        assert_eq!(scene.instances[0], SceneInstance { label: "chair".into(), is_object: true });
        write("scene0000_00_vh_clean_2.0.010000.segs.json", r#"{"segIndices":[7]}"#);
        assert!(read_scannet_scene(&path).unwrap_err().to_string().contains("5 vertices, found 1"));
    }
}
