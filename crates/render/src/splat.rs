//! Point clouds rendered as discs that cover the surface between the points ([surface splatting]).
//!
//! [surface splatting]: https://doi.org/10.1145/383259.383300

use glam::{Vec3, Vec4};
use rayon::prelude::*;

use crate::light::Lighting;
use crate::project::{Projection, SUBSAMPLE};
use crate::ray::Ray;
use lexiform_geometry::neighbors::KdTree;
use lexiform_geometry::normals::estimate_normal;
use lexiform_geometry::{Bounds, PointCloud};

/// Larger clouds are subsampled: an image cannot show more points, and finding neighbors takes time.
const MAX_POINTS: usize = 1 << 18;
/// Neighbors whose spread gives a point's size and normal.
const NEIGHBORS: usize = 9;
/// Radius of a disc relative to the distance of the farthest of those neighbors. Discs of this size leave no holes,
/// neither on a grid nor between random points.
const RADIUS_SCALE: f32 = 0.9;
/// Radii are clamped to within this factor of the cloud's median, so that outliers do not become large.
const MAX_MEDIAN_RATIO: f32 = 2.0;
/// No radius exceeds this fraction of the cloud's longest extent, so that a few points stay points.
const MAX_EXTENT_FRACTION: f32 = 0.06;
/// Linear color of points that have none.
const DEFAULT_GRAY: f32 = 0.55;
/// Radius of a point without neighbors, for a scene in the unit sphere.
const ISOLATED_RADIUS: f32 = 0.02;

/// The points of all clouds of a scene, prepared for rendering.
#[derive(Default)]
pub(crate) struct Splats {
    points: Vec<Splat>,
}

#[derive(Clone, Copy)]
struct Splat {
    position: Vec3,
    radius: f32,
    normal: Vec3,
    color: Vec3,
}

/// A disc on the sample grid. Its depth increases towards the edge, so that neighbors share the space between them
/// evenly.
#[derive(Clone, Copy)]
pub(crate) struct Disc {
    x: f32,
    y: f32,
    radius: f32,
    depth: f32,
    edge_depth: f32,
    pub(crate) id: u32,
}

impl Splats {
    pub(crate) fn new(clouds: &[PointCloud]) -> Self {
        Self { points: clouds.iter().flat_map(splats_of).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.points.len()
    }

    /// The disc of a point; `None` if it is not in the view.
    pub(crate) fn disc(&self, index: usize, projection: &Projection, first_id: u32) -> Option<Disc> {
        let splat = &self.points[index];
        let vertex = projection.vertex(splat.position);
        if vertex.inverse_depth <= 0.0 {
            return None;
        }
        let depth = 1.0 / vertex.inverse_depth;
        // At least 0.75 samples, so that no disc falls between samples.
        let radius = (splat.radius * projection.focal * vertex.inverse_depth).max(0.75);
        let position = [vertex.x, vertex.y].map(|v| v as f32 / SUBSAMPLE as f32);
        let id = first_id + index as u32;
        Some(Disc { x: position[0], y: position[1], radius, depth, edge_depth: splat.radius, id })
    }

    /// Linear color of a point under a ray.
    pub(crate) fn shade(&self, index: usize, ray: &Ray, lighting: &Lighting) -> Vec4 {
        let view = -ray.direction.normalize();
        let light = lighting.irradiance(self.normal(index, ray), view);
        Vec4::from((self.points[index].color * light, 1.0))
    }

    /// Unit normal of the visible side of a point.
    pub(crate) fn normal(&self, index: usize, ray: &Ray) -> Vec3 {
        let normal = self.points[index].normal;
        if normal.dot(-ray.direction.normalize()) < 0.0 { -normal } else { normal }
    }
}

impl Disc {
    /// Sample rows it may cover.
    pub(crate) fn rows(&self) -> (i32, i32) {
        ((self.y - self.radius) as i32 - 1, (self.y + self.radius) as i32 + 1)
    }

    /// Visits the samples it covers inside `rows` and `0..grid`: column, row, inverse depth.
    pub(crate) fn scan(&self, rows: std::ops::Range<i32>, grid: u32, mut visit: impl FnMut(i32, i32, f32)) {
        let (y0, y1) = self.rows();
        let columns =
            ((self.x - self.radius) as i32 - 1).max(0)..((self.x + self.radius) as i32 + 2).min(grid as i32);
        let inverse_square = 1.0 / (self.radius * self.radius);
        for y in y0.max(rows.start)..(y1 + 1).min(rows.end) {
            let dy = y as f32 + 0.5 - self.y;
            for x in columns.clone() {
                let dx = x as f32 + 0.5 - self.x;
                let square = (dx * dx + dy * dy) * inverse_square;
                if square <= 1.0 {
                    visit(x, y, 1.0 / (self.depth + self.edge_depth * square));
                }
            }
        }
    }
}

/// The splats of one cloud, subsampled evenly if there are too many points.
fn splats_of(cloud: &PointCloud) -> Vec<Splat> {
    let n = cloud.positions().len();
    let kept: Vec<usize> = if n > MAX_POINTS {
        (0..MAX_POINTS).map(|i| (i as u64 * n as u64 / MAX_POINTS as u64) as usize).collect()
    } else {
        (0..n).collect()
    };
    let positions: Vec<Vec3> = kept.iter().map(|&i| cloud.positions()[i]).collect();
    // Neighbors among the kept points only: radii must fit the density that is rendered.
    let tree = KdTree::new(&positions);
    let shape = |(slot, &index): (usize, &usize)| {
        let near = tree.nearest(positions[slot], NEIGHBORS);
        let reach = near.last().map_or(0.0, |n| n.distance_squared.sqrt());
        let given = cloud.normals().and_then(|normals| normals[index].try_normalize());
        let estimate = || estimate_normal(near.iter().map(|n| positions[n.index]));
        Splat {
            position: positions[slot],
            radius: RADIUS_SCALE * reach,
            normal: given.unwrap_or_else(estimate),
            color: cloud.colors().map_or(Vec3::splat(DEFAULT_GRAY), |c| c[index]),
        }
    };
    let mut splats: Vec<Splat> = kept.par_iter().enumerate().map(shape).collect();
    let mut radii: Vec<f32> = splats.iter().map(|s| s.radius).filter(|&r| r > 0.0).collect();
    let middle = radii.len() / 2;
    let median = if radii.is_empty() {
        ISOLATED_RADIUS
    } else {
        *radii.select_nth_unstable_by(middle, f32::total_cmp).1
    };
    let extent = Bounds::from_points(positions.iter().copied()).map_or(0.0, |b| b.extents().max_element());
    let largest = if extent > 0.0 { MAX_EXTENT_FRACTION * extent } else { ISOLATED_RADIUS };
    for splat in &mut splats {
        splat.radius = splat.radius.clamp(median / MAX_MEDIAN_RATIO, median * MAX_MEDIAN_RATIO).min(largest);
    }
    splats
}
