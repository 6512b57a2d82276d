//! Encoders of point formats, and of PLY, which holds both points and triangles.

use std::io::Write as _;

use glam::{Vec2, Vec3, Vec4};
use lexiform_formats::SOFTWARE;
use lexiform_formats::array::{Array, Dtype, Kind};

use super::output::{Points, push, srgb_bytes, text};
use lexiform_geometry::Scene;

/// Rows `x y z`, then `r g b`, then `nx ny nz`, with a header that names them.
pub(super) fn xyz(points: &Points) -> Vec<u8> {
    let mut bytes = b"# x y z".to_vec();
    if points.colors.is_some() {
        bytes.extend(b" r g b");
    }
    if points.normals.is_some() {
        bytes.extend(b" nx ny nz");
    }
    bytes.push(b'\n');
    for (i, p) in points.positions.iter().enumerate() {
        text!(bytes, "{} {} {}", p.x, p.y, p.z);
        if let Some(colors) = &points.colors {
            let [r, g, b] = colors[i];
            text!(bytes, " {r} {g} {b}");
        }
        if let Some(normals) = &points.normals {
            let n = normals[i];
            text!(bytes, " {} {} {}", n.x, n.y, n.z);
        }
        bytes.push(b'\n');
    }
    bytes
}

/// Binary PCD 0.7.
pub(super) fn pcd(points: &Points) -> Vec<u8> {
    let (color, normal) = (points.colors.is_some(), points.normals.is_some());
    let column = |base: &str, rgb: &str, normals: &str| {
        format!("{base}{}{}", if color { rgb } else { "" }, if normal { normals } else { "" })
    };
    let n = points.positions.len();
    let mut bytes = b"# .PCD v0.7 - Point Cloud Data file format\n".to_vec();
    text!(bytes, "# {SOFTWARE}\nVERSION 0.7\n");
    text!(bytes, "FIELDS {}\n", column("x y z", " rgb", " normal_x normal_y normal_z"));
    text!(bytes, "SIZE {}\n", column("4 4 4", " 4", " 4 4 4"));
    text!(bytes, "TYPE {}\n", column("F F F", " U", " F F F"));
    text!(bytes, "COUNT {}\n", column("1 1 1", " 1", " 1 1 1"));
    text!(bytes, "WIDTH {n}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {n}\nDATA binary\n");
    for (i, p) in points.positions.iter().enumerate() {
        push(&mut bytes, &p.to_array());
        if let Some(colors) = &points.colors {
            let [r, g, b] = colors[i];
            // `rgb` is one little-endian integer, blue lowest.
            bytes.extend([b, g, r, 0]);
        }
        if let Some(normals) = &points.normals {
            push(&mut bytes, &normals[i].to_array());
        }
    }
    bytes
}

/// `[points, 3]` of f32, or `[points, 6]` with display colors in `0..=1`.
pub(super) fn npy(points: &Points) -> Vec<u8> {
    let columns = if points.colors.is_some() { 6 } else { 3 };
    let shape = vec![points.positions.len(), columns];
    let mut data = Vec::with_capacity(4 * shape[0] * columns);
    for (i, p) in points.positions.iter().enumerate() {
        push(&mut data, &p.to_array());
        if let Some(colors) = &points.colors {
            push(&mut data, &colors[i].map(|c| f32::from(c) / 255.0));
        }
    }
    Array { dtype: Dtype { kind: Kind::Float, size: 4, big_endian: false }, shape, data }.to_npy()
}

/// Which columns a PLY file has beyond positions.
#[derive(Clone, Copy, Default)]
struct PlyColumns {
    normals: bool,
    uvs: bool,
    colors: bool,
}

/// Binary little-endian PLY: all meshes as one, followed by all points as vertices.
pub(super) fn ply(scene: &Scene) -> Vec<u8> {
    let parts: Vec<_> = scene.meshes.iter().filter(|m| !m.faces().is_empty()).collect();
    let columns = PlyColumns {
        normals: parts.iter().any(|m| m.normals().is_some())
            || scene.clouds.iter().any(|c| c.normals().is_some()),
        uvs: parts.iter().any(|m| m.uvs().is_some()),
        colors: parts.iter().any(|m| m.colors().is_some())
            || scene.clouds.iter().any(|c| c.colors().is_some()),
    };
    let vertices = parts.iter().map(|m| m.positions().len()).sum::<usize>() + scene.n_points();
    let mut bytes = ply_header(columns, vertices, scene.n_faces());
    for mesh in &parts {
        for (i, p) in mesh.positions().iter().enumerate() {
            let normal = mesh.normals().map(|n| n[i]);
            let uv = mesh.uvs().map(|uv| uv[i]);
            let color = mesh.colors().map(|c| c[i]);
            ply_vertex(&mut bytes, columns, &PlyVertex { position: *p, normal, uv, color });
        }
    }
    for cloud in &scene.clouds {
        for (i, p) in cloud.positions().iter().enumerate() {
            let color = cloud.colors().map(|c| c[i].extend(1.0));
            let normal = cloud.normals().map(|n| n[i]);
            ply_vertex(&mut bytes, columns, &PlyVertex { position: *p, normal, uv: None, color });
        }
    }
    // Indices continue over the meshes.
    let mut first = 0;
    for mesh in &parts {
        for face in mesh.faces() {
            bytes.push(3);
            face.iter().for_each(|v| bytes.extend((first + v).to_le_bytes()));
        }
        first += mesh.positions().len() as u32;
    }
    bytes
}

fn ply_header(columns: PlyColumns, vertices: usize, faces: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    text!(bytes, "ply\nformat binary_little_endian 1.0\ncomment {SOFTWARE}\n");
    text!(bytes, "element vertex {vertices}\nproperty float x\nproperty float y\nproperty float z\n");
    if columns.normals {
        text!(bytes, "property float nx\nproperty float ny\nproperty float nz\n");
    }
    if columns.uvs {
        text!(bytes, "property float s\nproperty float t\n");
    }
    if columns.colors {
        text!(bytes, "property uchar red\nproperty uchar green\nproperty uchar blue\nproperty uchar alpha\n");
    }
    if faces > 0 {
        text!(bytes, "element face {faces}\nproperty list uchar uint vertex_indices\n");
    }
    text!(bytes, "end_header\n");
    bytes
}

/// A vertex with the attributes that its part has.
struct PlyVertex {
    position: Vec3,
    normal: Option<Vec3>,
    uv: Option<Vec2>,
    color: Option<Vec4>,
}

fn ply_vertex(bytes: &mut Vec<u8>, columns: PlyColumns, vertex: &PlyVertex) {
    let PlyVertex { position, normal, uv, color } = vertex;
    push(bytes, &position.to_array());
    if columns.normals {
        push(bytes, &normal.unwrap_or_default().to_array());
    }
    if columns.uvs {
        let uv = uv.unwrap_or_default();
        push(bytes, &[uv.x, 1.0 - uv.y]);
    }
    if columns.colors {
        bytes.extend(srgb_bytes(color.unwrap_or(Vec4::ONE)));
    }
}
