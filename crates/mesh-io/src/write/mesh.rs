//! Encoders of triangle formats: OBJ with materials, STL, OFF.

use std::{io::Write as _, path::Path};

use lexiform_formats::SOFTWARE;

use super::error::WriteError;
use super::output::{AxisConversion, Output, png, push, srgb_bytes, text};
use lexiform_geometry::{AlphaMode, Material, Mesh, Scene};

/// OBJ, its material library, and its textures as PNG. Vertex colors follow positions.
pub(super) fn obj(path: &Path, scene: &Scene, stem: &str) -> Result<Output, WriteError> {
    let mut bytes = Vec::new();
    text!(bytes, "# {SOFTWARE}\n");
    let mut sidecars = Vec::new();
    if !scene.materials.is_empty() {
        text!(bytes, "mtllib {}\n", library_name(stem));
        let textures = scene
            .textures
            .iter()
            .map(|texture| Ok(lexiform_formats::png::with_text(png(path, texture)?, "Software", SOFTWARE)));
        let contents = std::iter::once(Ok(mtl(scene, stem))).chain(textures);
        let contents: Vec<Vec<u8>> = contents.collect::<Result<_, WriteError>>()?;
        sidecars = obj_sidecars(scene, stem).zip(contents).collect();
    }
    let mut first = [1; 3];
    for mesh in &scene.meshes {
        obj_mesh(&mut bytes, mesh, &mut first);
    }
    // Vertices without faces: readers take them as points.
    for cloud in &scene.clouds {
        for (i, p) in cloud.positions().iter().enumerate() {
            obj_vertex(&mut bytes, p.to_array(), cloud.colors().map(|c| c[i].extend(1.0)));
        }
    }
    Ok(Output { bytes, sidecars })
}

/// Names of the material library and the textures of an OBJ file; none without materials.
pub(super) fn obj_sidecars(scene: &Scene, stem: &str) -> impl Iterator<Item = String> {
    let textures = (0..scene.textures.len()).map(|texture| texture_name(stem, texture));
    let count = if scene.materials.is_empty() { 0 } else { usize::MAX };
    std::iter::once(library_name(stem)).chain(textures).take(count)
}

fn library_name(stem: &str) -> String {
    format!("{stem}.mtl")
}

fn texture_name(stem: &str, texture: usize) -> String {
    format!("{stem}-{texture}.png")
}

/// `first` counts positions, texture coordinates and normals from 1.
fn obj_mesh(bytes: &mut Vec<u8>, mesh: &Mesh, first: &mut [usize; 3]) {
    if let Some(name) = &mesh.name {
        text!(bytes, "o {}\n", one_line(name));
    }
    if let Some(material) = mesh.material {
        text!(bytes, "usemtl material-{material}\n");
    }
    for (i, p) in mesh.positions().iter().enumerate() {
        obj_vertex(bytes, p.to_array(), mesh.colors().map(|c| c[i]));
    }
    for uv in mesh.uvs().unwrap_or_default() {
        text!(bytes, "vt {} {}\n", uv.x, 1.0 - uv.y);
    }
    for n in mesh.normals().unwrap_or_default() {
        text!(bytes, "vn {} {} {}\n", n.x, n.y, n.z);
    }
    for face in mesh.faces() {
        bytes.push(b'f');
        for v in face.map(|v| v as usize) {
            text!(bytes, " {}", first[0] + v);
            match (mesh.uvs().is_some(), mesh.normals().is_some()) {
                (true, true) => text!(bytes, "/{}/{}", first[1] + v, first[2] + v),
                (true, false) => text!(bytes, "/{}", first[1] + v),
                (false, true) => text!(bytes, "//{}", first[2] + v),
                (false, false) => {}
            }
        }
        bytes.push(b'\n');
    }
    first[0] += mesh.positions().len();
    first[1] += mesh.uvs().map_or(0, <[_]>::len);
    first[2] += mesh.normals().map_or(0, <[_]>::len);
}

fn obj_vertex(bytes: &mut Vec<u8>, [x, y, z]: [f32; 3], color: Option<glam::Vec4>) {
    text!(bytes, "v {x} {y} {z}");
    if let Some(color) = color {
        let [r, g, b, _] = srgb_bytes(color).map(|c| f32::from(c) / 255.0);
        text!(bytes, " {r} {g} {b}");
    }
    bytes.push(b'\n');
}

fn one_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn mtl(scene: &Scene, stem: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    text!(bytes, "# {SOFTWARE}\n");
    for (i, material) in scene.materials.iter().enumerate() {
        let Material { base_color, emissive, .. } = material;
        let [r, g, b, _] = srgb_bytes(*base_color).map(|c| f32::from(c) / 255.0);
        text!(bytes, "newmtl material-{i}\nKd {r} {g} {b}\n");
        if emissive.max_element() > 0.0 {
            let [r, g, b, _] = srgb_bytes(emissive.extend(1.0)).map(|c| f32::from(c) / 255.0);
            text!(bytes, "Ke {r} {g} {b}\n");
        }
        if material.alpha == AlphaMode::Blend {
            text!(bytes, "d {}\n", base_color.w);
        }
        text!(bytes, "Ns {}\nillum {}\n", exponent(material.roughness), if material.unlit { 0 } else { 2 });
        if let Some(texture) = material.base_color_texture {
            text!(bytes, "map_Kd {}\n", texture_name(stem, texture.texture));
            if material.alpha != AlphaMode::Opaque {
                text!(bytes, "map_d {}\n", texture_name(stem, texture.texture));
            }
        }
        if let Some(texture) = material.emissive_texture {
            text!(bytes, "map_Ke {}\n", texture_name(stem, texture.texture));
        }
    }
    bytes
}

/// Roughness → Phong exponent, the inverse of the reader's conversion.
fn exponent(roughness: f32) -> f32 {
    2.0 / roughness.clamp(0.05, 1.0).powi(4) - 2.0
}

/// Binary STL of all triangles.
pub(super) fn stl(scene: &Scene, axes: AxisConversion) -> Vec<u8> {
    // A header that began with "solid" would be read as the text format.
    let mut bytes = SOFTWARE.as_bytes().to_vec();
    bytes.resize(80, 0);
    bytes.extend((scene.n_faces() as u32).to_le_bytes());
    for mesh in &scene.meshes {
        for face in 0..mesh.faces().len() {
            let [a, b, c] = mesh.triangle(face).map(|p| axes.apply(p));
            let normal = (b - a).cross(c - a).normalize_or_zero();
            [normal, a, b, c].iter().for_each(|v| push(&mut bytes, &v.to_array()));
            bytes.extend([0; 2]);
        }
    }
    bytes
}

/// OFF, or COFF where every part has vertex colors.
pub(super) fn off(scene: &Scene, axes: AxisConversion) -> Vec<u8> {
    let parts: Vec<&Mesh> = scene.meshes.iter().filter(|m| !m.faces().is_empty()).collect();
    let colored = parts.iter().all(|m| m.colors().is_some());
    let vertices: usize = parts.iter().map(|m| m.positions().len()).sum();
    let mut bytes = Vec::new();
    text!(bytes, "{}OFF\n# {SOFTWARE}\n{vertices} {} 0\n", if colored { "C" } else { "" }, scene.n_faces());
    for mesh in &parts {
        for (i, p) in mesh.positions().iter().enumerate() {
            let p = axes.apply(*p);
            text!(bytes, "{} {} {}", p.x, p.y, p.z);
            if let Some(colors) = mesh.colors().filter(|_| colored) {
                let [r, g, b, a] = srgb_bytes(colors[i]);
                text!(bytes, " {r} {g} {b} {a}");
            }
            bytes.push(b'\n');
        }
    }
    let mut first = 0;
    for mesh in &parts {
        for [a, b, c] in mesh.faces().iter().map(|f| f.map(|v| v + first)) {
            text!(bytes, "3 {a} {b} {c}\n");
        }
        first += mesh.positions().len() as u32;
    }
    bytes
}
