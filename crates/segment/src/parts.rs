//! Parts of one shape, without learned weights: what modelers make of separate pieces, pieces of the same form together.

use std::collections::HashMap;

use glam::Vec3;
use lexiform_geometry::Scene;

use crate::graph::DisjointSets;
use crate::segmentation::{SegmentConfig, segment};
use crate::superpoints::{SuperpointConfig, mesh_superpoints};

/// Cells per largest extent of the shape in which vertices are the same.
const WELD_CELLS: f32 = 20_000.0;
/// Pieces that are compared; smaller ones are left out.
const MAX_PIECES: usize = 1000;
/// Parts of a shape; smaller ones are left out.
const MAX_PARTS: usize = 64;
/// Relative difference of area up to which pieces with as many triangles have the same form.
const SAME_AREA: f32 = 0.03;

/// The parts of a shape, the largest first, each as ascending numbers of triangles over all meshes, or of points if there are no
/// triangles. Parts of a mesh are its connected pieces, and the legs of a table one part; of a mesh in one piece they are its
/// [superpoints](crate::superpoints), of a cloud the proposals of [`segment`].
pub fn shape_parts(scene: &Scene) -> Vec<Vec<u32>> {
    if scene.n_faces() == 0 {
        let found = segment(scene, &SegmentConfig { up: Some(Vec3::Y), ..SegmentConfig::default() });
        let mut parts: Vec<Vec<u32>> = found.proposals.iter().map(|p| found.elements(&p.voxels)).collect();
        parts.truncate(MAX_PARTS);
        return parts;
    }
    let soup = WeldedMesh::new(scene);
    let pieces = soup.pieces();
    let pieces = if pieces.len() > 1 { pieces } else { soup.superpoints() };
    let mut parts = joined_by_form(soup.largest(pieces, MAX_PIECES));
    parts.sort_by(|a, b| b.area.total_cmp(&a.area).then(a.triangles[0].cmp(&b.triangles[0])));
    parts.truncate(MAX_PARTS);
    parts.into_iter().map(|piece| piece.triangles).collect()
}

/// All meshes of a scene, with vertices at the same place as one.
struct WeldedMesh {
    positions: Vec<Vec3>,
    faces: Vec<[u32; 3]>,
}

/// Triangles that belong together.
struct Piece {
    triangles: Vec<u32>,
    area: f32,
    /// Number of triangles and area of one of the pieces of the same form.
    form: (usize, f32),
}

impl WeldedMesh {
    fn new(scene: &Scene) -> Self {
        let extent = scene.bounds().map_or(1.0, |bounds| bounds.extents().max_element());
        let cell = (extent / WELD_CELLS).max(f32::MIN_POSITIVE);
        let mut numbers: HashMap<[i32; 3], u32> = HashMap::new();
        let (mut positions, mut faces) = (Vec::new(), Vec::with_capacity(scene.n_faces()));
        for mesh in &scene.meshes {
            for face in 0..mesh.faces().len() {
                faces.push(mesh.triangle(face).map(|position| {
                    *numbers.entry((position / cell).round().as_ivec3().to_array()).or_insert_with(|| {
                        positions.push(position);
                        positions.len() as u32 - 1
                    })
                }));
            }
        }
        Self { positions, faces }
    }

    /// Triangles that are connected by vertices.
    fn pieces(&self) -> Vec<Vec<u32>> {
        let mut sets = DisjointSets::new(self.positions.len());
        for [a, b, c] in &self.faces {
            for (a, b) in [(a, b), (b, c)] {
                let (a, b) = (sets.find(*a), sets.find(*b));
                sets.join(a, b);
            }
        }
        let labels = sets.labels();
        self.grouped(|vertex| labels[vertex as usize])
    }

    fn superpoints(&self) -> Vec<Vec<u32>> {
        let labels = mesh_superpoints(&self.positions, &self.faces, &SuperpointConfig::default());
        self.grouped(|vertex| labels[vertex as usize])
    }

    /// Triangles by the label of their first vertex, in the order of their first triangles.
    fn grouped(&self, label: impl Fn(u32) -> u32) -> Vec<Vec<u32>> {
        let mut numbers: HashMap<u32, usize> = HashMap::new();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for (face, triangle) in self.faces.iter().zip(0..) {
            let group = *numbers.entry(label(face[0])).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(triangle);
        }
        groups
    }

    /// The pieces with the largest area.
    fn largest(&self, pieces: Vec<Vec<u32>>, most: usize) -> Vec<Piece> {
        let area = |triangle: &u32| {
            let [a, b, c] = self.faces[*triangle as usize].map(|vertex| self.positions[vertex as usize]);
            0.5 * (b - a).cross(c - a).length()
        };
        let piece = |triangles: Vec<u32>| {
            let area = triangles.iter().map(area).sum();
            let form = (triangles.len(), area);
            Piece { triangles, area, form }
        };
        let mut pieces: Vec<Piece> = pieces.into_iter().map(piece).collect();
        pieces.sort_by(|a, b| b.area.total_cmp(&a.area).then(a.triangles[0].cmp(&b.triangles[0])));
        pieces.truncate(most);
        pieces
    }
}

/// Joins pieces with as many triangles and nearly the same area: four legs, two handles.
fn joined_by_form(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut parts: Vec<Piece> = Vec::new();
    for piece in pieces {
        let (count, area) = piece.form;
        let is_same = |other: &&mut Piece| {
            other.form.0 == count && (other.form.1 - area).abs() <= SAME_AREA * other.form.1.max(area)
        };
        match parts.iter_mut().find(is_same) {
            Some(part) => {
                part.triangles.extend(piece.triangles);
                part.area += piece.area;
            }
            None => parts.push(piece),
        }
    }
    parts.iter_mut().for_each(|part| part.triangles.sort_unstable());
    parts
}

#[cfg(test)]
mod tests {
    use glam::vec3;
    use lexiform_geometry::Mesh;

    use super::*;

    /// A box with four vertices on each side of its own, as files with normals have them.
    fn cuboid(center: Vec3, size: Vec3) -> Mesh {
        let (mut positions, mut faces) = (Vec::new(), Vec::new());
        for axis in 0..3 {
            for side in [-0.5, 0.5] {
                let first = positions.len() as u32;
                for (u, v) in [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)] {
                    let mut corner = [side; 3];
                    (corner[(axis + 1) % 3], corner[(axis + 2) % 3]) = (u, v);
                    positions.push(center + Vec3::from(corner) * size);
                }
                faces.extend([[first, first + 1, first + 2], [first, first + 2, first + 3]]);
            }
        }
        Mesh::new(positions, faces).unwrap()
    }

    #[test]
    fn legs_of_a_table_are_one_part() {
        let mut meshes = vec![cuboid(vec3(0.0, 1.0, 0.0), vec3(2.0, 0.1, 1.0))];
        for (x, z) in [(-0.9, -0.4), (0.9, -0.4), (-0.9, 0.4), (0.9, 0.4)] {
            meshes.push(cuboid(vec3(x, 0.45, z), vec3(0.1, 0.9, 0.1)));
        }
        let scene = Scene { meshes, ..Scene::default() };
        // The legs touch the top in no vertex.
        let parts = shape_parts(&scene);
        assert_eq!(parts, [(0..12).collect::<Vec<u32>>(), (12..60).collect()]);
    }

    #[test]
    fn a_shape_in_one_piece_is_split_at_its_edges() {
        let scene = Scene { meshes: vec![cuboid(Vec3::ZERO, Vec3::ONE)], ..Scene::default() };
        let parts = shape_parts(&scene);
        assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 12, "{parts:?}");
        assert!(shape_parts(&Scene::default()).is_empty());
    }
}
