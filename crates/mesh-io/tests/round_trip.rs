//! Written files are read back without changes.

#![expect(clippy::unwrap_used, reason = "a failed test is what a panic means here")]

use std::path::Path;

use glam::{Vec2, Vec3, Vec4};
use image::{Rgba, RgbaImage};
use lexiform_geometry::{Material, Mesh, PointCloud, Scene, Texture, TextureRef, Wrap};
use lexiform_mesh_io::WriteError;

/// Text keeps floats exactly; colors go through bytes.
const COLOR_TOLERANCE: f32 = 4e-3;

fn square() -> Mesh {
    let corners = vec![Vec3::ZERO, Vec3::X, Vec3::new(1.0, 2.0, 0.5), Vec3::Y];
    Mesh::new(corners, vec![[0, 1, 2], [0, 2, 3]]).unwrap()
}

fn rich_scene() -> Scene {
    let mesh = square()
        .with_normals(vec![Vec3::Z; 4])
        .and_then(|m| m.with_uvs(vec![Vec2::ZERO, Vec2::X, Vec2::ONE, Vec2::Y]))
        .and_then(|m| m.with_colors(vec![Vec4::new(1.0, 0.5, 0.0, 1.0); 4]))
        .unwrap()
        .with_material(Some(0))
        .with_name(Some("square".to_owned()));
    let image = RgbaImage::from_pixel(4, 2, Rgba([200, 100, 50, 255]));
    Scene {
        meshes: vec![mesh],
        materials: vec![Material {
            base_color: Vec4::new(0.8, 0.1, 0.1, 1.0),
            base_color_texture: Some(TextureRef::new(0)),
            ..Material::default()
        }],
        textures: vec![Texture { image, wrap: [Wrap::Repeat; 2] }],
        ..Scene::default()
    }
}

fn round_trip(name: &str, scene: &Scene) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    lexiform_mesh_io::write(&path, scene).unwrap();
    lexiform_mesh_io::read(&path).unwrap()
}

#[test]
fn triangles_come_back_from_every_mesh_format() {
    let scene = rich_scene();
    for name in ["a.obj", "a.ply", "a.off", "a.stl"] {
        let back = round_trip(name, &scene);
        assert_eq!(back.n_faces(), 2, "{name}");
        let corners = |s: &Scene| (0..2).flat_map(|f| s.meshes[0].triangle(f)).collect::<Vec<_>>();
        assert_eq!(corners(&back), corners(&scene), "{name}");
        assert!(back.notes.is_empty(), "{name}: {:?}", back.notes);
    }
}

#[test]
fn looks_come_back_from_obj() {
    let (scene, back) = (rich_scene(), round_trip("a b.obj", &rich_scene()));
    let (mesh, expected) = (&back.meshes[0], &scene.meshes[0]);
    assert_eq!(
        (mesh.uvs(), mesh.normals(), &mesh.name),
        (expected.uvs(), expected.normals(), &expected.name)
    );
    let material = &back.materials[mesh.material.unwrap()];
    assert!((material.base_color - scene.materials[0].base_color).abs().max_element() < COLOR_TOLERANCE);
    assert_eq!(back.textures[material.base_color_texture.unwrap().texture].image, scene.textures[0].image);
}

#[test]
fn attributes_come_back_from_ply() {
    let (scene, back) = (rich_scene(), round_trip("a.ply", &rich_scene()));
    let (mesh, expected) = (&back.meshes[0], &scene.meshes[0]);
    assert_eq!((mesh.uvs(), mesh.normals()), (expected.uvs(), expected.normals()));
    let difference = mesh.colors().unwrap()[0] - expected.colors().unwrap()[0];
    assert!(difference.abs().max_element() < COLOR_TOLERANCE);
}

#[test]
fn points_come_back_from_every_point_format() {
    let positions: Vec<Vec3> =
        (0..50).map(|i| Vec3::new(i as f32, (i * i % 7) as f32, 0.25 * i as f32)).collect();
    let colors: Vec<Vec3> = (0..50).map(|i| Vec3::new(i as f32 / 49.0, 0.25, 1.0)).collect();
    let cloud = PointCloud::new(positions.clone()).and_then(|c| c.with_colors(colors.clone())).unwrap();
    for name in ["a.ply", "a.pcd", "a.xyz", "a.npy"] {
        let back = round_trip(name, &Scene::from_cloud(cloud.clone()));
        assert_eq!(back.clouds[0].positions(), positions, "{name}");
        let found = back.clouds[0].colors().unwrap();
        assert!(
            found.iter().zip(&colors).all(|(a, b)| (*a - *b).abs().max_element() < COLOR_TOLERANCE),
            "{name}"
        );
    }
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let cloud = Scene::from_cloud(PointCloud::new(vec![Vec3::ONE]).unwrap());
    let error = lexiform_mesh_io::write(Path::new("points.stl"), &cloud).unwrap_err();
    assert_eq!(error.to_string(), "points.stl: STL holds triangles, the scene has none");
    assert!(matches!(
        lexiform_mesh_io::write(Path::new("a.docx"), &cloud),
        Err(WriteError::UnknownFormat { .. })
    ));
}

#[test]
fn info_tells_what_a_file_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.obj");
    lexiform_mesh_io::write(&path, &rich_scene()).unwrap();
    let info = lexiform_mesh_io::info(&path).unwrap();
    assert_eq!((info.meshes, info.vertices, info.triangles, info.points), (1, 4, 2, 0));
    assert_eq!((info.texture_sizes, info.extents), (vec![[4, 2]], [1.0, 2.0, 0.5]));
    let surface = info.surface.unwrap();
    assert_eq!((surface.watertight, surface.boundary_edges), (false, 4));
}
