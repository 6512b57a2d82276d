//! A procedural shape for benchmarks and tests: a bumpy, textured sphere of any number of triangles.

use std::f64::consts::{PI, TAU};

use glam::{Vec2, Vec3};
use image::{Rgba, RgbaImage};

use crate::{Material, Mesh, Scene, Texture, TextureRef, Wrap};

/// A sphere with bumps that fills the unit sphere, with smooth normals, texture coordinates and a texture of
/// `texture_edge` texels. It has about `n_faces` triangles (100,000 gives 99,856).
pub fn bumpy_sphere(n_faces: usize, texture_edge: u32) -> Scene {
    let rings = (((n_faces / 4) as f64).sqrt() as u32).max(3);
    let sectors = rings * 2;
    let mut positions = Vec::new();
    let mut uvs = Vec::new();
    // The seam has two columns of vertices, because texture coordinates differ on its sides.
    for ring in 0..=rings {
        for sector in 0..=sectors {
            let (u, v) = (f64::from(sector) / f64::from(sectors), f64::from(ring) / f64::from(rings));
            positions.push(bumpy_point(u * TAU, v * PI));
            uvs.push(Vec2::new(u as f32 * 4.0, v as f32 * 2.0));
        }
    }
    let corner = |ring: u32, sector: u32| ring * (sectors + 1) + sector;
    let mut faces = Vec::new();
    for ring in 0..rings {
        for sector in 0..sectors {
            let [a, b] = [corner(ring, sector), corner(ring, sector + 1)];
            let [c, d] = [corner(ring + 1, sector), corner(ring + 1, sector + 1)];
            faces.extend([[a, c, b], [b, c, d]]);
        }
    }
    let normals = vertex_normals(&positions, &faces);
    let mesh = Mesh::new(positions, faces)
        .and_then(|m| m.with_normals(normals))
        .and_then(|m| m.with_uvs(uvs))
        .map(|m| m.with_material(Some(0)));
    let material = Material { base_color_texture: Some(TextureRef::new(0)), ..Material::default() };
    Scene {
        meshes: mesh.into_iter().collect(),
        materials: vec![material],
        textures: vec![Texture { image: checker_texture(texture_edge), wrap: [Wrap::Repeat; 2] }],
        ..Scene::default()
    }
}

fn bumpy_point(azimuth: f64, polar: f64) -> Vec3 {
    let radius = 0.9 + 0.1 * (7.0 * azimuth).sin() * (6.0 * polar).sin();
    let level = polar.sin();
    let point = [level * azimuth.sin(), polar.cos(), level * azimuth.cos()].map(|c| (c * radius) as f32);
    Vec3::from(point)
}

fn vertex_normals(positions: &[Vec3], faces: &[[u32; 3]]) -> Vec<Vec3> {
    let mut normals = vec![Vec3::ZERO; positions.len()];
    for face in faces {
        let [a, b, c] = face.map(|v| positions[v as usize]);
        for vertex in face {
            // Cross products of edges weight each face by its area.
            normals[*vertex as usize] += (b - a).cross(c - a);
        }
    }
    normals.into_iter().map(Vec3::normalize_or_zero).collect()
}

/// Stripes and checks in all colors, with detail down to the texel.
fn checker_texture(edge: u32) -> RgbaImage {
    RgbaImage::from_fn(edge, edge, |x, y| {
        let check = if (x / 16 + y / 16) % 2 == 0 { 255 } else { 160 };
        let grain = (x * 7 + y * 13) % 32;
        let ramp = |t: u32| (u64::from(t) * 255 / u64::from(edge.max(1))) as u32;
        let shade = |value: u32| (value * check / 255).saturating_sub(grain) as u8;
        Rgba([shade(ramp(x)), shade(255 - ramp(y)), shade(ramp((x + y) / 2)), 255])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_promised_size() {
        let scene = bumpy_sphere(100_000, 8);
        assert_eq!(scene.n_faces(), 99_856);
        let farthest = scene.meshes[0].positions().iter().fold(0.0, |m: f32, p| m.max(p.length()));
        assert!((0.99..=1.0001).contains(&farthest));
    }
}
