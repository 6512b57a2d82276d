//! Polygons of an FBX mesh, deformed by its skin and blend shapes as the file stores them.

use glam::{DVec3, Vec2, Vec3, Vec4};
use ufbx::Mesh;

use crate::builder::Polygons;
use crate::color;
use crate::surface::Surface;

/// The mesh with the materials that a node binds to it.
pub(super) fn surface(mesh: &Mesh, materials: &[usize]) -> Surface {
    let mut polygons = Polygons::default();
    let mut corners: Vec<usize> = Vec::new();
    let mut bound = Vec::new();
    for (face, polygon) in mesh.faces.iter().enumerate() {
        let is_hole = mesh.face_hole.get(face).copied().unwrap_or(false);
        // Faces of one or two corners are points and edges.
        if is_hole || polygon.num_indices < 3 {
            continue;
        }
        let begin = polygon.index_begin as usize;
        let ring = begin..begin + polygon.num_indices as usize;
        polygons.push(
            ring.clone().map(|corner| {
                mesh.skinned_position.indices.get(corner).map_or(-1, |&vertex| i64::from(vertex))
            }),
        );
        corners.extend(ring);
        let slot = mesh.face_material.get(face).map_or(0, |&slot| slot as usize);
        bound.push(materials.get(slot).copied());
    }
    let position = |p: &ufbx::Vec3| DVec3::new(p.x, p.y, p.z);
    Surface {
        positions: mesh.skinned_position.values.iter().map(position).collect(),
        polygons,
        normals: mesh.skinned_normal.exists.then(|| {
            at(&mesh.skinned_normal.values, &mesh.skinned_normal.indices, &corners, |n| {
                DVec3::new(n.x, n.y, n.z).as_vec3()
            })
        }),
        // FBX counts v from the bottom of the image.
        uvs: mesh.vertex_uv.exists.then(|| {
            at(&mesh.vertex_uv.values, &mesh.vertex_uv.indices, &corners, |uv| {
                Vec2::new(uv.x as f32, (1.0 - uv.y) as f32)
            })
        }),
        colors: mesh.vertex_color.exists.then(|| {
            at(&mesh.vertex_color.values, &mesh.vertex_color.indices, &corners, |c| {
                color::from_unit_alpha(Vec4::new(c.x as f32, c.y as f32, c.z as f32, c.w as f32))
            })
        }),
        materials: bound,
    }
}

/// An attribute's values at corners; corners without one get the default.
fn at<V, T: Default>(values: &[V], indices: &[u32], corners: &[usize], convert: impl Fn(&V) -> T) -> Vec<T> {
    let value = |&corner: &usize| indices.get(corner).and_then(|&i| values.get(i as usize));
    corners.iter().map(|corner| value(corner).map(&convert).unwrap_or_default()).collect()
}

/// The linear color of a material's value.
pub(super) fn linear(value: ufbx::Vec4) -> Vec3 {
    color::from_unit(DVec3::new(value.x, value.y, value.z).as_vec3())
}
