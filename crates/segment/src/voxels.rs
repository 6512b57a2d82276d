//! Points grouped into the cells of a grid: one mean position and color per occupied cell.

use glam::{IVec3, Vec3};
use rayon::prelude::*;

/// Voxels along the longest edge of a scene: 2 cm in a room of 6 m.
const CELLS_PER_EXTENT: f32 = 320.0;
/// Factor between sizes that are tried.
const GROWTH: f32 = 1.25;
/// Points per voxel below which points are too sparse for this size.
const MIN_OCCUPANCY: f32 = 1.5;
/// More voxels take too long.
const MAX_VOXELS: usize = 700_000;
/// Points of which the extent of a scene is measured.
const EXTENT_POINTS: usize = 100_000;
/// Share of points at either end of an axis that may be outliers.
const OUTLIERS: f32 = 0.005;
/// Cells along an axis that a key holds, half of them on either side.
const MAX_CELLS: i32 = 1 << 20;

/// Occupied cells of a grid, in the order of their cells.
#[derive(Clone, Debug, Default)]
pub struct VoxelGrid {
    /// Edge of a voxel.
    pub size: f32,
    /// Mean of the points in each voxel.
    pub positions: Vec<Vec3>,
    /// Mean of the linear colors.
    pub colors: Vec<Vec3>,
    /// The voxel of each point.
    pub of_points: Vec<u32>,
}

impl VoxelGrid {
    /// Voxels as fine as the points allow: a fraction of the scene's extent, or more if points are sparse.
    pub fn new(positions: &[Vec3], colors: &[Vec3]) -> Self {
        let mut size = robust_extent(positions) / CELLS_PER_EXTENT;
        if !size.is_normal() {
            size = 1.0;
        }
        loop {
            let grid = Self::with_size(positions, colors, size);
            let n = grid.positions.len();
            let is_sparse = (positions.len() as f32) < MIN_OCCUPANCY * n as f32;
            if n <= 1 || (!is_sparse && n <= MAX_VOXELS) {
                return grid;
            }
            size *= if n > 4 * MAX_VOXELS { 2.0 } else { GROWTH };
        }
    }

    /// Voxels of a given size.
    pub fn with_size(positions: &[Vec3], colors: &[Vec3], size: f32) -> Self {
        let key = |p: &Vec3| {
            let cell =
                (*p / size).floor().as_ivec3().clamp(IVec3::splat(-MAX_CELLS), IVec3::splat(MAX_CELLS - 1));
            let [x, y, z] = (cell + MAX_CELLS).to_array().map(|c| c as u64);
            z << 42 | y << 21 | x
        };
        let mut order: Vec<(u64, u32)> =
            positions.par_iter().enumerate().map(|(i, p)| (key(p), i as u32)).collect();
        order.par_sort_unstable();
        let mut grid = Self { size, of_points: vec![0; positions.len()], ..Self::default() };
        for cell in order.chunk_by(|a, b| a.0 == b.0) {
            let voxel = grid.positions.len() as u32;
            // Relative to one of them, so that digits survive far from the origin.
            let origin = positions[cell[0].1 as usize];
            let (mut sum, mut color) = (Vec3::ZERO, Vec3::ZERO);
            for &(_, point) in cell {
                grid.of_points[point as usize] = voxel;
                sum += positions[point as usize] - origin;
                color += colors[point as usize];
            }
            grid.positions.push(origin + sum / cell.len() as f32);
            grid.colors.push(color / cell.len() as f32);
        }
        grid
    }
}

/// The longest edge of the box around all but the outermost points.
fn robust_extent(positions: &[Vec3]) -> f32 {
    let stride = positions.len().div_ceil(EXTENT_POINTS).max(1);
    let extent = |axis: usize| {
        let mut values: Vec<f32> = positions.iter().step_by(stride).map(|p| p[axis]).collect();
        values.sort_unstable_by(f32::total_cmp);
        let outside = (values.len() as f32 * OUTLIERS) as usize;
        match (values.get(outside), values.len().checked_sub(1 + outside).and_then(|i| values.get(i))) {
            (Some(low), Some(high)) => high - low,
            _ => 0.0,
        }
    };
    (0..3).map(extent).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voxel_is_the_mean_of_its_points() {
        let points = [[0.1, 0.0, 0.0], [0.3, 0.0, 0.0], [-0.2, 0.0, 0.0], [5.0, 5.0, 5.0]].map(Vec3::from);
        let colors = [Vec3::X, Vec3::Y, Vec3::Z, Vec3::ONE];
        let grid = VoxelGrid::with_size(&points, &colors, 1.0);
        assert_eq!(grid.of_points, [1, 1, 0, 2]);
        assert!(grid.positions[1].abs_diff_eq(Vec3::X * 0.2, 1e-6));
        assert_eq!(grid.colors[1], Vec3::new(0.5, 0.5, 0.0));
    }

    #[test]
    fn any_points_give_voxels() {
        for points in [&[][..], &[Vec3::ONE], &[Vec3::splat(f32::MAX), Vec3::splat(f32::MIN)]] {
            let grid = VoxelGrid::new(points, &vec![Vec3::ONE; points.len()]);
            assert_eq!(grid.of_points.len(), points.len());
        }
    }
}
