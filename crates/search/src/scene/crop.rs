//! Parts of a scene as scenes of their own.

use std::borrow::Cow;
use std::collections::HashMap;

use glam::{Vec3, Vec4};
use lexiform_geometry::surface::SceneSurface;
use lexiform_geometry::{Material, Mesh, PointCloud, Scene};

/// The elements of a scene with these numbers (ascending): triangles over all meshes, or points over all clouds if it has no
/// triangles. Materials and textures are those of the scene.
pub fn crop(scene: &Scene, elements: &[u32]) -> Scene {
    let (materials, textures) = (scene.materials.clone(), scene.textures.clone());
    let mut part = Scene { materials, textures, ..Scene::default() };
    if scene.n_faces() == 0 {
        let ranges = split(elements, scene.clouds.iter().map(|cloud| cloud.positions().len()));
        part.clouds
            .extend(scene.clouds.iter().zip(ranges).filter_map(|(cloud, chosen)| crop_cloud(cloud, &chosen)));
        return part;
    }
    let ranges = split(elements, scene.meshes.iter().map(|mesh| mesh.faces().len()));
    part.meshes.extend(scene.meshes.iter().zip(ranges).filter_map(|(mesh, chosen)| crop_mesh(mesh, &chosen)));
    part
}

/// Elements per part, numbered from 0 in each.
fn split(elements: &[u32], lengths: impl Iterator<Item = usize>) -> Vec<Vec<u32>> {
    let mut rest = elements;
    let mut first = 0_u32;
    let part = |length: usize| {
        let end = first + length as u32;
        let (inside, after) = rest.split_at(rest.partition_point(|&e| e < end));
        let chosen = inside.iter().map(|e| e - first).collect();
        (rest, first) = (after, end);
        chosen
    };
    lengths.map(part).collect()
}

fn crop_cloud(cloud: &PointCloud, chosen: &[u32]) -> Option<PointCloud> {
    let pick = |list: &[Vec3]| chosen.iter().map(|&i| list[i as usize]).collect::<Vec<_>>();
    // Positions are finite and lists as long as each other, as in the cloud that they are of.
    let mut part = PointCloud::new(pick(cloud.positions())).ok()?;
    if let Some(colors) = cloud.colors() {
        part = part.with_colors(pick(colors)).ok()?;
    }
    if let Some(normals) = cloud.normals() {
        part = part.with_normals(pick(normals)).ok()?;
    }
    (!chosen.is_empty()).then_some(part)
}

fn crop_mesh(mesh: &Mesh, chosen: &[u32]) -> Option<Mesh> {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut vertices: Vec<u32> = Vec::new();
    let mut number = |vertex: u32| {
        *numbers.entry(vertex).or_insert_with(|| {
            vertices.push(vertex);
            vertices.len() as u32 - 1
        })
    };
    let faces = chosen.iter().map(|&f| mesh.faces()[f as usize].map(&mut number)).collect();
    fn pick<T: Copy>(list: &[T], vertices: &[u32]) -> Vec<T> {
        vertices.iter().map(|&v| list[v as usize]).collect()
    }
    let mut part = Mesh::new(pick(mesh.positions(), &vertices), faces).ok()?;
    if let Some(normals) = mesh.normals() {
        part = part.with_normals(pick(normals, &vertices)).ok()?;
    }
    if let Some(uvs) = mesh.uvs() {
        part = part.with_uvs(pick(uvs, &vertices)).ok()?;
    }
    if let Some(colors) = mesh.colors() {
        part = part.with_colors(pick(colors, &vertices)).ok()?;
    }
    let part = part.with_material(mesh.material).with_name(mesh.name.clone());
    (!chosen.is_empty()).then_some(part)
}

/// The scene with the colors of its textures at its vertices: crops would copy textures as often as there are crops.
pub(crate) fn without_textures(scene: &Scene) -> Cow<'_, Scene> {
    if scene.textures.is_empty() {
        return Cow::Borrowed(scene);
    }
    let surface = SceneSurface::new(scene);
    let mut baked = Scene { textures: Vec::new(), ..scene.clone() };
    for material in &mut baked.materials {
        (material.base_color_texture, material.emissive_texture) = (None, None);
    }
    // Vertex colors hold the whole color, so their material is white.
    let white = baked.materials.len();
    baked.materials.push(Material::default());
    for (part, mesh) in baked.meshes.iter_mut().enumerate() {
        let mut colors = vec![Vec4::ONE; mesh.positions().len()];
        for (face, corners) in mesh.faces().iter().enumerate() {
            for (corner, axis) in corners.iter().zip(Vec3::AXES) {
                if let Some(appearance) = surface.appearance(part, face, axis) {
                    colors[*corner as usize] = appearance.color.extend(1.0);
                }
            }
        }
        // As many colors as vertices.
        if let Ok(colored) = mesh.clone().with_colors(colors) {
            *mesh = colored.with_material(Some(white));
        }
    }
    Cow::Owned(baked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_their_vertices() {
        let square = |x: f32| {
            let corners = [Vec3::ZERO, Vec3::X, Vec3::X + Vec3::Y, Vec3::Y].map(|p| p + Vec3::X * x);
            Mesh::new(corners.to_vec(), vec![[0, 1, 2], [0, 2, 3]]).unwrap()
        };
        let scene = Scene { meshes: vec![square(0.0), square(5.0)], ..Scene::default() };
        let part = crop(&scene, &[1, 2]);
        assert_eq!(part.meshes[0].triangle(0), scene.meshes[0].triangle(1));
        assert_eq!(part.meshes[1].triangle(0), scene.meshes[1].triangle(0));
        assert_eq!([part.n_faces(), part.n_vertices()], [2, 6]);
        assert_eq!(crop(&scene, &[3]).meshes.len(), 1);
        let cloud = |x: f32| PointCloud::new(vec![Vec3::X * x, Vec3::Y * x]).unwrap();
        let points = Scene { clouds: vec![cloud(1.0), cloud(2.0)], ..Scene::default() };
        let part = crop(&points, &[1, 2, 3]);
        assert_eq!(part.clouds[0].positions(), [Vec3::Y]);
        assert_eq!(part.clouds[1].positions(), [Vec3::X * 2.0, Vec3::Y * 2.0]);
    }
}
