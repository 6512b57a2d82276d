//! Projection to the sample grid, and clipping of triangles that leave the view.

use glam::Vec3;

use lexiform_geometry::Camera;
use lexiform_kernels::Kernel;

/// Subsample steps: vertices are snapped to 1/256 of a sample, so that edge functions are exact integers.
pub(crate) const SUBSAMPLE: i32 = 1 << SUBSAMPLE_BITS;
pub(crate) const SUBSAMPLE_BITS: u32 = 8;
/// Nothing nearer to the camera than this is rendered.
const NEAR_PLANE: f32 = 1e-3;
/// Triangles are clipped at this many samples from the center of the grid, so that products of coordinates do not
/// overflow.
const GUARD_BAND: f32 = 32_768.0;

/// A camera over a square grid of samples.
#[derive(Clone, Copy)]
pub(crate) struct Projection {
    rows: [Vec3; 3],
    translation: Vec3,
    pub(crate) eye: Vec3,
    right: Vec3,
    up: Vec3,
    forward: Vec3,
    /// Samples along each edge of the grid.
    pub(crate) grid: u32,
    /// Samples per unit of slope.
    pub(crate) focal: f32,
    center: f32,
}

/// Positions as a structure of arrays.
#[derive(Default)]
pub(crate) struct SoaPositions {
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
}

/// Projects vertices to the grid.
pub(crate) struct ProjectVertices<'a> {
    pub(crate) projection: &'a Projection,
    pub(crate) positions: &'a SoaPositions,
    /// Index of the first position.
    pub(crate) first: usize,
    pub(crate) vertices: &'a mut [GridVertex],
}

/// A vertex on the sample grid: +X right, +Y down, snapped to `1 / SUBSAMPLE`. All zeros if the vertex is too near or too far
/// outside and needs clipping.
#[derive(Clone, Copy, Default)]
pub(crate) struct GridVertex {
    pub(crate) x: i32,
    pub(crate) y: i32,
    pub(crate) inverse_depth: f32,
}

impl Projection {
    pub(crate) fn new(camera: &Camera, grid: u32) -> Self {
        let rotation = glam::Mat3::from(camera.world_from_camera.matrix3);
        let eye = Vec3::from(camera.world_from_camera.translation);
        // f64 and one rounding, so that the last bit of a platform's tangent does not matter.
        let slope = (f64::from(camera.fov_y_radians) / 2.0).tan();
        let axes = [rotation.x_axis, rotation.y_axis, rotation.z_axis];
        Self {
            rows: axes,
            translation: Vec3::new(-axes[0].dot(eye), -axes[1].dot(eye), -axes[2].dot(eye)),
            eye,
            right: axes[0],
            up: axes[1],
            forward: -axes[2],
            grid,
            focal: (f64::from(grid) / 2.0 / slope) as f32,
            center: grid as f32 / 2.0,
        }
    }

    /// World → camera coordinates, for directions.
    pub(crate) fn direction_in_camera(&self, direction: Vec3) -> Vec3 {
        Vec3::from(self.rows.map(|axis| axis.dot(direction)))
    }

    /// World → camera coordinates: +X right, +Y up, looking along −Z.
    #[inline(always)]
    fn in_camera(&self, point: Vec3) -> Vec3 {
        Vec3::new(self.rows[0].dot(point), self.rows[1].dot(point), self.rows[2].dot(point))
            + self.translation
    }

    /// The direction in the world of the ray through a point of the grid; one unit deep, not of unit length.
    #[inline(always)]
    pub(crate) fn ray(&self, x: f32, y: f32) -> Vec3 {
        let slope = 1.0 / self.focal;
        self.forward + self.right * ((x - self.center) * slope) - self.up * ((y - self.center) * slope)
    }

    #[inline]
    pub(crate) fn vertex(&self, point: Vec3) -> GridVertex {
        self.snap(self.in_camera(point))
    }

    #[inline(always)]
    fn snap(&self, in_camera: Vec3) -> GridVertex {
        // +X right and +Y down on the grid; the camera looks along −Z.
        let inverse_depth = 1.0 / -in_camera.z;
        let x = in_camera.x * inverse_depth * self.focal;
        let y = -in_camera.y * inverse_depth * self.focal;
        // `&` instead of `&&`: this runs in loops that must have no branches to vectorize.
        let drawable = (in_camera.z <= -NEAR_PLANE) & (x.abs() <= GUARD_BAND) & (y.abs() <= GUARD_BAND);
        let keep = |v: f32| if drawable { v } else { 0.0 };
        let to_grid = |v: f32| keep((v + self.center) * SUBSAMPLE as f32) as i32;
        GridVertex { x: to_grid(x), y: to_grid(y), inverse_depth: keep(inverse_depth) }
    }

    /// Clips a triangle to the near plane and the guard band, and passes on the pieces.
    pub(crate) fn clip(&self, corners: [Vec3; 3], mut piece: impl FnMut([GridVertex; 3])) {
        let reach = 0.999 * GUARD_BAND / self.focal;
        // Inside is where `plane · point >= offset`; the side planes leave room for rounding.
        let planes = [
            (Vec3::NEG_Z, 2.0 * NEAR_PLANE),
            (Vec3::new(1.0, 0.0, -reach), 0.0),
            (Vec3::new(-1.0, 0.0, -reach), 0.0),
            (Vec3::new(0.0, 1.0, -reach), 0.0),
            (Vec3::new(0.0, -1.0, -reach), 0.0),
        ];
        let mut polygon: Vec<Vec3> = corners.iter().map(|&c| self.in_camera(c)).collect();
        for (plane, offset) in planes {
            polygon = clip_to_plane(&polygon, plane, offset);
        }
        let on_grid: Vec<GridVertex> = polygon.iter().map(|&p| self.snap(p)).collect();
        // A clipped triangle is a convex polygon: a fan from its first corner.
        for pair in on_grid.windows(2).skip(1) {
            let triangle = [on_grid[0], pair[0], pair[1]];
            if triangle.iter().all(GridVertex::is_in_front) {
                piece(triangle);
            }
        }
    }
}

impl SoaPositions {
    pub(crate) fn new(positions: impl Iterator<Item = Vec3> + Clone) -> Self {
        let list = |axis: usize| positions.clone().map(|p| p[axis]).collect();
        Self { x: list(0), y: list(1), z: list(2) }
    }

    pub(crate) fn len(&self) -> usize {
        self.x.len()
    }
}

impl Kernel for ProjectVertices<'_> {
    #[inline(always)]
    fn run(self) {
        let range = self.first..self.first + self.vertices.len();
        let positions = self.positions;
        let (xs, ys, zs) = (&positions.x[range.clone()], &positions.y[range.clone()], &positions.z[range]);
        for (((vertex, &x), &y), &z) in self.vertices.iter_mut().zip(xs).zip(ys).zip(zs) {
            *vertex = self.projection.snap(self.projection.in_camera(Vec3::new(x, y, z)));
        }
    }
}

impl GridVertex {
    #[inline]
    pub(crate) fn is_in_front(&self) -> bool {
        self.inverse_depth > 0.0
    }
}

/// The part of a convex polygon on the inner side of a plane (Sutherland–Hodgman).
fn clip_to_plane(polygon: &[Vec3], plane: Vec3, offset: f32) -> Vec<Vec3> {
    let mut inside = Vec::with_capacity(polygon.len() + 1);
    for (i, &from) in polygon.iter().enumerate() {
        let to = polygon[(i + 1) % polygon.len()];
        let (here, there) = (plane.dot(from) - offset, plane.dot(to) - offset);
        if here >= 0.0 {
            inside.push(from);
        }
        if (here >= 0.0) != (there >= 0.0) {
            inside.push(from + (to - from) * (here / (here - there)));
        }
    }
    inside
}
