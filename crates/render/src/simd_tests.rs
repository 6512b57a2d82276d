//! All SIMD levels against each other, and shading in lanes against shading one point at a time.

use glam::{Vec2, Vec3, Vec4};

use super::*;
use crate::frame::Frame;
use crate::prepared_scene::PreparedScene;
use crate::shade::{Shade, ShadeRequest};
use lexiform_geometry::test_shapes::bumpy_sphere;
use lexiform_geometry::{AlphaMode, Material, Mesh, TextureRef};
use lexiform_kernels::SimdLevel;

/// Parts of all kinds: textured, metallic, with vertex colors, emissive, unlit, without normals, transparent.
fn many_parts() -> Scene {
    let mut scene = bumpy_sphere(3000, 64);
    let mut add = |offset: Vec3, material: Material, mesh: fn(Mesh) -> Mesh| {
        let part = bumpy_sphere(1200, 4).meshes.remove(0);
        let positions = part.positions().iter().map(|p| *p * 0.4 + offset).collect();
        let (uvs, normals) = (part.uvs().unwrap().to_vec(), part.normals().unwrap().to_vec());
        let part = Mesh::new(positions, part.faces().to_vec()).unwrap();
        let part = mesh(part.with_uvs(uvs).unwrap().with_normals(normals).unwrap());
        scene.meshes.push(part.with_material(Some(scene.materials.len())));
        scene.materials.push(material);
    };
    let textured = Some(TextureRef::new(0));
    let metal = Material { metallic: 0.7, roughness: 0.3, ..Material::default() };
    add(Vec3::X, metal.clone(), |m| m);
    add(-Vec3::X, Material { base_color_texture: textured, ..metal }, |mesh| {
        let colors = mesh.positions().iter().map(|p| p.abs().extend(1.0)).collect();
        mesh.with_colors(colors).unwrap()
    });
    let glow =
        Material { emissive: Vec3::new(0.2, 0.4, 0.1), emissive_texture: textured, ..Material::default() };
    add(Vec3::Y, glow, |m| m);
    add(-Vec3::Y, Material { unlit: true, base_color_texture: textured, ..Material::default() }, |m| m);
    add(Vec3::Z, Material::default(), |m| Mesh::new(m.positions().to_vec(), m.faces().to_vec()).unwrap());
    let glass = Material {
        alpha: AlphaMode::Blend,
        base_color: Vec4::new(0.5, 0.6, 1.0, 0.4),
        ..Material::default()
    };
    add(-Vec3::Z, glass, |m| m);
    scene
}

#[test]
fn every_level_draws_the_same() {
    for scene in [bumpy_sphere(20_000, 128), bumpy_sphere(60, 16), many_parts()] {
        for (samples_per_edge, camera) in (1..=4).zip(&Rig::zero123(4, 3).0) {
            let config = RenderConfig { size: 97, samples_per_edge, ..RenderConfig::default() };
            let draw = |level| Renderer { level, ..Renderer::new(&scene) }.render(camera, &config);
            let plain = draw(SimdLevel::Portable);
            let maps = |level| Renderer { level, ..Renderer::new(&scene) }.depth_normals(camera, &config);
            let form = maps(SimdLevel::Portable);
            for level in SimdLevel::available() {
                assert!(draw(level) == plain, "{level:?} with {samples_per_edge} samples");
                assert!(maps(level) == form, "{level:?}: depth and normals");
            }
        }
    }
}

#[test]
fn colors_side_by_side_are_colors_one_by_one() {
    let scene = many_parts();
    let scene = PreparedScene::new(&scene);
    let config = RenderConfig { size: 64, ..RenderConfig::default() };
    let camera = Rig::openshape(12).0[3];
    let requests: Vec<ShadeRequest> = (0..scene.n_faces)
        .map(|id| {
            // Often far outside the triangle: its plane has a color there as well.
            let at = Vec2::new((id * 37 % 256) as f32, (id * 101 % 256) as f32) * 0.5;
            ShadeRequest { id, x: at.x, y: at.y, pixel: 0, weight: 1.0 }
        })
        .collect();
    for level in SimdLevel::available() {
        let frame = Frame::new(&scene, &camera, config, level);
        let mut colors = vec![Vec3::ZERO; requests.len()];
        level.run(Shade { frame: &frame, requests: &requests, colors: &mut colors });
        for (request, color) in requests.iter().zip(&colors) {
            let slow = scene.shade(request.id, &frame.ray(request.x, request.y), &frame.lighting).truncate();
            // Equal bits, or both NaN.
            let same = |a: f32, b: f32| a == b || (a.is_nan() && b.is_nan());
            let agree = (0..3).all(|i| same(color[i], slow[i]));
            assert!(agree, "{level:?}: {color} and {slow} of triangle {}", request.id);
        }
    }
}
