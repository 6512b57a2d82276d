//! Points sorted into a uniform grid: exact nearest neighbors for many queries, where density is even enough.

use std::ops::Range;

use glam::{IVec3, Vec3};

use crate::Bounds;

/// Aim for this many points per cell if they filled the whole box; cells on a surface hold several times as many.
const POINTS_PER_CELL: usize = 4;
/// Most cells along an axis.
const MAX_CELLS_PER_AXIS: i32 = 128;
/// If a typical cell holds more than this many times the points of a query, a k-d tree is faster.
const MAX_CROWDING: usize = 8;

/// Points sorted by cell, as one list per axis.
pub(super) struct CellGrid {
    low: Vec3,
    /// Cells per unit of length, and the edge length of a cell.
    cells_per_unit: f32,
    edge: f32,
    size: IVec3,
    /// Where each cell's points start, and where the last one's end.
    starts: Vec<u32>,
    x: Vec<f32>,
    y: Vec<f32>,
    z: Vec<f32>,
    index: Vec<u32>,
}

impl CellGrid {
    /// `None` where points are so unevenly spread that a grid would not help queries for `count` of them.
    pub fn new(positions: &[Vec3], count: usize) -> Option<Self> {
        let bounds = Bounds::from_points(positions.iter().copied())?;
        let (low, extents) = (bounds.min, bounds.extents());
        let longest = extents.max_element();
        if !longest.is_finite() || longest <= 0.0 {
            return None;
        }
        let share = (extents / longest).max(Vec3::splat(1.0 / MAX_CELLS_PER_AXIS as f32));
        let wanted = (positions.len() / POINTS_PER_CELL).max(1) as f32;
        let along = (wanted / share.element_product()).cbrt().clamp(1.0, MAX_CELLS_PER_AXIS as f32);
        let (cells_per_unit, edge) = (along / longest, longest / along);
        let size = (extents * cells_per_unit).floor().as_ivec3() + IVec3::ONE;
        let mut cells = Self {
            low,
            cells_per_unit,
            edge,
            size,
            starts: Vec::new(),
            x: Vec::new(),
            y: Vec::new(),
            z: Vec::new(),
            index: Vec::new(),
        };
        let of_points: Vec<u32> = positions.iter().map(|&p| cells.cell_index(cells.cell(p)) as u32).collect();
        cells.starts = starts(&of_points, size.element_product() as usize);
        if cells.mean_occupancy() > MAX_CROWDING * count.max(POINTS_PER_CELL) {
            return None;
        }
        cells.fill(positions, &of_points);
        Some(cells)
    }

    fn cell(&self, p: Vec3) -> IVec3 {
        // Casts saturate, so queries that are far outside or NaN also get a cell.
        ((p - self.low) * self.cells_per_unit).floor().as_ivec3().clamp(IVec3::ZERO, self.size - IVec3::ONE)
    }

    fn cell_index(&self, cell: IVec3) -> usize {
        ((cell.z * self.size.y + cell.y) * self.size.x + cell.x) as usize
    }

    /// Mean number of points in the cell of a point: the mean over points, not over cells.
    fn mean_occupancy(&self) -> usize {
        let squares = self.starts.windows(2).map(|pair| (pair[1] - pair[0]) as usize).map(|n| n * n);
        squares.sum::<usize>() / self.starts.last().map_or(1, |&all| all.max(1) as usize)
    }

    fn fill(&mut self, positions: &[Vec3], of_points: &[u32]) {
        let count = positions.len();
        (self.x, self.y, self.z) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
        self.index = vec![0; count];
        // Counting sort: `next` is where the next point of each cell goes.
        let mut next = self.starts.clone();
        for ((p, &cell), index) in positions.iter().zip(of_points).zip(0..) {
            let at = next[cell as usize] as usize;
            next[cell as usize] += 1;
            (self.x[at], self.y[at], self.z[at], self.index[at]) = (p.x, p.y, p.z, index);
        }
    }

    /// Finds the `count` points nearest to `query`, nearest first, ties by index; all points if there are fewer.
    pub fn nearest(&self, query: Vec3, count: usize, found: &mut NearestCandidates) {
        found.clear();
        let (count, center) = (count.min(self.index.len()), self.cell(query));
        if count == 0 {
            return;
        }
        for ring in 0.. {
            self.visit_ring(center, ring, query, found);
            let all = (center - ring).cmple(IVec3::ZERO).all() && (center + ring).cmpge(self.size - 1).all();
            // The first check is after 3 × 3 × 3 cells: one cell alone is hardly ever enough.
            if ring > 0 || all {
                found.keep_nearest(count);
            }
            if all
                || (ring > 0
                    && found.is_full(count)
                    && found.farthest() < self.unvisited_distance_squared(center, ring, query))
            {
                break;
            }
        }
        found.keys.sort_unstable();
    }

    /// Squared distance to the border of the cube of visited cells: points beyond may not have been visited.
    fn unvisited_distance_squared(&self, center: IVec3, ring: i32, query: Vec3) -> f32 {
        let offset = query - self.low;
        let low = (center - ring).as_vec3() * self.edge;
        let high = (center + ring + 1).as_vec3() * self.edge;
        let mut nearest = f32::INFINITY;
        for axis in 0..3 {
            if center[axis] - ring > 0 {
                nearest = nearest.min(offset[axis] - low[axis]);
            }
            if center[axis] + ring + 1 < self.size[axis] {
                nearest = nearest.min(high[axis] - offset[axis]);
            }
        }
        // A little less, because cell borders are rounded.
        let safe = (nearest - 1e-3 * self.edge).max(0.0);
        safe * safe
    }

    /// Visits the cells that are `ring` away from `center` in the maximum norm.
    fn visit_ring(&self, center: IVec3, ring: i32, query: Vec3, found: &mut NearestCandidates) {
        let low = (center - ring).max(IVec3::ZERO);
        let high = (center + ring).min(self.size - IVec3::ONE);
        for z in low.z..=high.z {
            for y in low.y..=high.y {
                let start = self.cell_index(IVec3::new(0, y, z));
                let cells = |first: i32, last: i32| start + first as usize..start + last as usize + 1;
                // Rows on the faces of the cube are visited whole, others only at their two ends.
                if (z - center.z).abs() == ring || (y - center.y).abs() == ring {
                    self.visit(cells(low.x, high.x), query, found);
                    continue;
                }
                let (left, right) = (center.x - ring, center.x + ring);
                if left >= 0 {
                    self.visit(cells(left, left), query, found);
                }
                if right < self.size.x {
                    self.visit(cells(right, right), query, found);
                }
            }
        }
    }

    fn visit(&self, cells: Range<usize>, query: Vec3, found: &mut NearestCandidates) {
        let points = self.starts[cells.start] as usize..self.starts[cells.end] as usize;
        let (x, y, z) = (&self.x[points.clone()], &self.y[points.clone()], &self.z[points.clone()]);
        found.keys.reserve(points.len());
        for (((x, y), z), &index) in x.iter().zip(y).zip(z).zip(&self.index[points]) {
            let (dx, dy, dz) = (x - query.x, y - query.y, z - query.z);
            let square = dx * dx + dy * dy + dz * dz;
            if square <= found.limit {
                // Non-negative floats compare as their bits do, so one integer comparison sorts by distance, then index.
                found.keys.push(u64::from(square.to_bits()) << 32 | u64::from(index));
            }
        }
    }
}

/// Where the points of each of `count` cells start once they are sorted.
fn starts(of_points: &[u32], count: usize) -> Vec<u32> {
    let mut starts = vec![0; count + 1];
    of_points.iter().for_each(|&cell| starts[cell as usize + 1] += 1);
    for i in 1..starts.len() {
        starts[i] += starts[i - 1];
    }
    starts
}

/// The nearest points of one query so far. Keys have the bits of the squared distance above and the index below; nothing
/// farther than `limit` is added.
pub(super) struct NearestCandidates {
    keys: Vec<u64>,
    limit: f32,
}

impl NearestCandidates {
    pub fn new() -> Self {
        Self { keys: Vec::new(), limit: f32::INFINITY }
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.limit = f32::INFINITY;
    }

    fn is_full(&self, count: usize) -> bool {
        self.keys.len() >= count
    }

    /// Drops all but the nearest `count`.
    fn keep_nearest(&mut self, count: usize) {
        if self.keys.len() > count {
            self.keys.select_nth_unstable(count - 1);
            self.keys.truncate(count);
        }
        if self.is_full(count) {
            self.limit = self.farthest();
        }
    }

    fn farthest(&self) -> f32 {
        self.keys.iter().max().map_or(f32::INFINITY, |key| f32::from_bits((key >> 32) as u32))
    }

    /// Indices in the order of the last search.
    pub fn indices(&self) -> impl Iterator<Item = usize> + '_ {
        self.keys.iter().map(|&key| key as u32 as usize)
    }
}
