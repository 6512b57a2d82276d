//! The parts of a building among the planes of a scene: floor, walls, ceiling.

use glam::Vec3;
use serde::{Deserialize, Serialize};

use crate::Plane;

/// A part of a building.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Structure {
    /// What things are on.
    Floor,
    /// A large upright plane at the border of the scene.
    Wall,
    /// A level plane at the top.
    Ceiling,
}

/// Smallest cosine between the up axis and the normal of a level plane, and largest with that of an upright one.
const LEVEL: f32 = 0.95;
const UPRIGHT: f32 = 0.15;
/// Share of all points that a part of a building has.
const MIN_SHARE: f32 = 0.015;
/// Share of points that may be beyond a floor, wall or ceiling: noise, reflections, what is seen through doors.
const MAX_BEYOND: f32 = 0.04;
/// Share of the scene's height and width that walls at its border have, and those inside.
const BORDER_WALL: [f32; 2] = [0.45, 0.2];
const INNER_WALL: [f32; 2] = [0.8, 0.35];
/// Distance in voxels within which points are of a plane if their normal is the plane's, and whatever their normal is.
const NEAR: f32 = 2.2;
const TOUCHING: f32 = 1.1;
/// Smallest cosine of normals on a plane.
const SAME_NORMAL: f32 = 0.75;

/// Voxels that are part of the building, given planes, the up axis and the size of a voxel; parallel to `positions`.
pub(crate) fn find_structure(
    positions: &[Vec3],
    normals: &[Vec3],
    planes: &[Plane],
    up: Vec3,
    size: f32,
) -> Vec<Option<Structure>> {
    let mut of_points = vec![None; positions.len()];
    for plane in planes {
        let Some(kind) = kind_of(plane, positions, up, size) else { continue };
        for (i, position) in positions.iter().enumerate() {
            let distance = plane.distance(*position).abs();
            let same = normals[i].dot(plane.normal).abs() > SAME_NORMAL;
            if of_points[i].is_none() && (distance < TOUCHING * size || (same && distance < NEAR * size)) {
                of_points[i] = Some(kind);
            }
        }
    }
    of_points
}

/// Which part of the building a plane is, if any.
fn kind_of(plane: &Plane, positions: &[Vec3], up: Vec3, size: f32) -> Option<Structure> {
    let n = positions.len() as f32;
    if (plane.points.len() as f32) < MIN_SHARE * n {
        return None;
    }
    let cosine = plane.normal.dot(up);
    let beyond = |sign: f32| {
        let count = positions.iter().filter(|p| sign * plane.distance(**p) > 2.0 * NEAR * size).count();
        count as f32 / n
    };
    if cosine.abs() > LEVEL {
        let (above, below) = (beyond(cosine.signum()), beyond(-cosine.signum()));
        return match (above < MAX_BEYOND, below < MAX_BEYOND) {
            (_, true) => Some(Structure::Floor),
            (true, false) => Some(Structure::Ceiling),
            (false, false) => None,
        };
    }
    if cosine.abs() > UPRIGHT {
        return None;
    }
    let at_border = beyond(1.0).min(beyond(-1.0)) < MAX_BEYOND;
    let [height, width] = if at_border { BORDER_WALL } else { INNER_WALL };
    let [plane_height, plane_width] = relative_extents(plane, positions, up);
    (plane_height > height && plane_width > width).then_some(Structure::Wall)
}

/// Height and width of an upright plane relative to those of the scene.
fn relative_extents(plane: &Plane, positions: &[Vec3], up: Vec3) -> [f32; 2] {
    let on_plane = || plane.points.iter().map(|&i| positions[i as usize]);
    let across = up.cross(plane.normal).normalize_or_zero();
    [up, across]
        .map(|axis| extent(on_plane(), axis) / extent(positions.iter().copied(), axis).max(f32::MIN_POSITIVE))
}

/// How far points reach along an axis.
fn extent(points: impl Iterator<Item = Vec3>, axis: Vec3) -> f32 {
    let along = points.map(|p| p.dot(axis));
    let (low, high) = along.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    high - low
}
