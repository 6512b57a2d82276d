//! A summary of a file's content and defects.

use std::path::{Path, PathBuf};

use glam::Vec3;
use serde::Serialize;

use crate::read::LoadedFile;
use crate::{Format, Orientation, ReadError, ReadOptions, UpAxis, read};
use lexiform_geometry::Mesh;

/// A summary of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileInfo {
    /// The file.
    pub path: PathBuf,
    /// Its format, by content.
    pub format: Format,
    /// Its size, without referenced files.
    pub bytes: u64,
    /// The axis that points up in the file, and why.
    #[serde(flatten)]
    pub orientation: Orientation,
    /// Number of meshes; each instance counts.
    pub meshes: usize,
    /// Number of vertices of all meshes.
    pub vertices: usize,
    /// Number of triangles.
    pub triangles: usize,
    /// Number of points of all clouds.
    pub points: usize,
    /// Number of materials.
    pub materials: usize,
    /// Width and height of each texture in pixels.
    pub texture_sizes: Vec<[u32; 2]>,
    /// Edge lengths of the bounding box along the file's own axes, in the file's unit (meters for glTF and COLLADA).
    pub extents: [f32; 3],
    /// The same after turning to +Y up.
    pub extents_y_up: [f32; 3],
    /// Whether any part has vertex or point colors.
    pub has_colors: bool,
    /// Whether any part has texture coordinates.
    pub has_uvs: bool,
    /// Whether any part has normals of its own.
    pub has_normals: bool,
    /// Mesh quality; `None` if there are no triangles.
    pub surface: Option<SurfaceInfo>,
    /// Warnings about the file, as in [`lexiform_geometry::Scene::notes`].
    pub notes: Vec<String>,
}

/// Mesh quality of all triangles together. Vertices at the same position are merged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SurfaceInfo {
    /// Whether every edge joins exactly two triangles with consistent winding.
    pub watertight: bool,
    /// Edges of only one triangle.
    pub boundary_edges: usize,
    /// Triangles without area.
    pub degenerate_triangles: usize,
    /// Vertices at the position of an earlier one (texture seams and creases have them too).
    pub duplicate_vertices: usize,
    /// Vertices of no triangle.
    pub unreferenced_vertices: usize,
}

/// Summarizes a file.
///
/// # Errors
///
/// As [`read`](crate::read()).
pub fn info(path: &Path) -> Result<FileInfo, ReadError> {
    info_with(path, &ReadOptions::default())
}

/// As [`info`], with options.
///
/// # Errors
///
/// As [`read`](crate::read()).
pub fn info_with(path: &Path, options: &ReadOptions) -> Result<FileInfo, ReadError> {
    Ok(describe(path, &read::open_path(path, options)?))
}

fn describe(path: &Path, file: &LoadedFile) -> FileInfo {
    let LoadedFile { scene, format, orientation, bytes } = file;
    let extents_y_up = scene.bounds().map_or([0.0; 3], |b| b.extents().to_array());
    FileInfo {
        path: path.to_owned(),
        format: *format,
        bytes: *bytes,
        orientation: *orientation,
        meshes: scene.meshes.len(),
        vertices: scene.n_vertices(),
        triangles: scene.n_faces(),
        points: scene.n_points(),
        materials: scene.materials.len(),
        texture_sizes: scene.textures.iter().map(|t| [t.image.width(), t.image.height()]).collect(),
        extents: file_extents(extents_y_up, orientation.axis),
        extents_y_up,
        has_colors: scene.meshes.iter().any(|m| m.colors().is_some())
            || scene.clouds.iter().any(|c| c.colors().is_some()),
        has_uvs: scene.meshes.iter().any(|m| m.uvs().is_some()),
        has_normals: scene.meshes.iter().any(|m| m.normals().is_some())
            || scene.clouds.iter().any(|c| c.normals().is_some()),
        surface: (scene.n_faces() > 0).then(|| surface(&scene.meshes)),
        notes: scene.notes.clone(),
    }
}

/// Extents in the file's own axes.
fn file_extents([x, y, z]: [f32; 3], up: UpAxis) -> [f32; 3] {
    match up {
        UpAxis::X => [y, x, z],
        UpAxis::Y => [x, y, z],
        UpAxis::Z => [x, z, y],
    }
}

/// The quality of all meshes as one surface.
fn surface(meshes: &[Mesh]) -> SurfaceInfo {
    let positions: Vec<Vec3> = meshes.iter().flat_map(|m| m.positions().iter().copied()).collect();
    let (merged, distinct) = merge_positions(&positions);
    let mut used = vec![false; positions.len()];
    let mut edges: Vec<(u32, u32, bool)> = Vec::new();
    let mut degenerate_triangles = 0;
    let mut first = 0;
    for mesh in meshes {
        for (f, face) in mesh.faces().iter().enumerate() {
            let corners = face.map(|v| first + v as usize);
            corners.iter().for_each(|&v| used[v] = true);
            let [a, b, c] = mesh.triangle(f).map(|p| p.as_dvec3());
            // Degenerate triangles would count as extra uses of their edges.
            if (b - a).cross(c - a).length_squared() <= 0.0 {
                degenerate_triangles += 1;
                continue;
            }
            let [a, b, c] = corners.map(|v| merged[v]);
            edges.extend([(a, b), (b, c), (c, a)].map(|(from, to)| (from.min(to), from.max(to), from < to)));
        }
        first += mesh.positions().len();
    }
    // Sorting brings the uses of each edge together; the flag is the direction of use.
    edges.sort_unstable();
    let (mut boundary_edges, mut non_manifold_edges) = (0, 0);
    for edge in edges.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        match edge {
            [_] => boundary_edges += 1,
            [one, other] if one.2 != other.2 => {}
            _ => non_manifold_edges += 1,
        }
    }
    SurfaceInfo {
        watertight: boundary_edges == 0 && non_manifold_edges == 0 && !edges.is_empty(),
        boundary_edges,
        degenerate_triangles,
        duplicate_vertices: positions.len() - distinct,
        unreferenced_vertices: used.iter().filter(|u| !**u).count(),
    }
}

/// The first vertex at the same position, for each vertex, and how many positions there are.
fn merge_positions(positions: &[Vec3]) -> (Vec<u32>, usize) {
    // Adding zero turns −0 into 0, which is the same place.
    let key = |p: Vec3| (p + Vec3::ZERO).to_array().map(f32::to_bits);
    let mut order: Vec<u32> = (0..positions.len() as u32).collect();
    order.sort_unstable_by_key(|&v| (key(positions[v as usize]), v));
    let mut merged = vec![0; positions.len()];
    let mut distinct = 0;
    for same in order.chunk_by(|&a, &b| key(positions[a as usize]) == key(positions[b as usize])) {
        distinct += 1;
        same.iter().for_each(|&v| merged[v as usize] = same[0]);
    }
    (merged, distinct)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tetrahedron_is_watertight_until_a_face_is_gone() {
        let corners = [Vec3::ZERO, Vec3::X, Vec3::Y, Vec3::Z];
        let faces = [[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]];
        // Every face has its own vertices, as in STL.
        let soup = |faces: &[[usize; 3]]| {
            let positions = faces.iter().flat_map(|f| f.map(|v| corners[v])).collect();
            let faces = (0..faces.len() as u32).map(|f| [3 * f, 3 * f + 1, 3 * f + 2]).collect();
            surface(&[Mesh::new(positions, faces).unwrap()])
        };
        let whole = soup(&faces);
        assert_eq!((whole.watertight, whole.duplicate_vertices), (true, 8));
        let open = soup(&faces[..3]);
        assert_eq!((open.watertight, open.boundary_edges), (false, 3));
        let turned = soup(&[[0, 1, 2], [0, 1, 3], [0, 3, 2], [1, 2, 3]]);
        assert_eq!((turned.watertight, turned.boundary_edges), (false, 0));
    }
}
