//! ASTM E57 scans through the crate `e57`: all point clouds in their poses, with colors.

use std::io::Cursor;

use e57::{CartesianCoordinate, E57Reader, PointCloud};
use glam::{DVec3, Vec3};

use crate::builder::{PointCloudBuilder, pluralize};
use crate::{ReadError, color, source::Source};
use lexiform_geometry::Scene;

/// Points that one byte of a file may hold: fields of no bits cost nothing, and a few bytes may declare any number.
const POINTS_PER_BYTE: u64 = 64;

/// Reads all points with Cartesian or spherical coordinates.
pub(super) fn read(source: &Source) -> Result<Scene, ReadError> {
    let invalid = |error: e57::Error| source.invalid(error.to_string().to_lowercase());
    let mut file = E57Reader::new(Cursor::new(source.bytes)).map_err(invalid)?;
    let mut scene = Scene::default();
    let mut builder = PointCloudBuilder::default();
    let mut has_colors = true;
    let scans = file.pointclouds();
    let declared = scans.iter().fold(0_u64, |sum, scan| sum.saturating_add(scan.records));
    source.check_vertices(declared)?;
    source.check_bytes(&format!("{declared} points"), declared / POINTS_PER_BYTE, source.bytes.len())?;
    for scan in &scans {
        has_colors &= scan.has_color();
        let before = builder.positions.len();
        if let Err(error) = add(&mut file, scan, &mut builder) {
            let read = pluralize(builder.positions.len() - before, "point");
            scene.notes.push(format!(
                "a scan ends after {read} of {}: {}",
                scan.records,
                error.to_string().to_lowercase()
            ));
        }
    }
    if !has_colors {
        builder.colors.clear();
    }
    if !builder.positions.is_empty() {
        scene.clouds.push(builder.build(source, &mut scene.notes)?);
    }
    Ok(scene)
}

fn add(
    file: &mut E57Reader<Cursor<&[u8]>>,
    scan: &PointCloud,
    builder: &mut PointCloudBuilder,
) -> e57::Result<()> {
    let mut points = file.pointcloud_simple(scan)?;
    // Poses are applied and spherical coordinates converted; a gray of intensities would look like a color.
    points.intensity_to_color(false);
    for point in points {
        let point = point?;
        let CartesianCoordinate::Valid { x, y, z } = point.cartesian else { continue };
        builder.positions.push(DVec3::new(x, y, z));
        let rgb = point.color.map_or(Vec3::ONE, |c| Vec3::new(c.red, c.green, c.blue));
        builder.colors.push(color::from_unit(rgb));
    }
    Ok(())
}
