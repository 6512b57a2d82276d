//! Shared by the encoders: output files, axes, colors, and the points of a scene.

use std::{io::Cursor, path::Path};

use glam::{Vec3, Vec4};
use image::ImageFormat;
use lexiform_geometry::{Scene, Texture, srgb_from_linear};

use super::error::WriteError;
use crate::UpAxis;

/// Appends formatted text; writing to memory cannot fail.
macro_rules! text {
    ($bytes:expr, $($format:tt)*) => {{ let _ = write!($bytes, $($format)*); }};
}
pub(super) use text;

/// A file to write, with its sidecars, which go into the same folder.
pub(super) struct Output {
    pub bytes: Vec<u8>,
    /// Names and contents.
    pub sidecars: Vec<(String, Vec<u8>)>,
}

impl From<Vec<u8>> for Output {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, sidecars: Vec::new() }
    }
}

/// World to file axes.
#[derive(Clone, Copy)]
pub(super) struct AxisConversion {
    pub file_from_world: UpAxis,
}

impl AxisConversion {
    /// A position or direction in the file's axes.
    pub fn apply(self, v: Vec3) -> Vec3 {
        match self.file_from_world {
            UpAxis::X => Vec3::new(v.y, -v.x, v.z),
            UpAxis::Y => v,
            UpAxis::Z => Vec3::new(v.x, -v.z, v.y),
        }
    }
}

/// Linear to display bytes.
pub(super) fn srgb_bytes(color: Vec4) -> [u8; 4] {
    let [r, g, b, a] = color.to_array();
    let alpha = (a.clamp(0.0, 1.0) * 255.0).round() as u8;
    [srgb_from_linear(r), srgb_from_linear(g), srgb_from_linear(b), alpha]
}

/// A texture as PNG, for the file at `path`.
pub(super) fn png(path: &Path, texture: &Texture) -> Result<Vec<u8>, WriteError> {
    let mut png = Cursor::new(Vec::new());
    let failed = |e: image::ImageError| WriteError::Image { path: path.to_owned(), message: e.to_string() };
    texture.image.write_to(&mut png, ImageFormat::Png).map_err(failed)?;
    Ok(png.into_inner())
}

/// All points of a scene, or the vertices of its meshes if it has none. Colors and normals only if every part has them.
pub(super) struct Points {
    pub positions: Vec<Vec3>,
    pub colors: Option<Vec<[u8; 3]>>,
    pub normals: Option<Vec<Vec3>>,
}

impl Points {
    /// Gathers them in the file's axes.
    pub fn from_scene(scene: &Scene, axes: AxisConversion) -> Self {
        let byte = |c: Vec3| {
            let [r, g, b, _] = srgb_bytes(c.extend(1.0));
            [r, g, b]
        };
        let mut parts = Self { positions: Vec::new(), colors: Some(Vec::new()), normals: Some(Vec::new()) };
        if scene.n_points() > 0 {
            for cloud in &scene.clouds {
                let colors = cloud.colors().map(|c| c.iter().map(|c| byte(*c)).collect());
                parts.append(axes, cloud.positions(), colors, cloud.normals());
            }
        } else {
            for mesh in &scene.meshes {
                let colors = mesh.colors().map(|c| c.iter().map(|c| byte(c.truncate())).collect());
                parts.append(axes, mesh.positions(), colors, mesh.normals());
            }
        }
        parts
    }

    fn append(
        &mut self,
        axes: AxisConversion,
        positions: &[Vec3],
        colors: Option<Vec<[u8; 3]>>,
        normals: Option<&[Vec3]>,
    ) {
        self.positions.extend(positions.iter().map(|p| axes.apply(*p)));
        // One part without colors drops those of all parts.
        self.colors = self.colors.take().zip(colors).map(|(mut all, colors)| {
            all.extend(colors);
            all
        });
        self.normals = self.normals.take().zip(normals).map(|(mut all, normals)| {
            all.extend(normals.iter().map(|n| axes.apply(*n)));
            all
        });
    }
}

/// Little-endian floats.
pub(super) fn push(bytes: &mut Vec<u8>, values: &[f32]) {
    values.iter().for_each(|v| bytes.extend(v.to_le_bytes()));
}
