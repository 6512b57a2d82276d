//! `.splat`: 3D Gaussians in records of 32 bytes (position, scale, color, rotation), as points with colors.

use glam::{DVec3, Vec3};

use crate::builder::{PointCloudBuilder, pluralize};
use crate::cursor::Cursor;
use crate::{ReadError, color, source::Source};
use lexiform_geometry::Scene;

/// Bytes of a Gaussian.
const RECORD: usize = 32;
/// Gaussians with less opacity are next to invisible, and most are far from the surface.
const MIN_OPACITY: u8 = 26;

/// Reads the centers of all Gaussians that can be seen.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let count = source.bytes.len() / RECORD;
    source.check_vertices(count as u64)?;
    let mut scene = Scene::default();
    let rest = source.bytes.len() % RECORD;
    if rest > 0 {
        scene.notes.push(format!("{rest} bytes after {} are ignored", pluralize(count, "Gaussian")));
    }
    let mut builder = PointCloudBuilder::default();
    let mut faint = 0;
    for record in source.bytes.chunks_exact(RECORD) {
        let mut fields = Cursor::new(record);
        let mut float = || fields.f32().unwrap_or(f32::NAN);
        let position = Vec3::new(float(), float(), float());
        let [red, green, blue, opacity] = [record[24], record[25], record[26], record[27]];
        if opacity < MIN_OPACITY {
            faint += 1;
            continue;
        }
        builder.positions.push(DVec3::from(position));
        builder.colors.push(color::from_bytes([red, green, blue]));
    }
    scene.notes.push("Gaussians are read as points".to_owned());
    if faint > 0 {
        scene.notes.push(format!("dropped {} that cannot be seen", pluralize(faint, "Gaussian")));
    }
    if !builder.positions.is_empty() {
        scene.clouds.push(builder.build(source, &mut scene.notes)?);
    }
    Ok(scene)
}
