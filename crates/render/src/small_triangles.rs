//! Small triangles, the most frequent kind: edges of many are set up in parallel lanes, and each is drawn a few samples at a
//! time.

use crate::hi_z::{HiZBuffer, ScreenBounds};
use crate::project::{GridVertex, SUBSAMPLE};
use crate::raster::{BACK_FACE_DEPTH_SCALE, center, sample_range};
use crate::samples::{SAMPLES_PER_STEP, Target, VisibilitySample, widen};
use lexiform_kernels::Kernel;

/// Triangles per block: loops over exactly this many lanes become vector instructions.
const BLOCK: usize = 16;

/// Draws opaque small triangles that all show the same side.
pub(crate) struct DrawSmall<'a, const BACK: bool> {
    pub(crate) ids: &'a [u32],
    pub(crate) faces: &'a [[u32; 3]],
    pub(crate) vertices: &'a [GridVertex],
    pub(crate) target: Target<'a>,
    /// Skips occluded triangles.
    pub(crate) hi_z: Option<&'a HiZBuffer>,
}

/// Corners of a block of triangles, then what drawing them needs.
struct Block {
    x: [[i32; BLOCK]; 3],
    y: [[i32; BLOCK]; 3],
    inverse_depth: [[f32; BLOCK]; 3],
    id: [u32; BLOCK],
    /// First and last column and row of the bounds.
    columns: [[i32; BLOCK]; 2],
    rows: [[i32; BLOCK]; 2],
    /// Edge functions at the first column and row, and their changes from column to column and row to row.
    at: [[i32; BLOCK]; 3],
    right: [[i32; BLOCK]; 3],
    down: [[i32; BLOCK]; 3],
    /// Inverse depth at the first corner, and its change per unit of the second and third edge function.
    depths: [[f32; BLOCK]; 3],
    /// Largest inverse depth.
    nearest: [f32; BLOCK],
}

impl<const BACK: bool> Kernel for DrawSmall<'_, BACK> {
    #[inline(always)]
    fn run(mut self) {
        let mut block = Block::empty();
        for ids in self.ids.chunks(BLOCK) {
            block.gather::<BACK>(ids, self.faces, self.vertices);
            block.set_up::<BACK>(&self.target);
            for triangle in 0..ids.len() {
                widen(self.target.dirty_columns, block.columns[0][triangle], block.columns[1][triangle]);
                if self.hi_z.is_none_or(|hi_z| !hi_z.occludes(&block.extent(triangle))) {
                    block.draw(triangle, &mut self.target);
                }
            }
        }
    }
}

impl Block {
    #[inline(always)]
    fn empty() -> Self {
        Self {
            x: [[0; BLOCK]; 3],
            y: [[0; BLOCK]; 3],
            inverse_depth: [[0.0; BLOCK]; 3],
            id: [0; BLOCK],
            columns: [[0; BLOCK]; 2],
            rows: [[0; BLOCK]; 2],
            at: [[0; BLOCK]; 3],
            right: [[0; BLOCK]; 3],
            down: [[0; BLOCK]; 3],
            depths: [[0.0; BLOCK]; 3],
            nearest: [0.0; BLOCK],
        }
    }

    /// Loads corners, ordered so that areas are positive (rows run down).
    #[inline(always)]
    fn gather<const BACK: bool>(&mut self, ids: &[u32], faces: &[[u32; 3]], vertices: &[GridVertex]) {
        for (i, &id) in ids.iter().enumerate().take(BLOCK) {
            let [a, b, c] = faces[id as usize];
            let (b, c) = if BACK { (b, c) } else { (c, b) };
            for (corner, vertex) in [a, b, c].into_iter().enumerate() {
                let vertex = &vertices[vertex as usize];
                self.x[corner][i] = vertex.x;
                self.y[corner][i] = vertex.y;
                self.inverse_depth[corner][i] = vertex.inverse_depth;
            }
            self.id[i] = id;
        }
    }

    /// Edge functions and depths of all triangles in parallel lanes: as in `RasterTriangle`, in 32 bits. Unused lanes are
    /// computed too, hence the wrapping operations.
    #[inline(always)]
    fn set_up<const BACK: bool>(&mut self, target: &Target<'_>) {
        let ([top, end], last) = (target.rows, target.grid - 1);
        let bias = if BACK { BACK_FACE_DEPTH_SCALE } else { 1.0 };
        for i in 0..BLOCK {
            let (x, y) =
                ([self.x[0][i], self.x[1][i], self.x[2][i]], [self.y[0][i], self.y[1][i], self.y[2][i]]);
            let (columns, rows) = (sample_range(x), sample_range(y));
            let columns = [columns.0.max(0), columns.1.min(last)];
            let rows = [rows.0.max(top), rows.1.min(end - 1)];
            let (column, row) = (center(columns[0]), center(rows[0]));
            self.columns[0][i] = columns[0];
            self.columns[1][i] = columns[1];
            self.rows[0][i] = rows[0];
            self.rows[1][i] = rows[1];
            for edge in 0..3 {
                let (from, to) = ((edge + 1) % 3, (edge + 2) % 3);
                let (dx, dy) = (x[to].wrapping_sub(x[from]), y[to].wrapping_sub(y[from]));
                // Top-left rule, as in `RasterTriangle::edge`.
                let owns = (dy < 0) | ((dy == 0) & (dx > 0));
                let across = dx.wrapping_mul(row.wrapping_sub(y[from]));
                let along = dy.wrapping_mul(column.wrapping_sub(x[from]));
                self.at[edge][i] = across.wrapping_sub(along).wrapping_add(i32::from(owns) - 1);
                self.right[edge][i] = dy.wrapping_mul(SUBSAMPLE);
                self.down[edge][i] = dx.wrapping_mul(SUBSAMPLE);
            }
            let (dx1, dy1) = (x[1].wrapping_sub(x[0]), y[1].wrapping_sub(y[0]));
            let (dx2, dy2) = (x[2].wrapping_sub(x[0]), y[2].wrapping_sub(y[0]));
            let area = dx1.wrapping_mul(dy2).wrapping_sub(dy1.wrapping_mul(dx2));
            let inverse_area = 1.0 / area as f32;
            let depths = [0, 1, 2].map(|corner| self.inverse_depth[corner][i] * bias);
            self.depths[0][i] = depths[0];
            self.depths[1][i] = (depths[1] - depths[0]) * inverse_area;
            self.depths[2][i] = (depths[2] - depths[0]) * inverse_area;
            self.nearest[i] = depths[0].max(depths[1]).max(depths[2]);
        }
    }

    #[inline(always)]
    fn extent(&self, i: usize) -> ScreenBounds {
        let pair = |list: &[[i32; BLOCK]; 2]| [list[0][i], list[1][i]];
        ScreenBounds { columns: pair(&self.columns), rows: pair(&self.rows), nearest: self.nearest[i] }
    }

    #[inline(always)]
    fn draw(&self, i: usize, target: &mut Target<'_>) {
        let triple = |list: &[[i32; BLOCK]; 3]| [list[0][i], list[1][i], list[2][i]];
        let (at, right, down) = (triple(&self.at), triple(&self.right), triple(&self.down));
        let depths = [self.depths[0][i], self.depths[1][i], self.depths[2][i]];
        let [first, last] = [self.columns[0][i], self.columns[1][i]];
        let [top, bottom] = [self.rows[0][i], self.rows[1][i]];
        // Whole steps: samples past the end are outside of the triangle, and the stride leaves room for them.
        let width = ((last - first).max(0) as usize / SAMPLES_PER_STEP + 1) * SAMPLES_PER_STEP;
        let n_rows = if last < first { 0 } else { (bottom + 1 - top).max(0) };
        let mut start = (top - target.rows[0]) as usize * target.stride + first as usize;
        let mut row_at = [lanes(at[0], right[0]), lanes(at[1], right[1]), lanes(at[2], right[2])];
        let change = right.map(|right| right.wrapping_mul(-(SAMPLES_PER_STEP as i32)));
        for _ in 0..n_rows {
            let Some(row) = target.visibility.get_mut(start..start.wrapping_add(width)) else { return };
            let mut at = row_at;
            for visibility in row.as_chunks_mut::<SAMPLES_PER_STEP>().0 {
                put_step(visibility, &at, depths, self.id[i]);
                add(&mut at[0], change[0]);
                add(&mut at[1], change[1]);
                add(&mut at[2], change[2]);
            }
            add(&mut row_at[0], down[0]);
            add(&mut row_at[1], down[1]);
            add(&mut row_at[2], down[2]);
            start += target.stride;
        }
    }
}

/// Values of an edge function at the first `SAMPLES_PER_STEP` samples of a row.
#[inline(always)]
fn lanes(first: i32, right: i32) -> [i32; SAMPLES_PER_STEP] {
    let mut lanes = [0; SAMPLES_PER_STEP];
    for (i, lane) in lanes.iter_mut().enumerate() {
        *lane = first.wrapping_sub(right.wrapping_mul(i as i32));
    }
    lanes
}

#[inline(always)]
fn add(lanes: &mut [i32; SAMPLES_PER_STEP], change: i32) {
    for lane in lanes {
        *lane = lane.wrapping_add(change);
    }
}

/// Draws `SAMPLES_PER_STEP` samples of a row from the edge functions there.
#[inline(always)]
fn put_step(
    visibility: &mut [VisibilitySample; SAMPLES_PER_STEP],
    at: &[[i32; SAMPLES_PER_STEP]; 3],
    depths: [f32; 3],
    id: u32,
) {
    for (lane, sample) in visibility.iter_mut().enumerate() {
        let (e0, e1, e2) = (at[0][lane], at[1][lane], at[2][lane]);
        let inverse_depth = depths[0] + (e1 as f32 * depths[1] + e2 as f32 * depths[2]);
        // Whether a sample is inside is unpredictable: masking costs less than mispredicted branches.
        sample.put(VisibilitySample::new(inverse_depth, id).masked((e0 | e1 | e2) >= 0));
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::raster::{MAX_SMALL_EXTENT, RasterTriangle};
    use crate::samples::empty_columns;
    use lexiform_kernels::SimdLevel;

    const GRID: i32 = 96;
    const ROWS: [i32; 2] = [16, 80];
    const STRIDE: usize = GRID as usize + 2 * SAMPLES_PER_STEP;

    /// Corners of triangles of all small sizes, some over the edges of the grid, some without area.
    fn vertices(count: usize, rng: &mut SmallRng) -> Vec<GridVertex> {
        let mut vertices = Vec::new();
        for i in 0..count {
            let size = SUBSAMPLE * (1 + i as i32 % (MAX_SMALL_EXTENT - 1));
            let mut around = |low: i32, high: i32| rng.random_range(low * SUBSAMPLE..high * SUBSAMPLE);
            let (x, y) = (around(-8, GRID + 8), around(0, GRID));
            for _ in 0..3 {
                let mut off = || if i % 50 == 0 { 0 } else { rng.random_range(0..size) };
                let (x, y) = (x + off(), y + off());
                vertices.push(GridVertex { x, y, inverse_depth: rng.random_range(0.2..0.9) });
            }
        }
        vertices
    }

    fn draw<const BACK: bool>(
        level: SimdLevel,
        ids: &[u32],
        vertices: &[GridVertex],
    ) -> Vec<VisibilitySample> {
        let faces: Vec<[u32; 3]> =
            (0..vertices.len() as u32 / 3).map(|i| [3 * i, 3 * i + 1, 3 * i + 2]).collect();
        let mut visibility = vec![VisibilitySample::default(); STRIDE * (ROWS[1] - ROWS[0]) as usize];
        let mut dirty_columns = empty_columns(GRID);
        let target = Target {
            rows: ROWS,
            grid: GRID,
            stride: STRIDE,
            visibility: &mut visibility,
            dirty_columns: &mut dirty_columns,
        };
        level.run(DrawSmall::<BACK> { ids, faces: &faces, vertices, target, hi_z: None });
        for row in visibility.chunks(STRIDE) {
            let outside =
                |x: i32| !dirty_columns.contains(&x) && row[x as usize] != VisibilitySample::default();
            assert!(!(0..GRID).any(outside), "{level:?} draws outside of {dirty_columns:?}");
        }
        visibility
    }

    /// The slow twin: triangle by triangle, sample by sample.
    fn draw_slowly(ids: &[u32], vertices: &[GridVertex]) -> Vec<VisibilitySample> {
        let mut visibility = vec![VisibilitySample::default(); STRIDE * (ROWS[1] - ROWS[0]) as usize];
        for &id in ids {
            let first = 3 * id as usize;
            let corners = [vertices[first], vertices[first + 1], vertices[first + 2]];
            if let Some(triangle) = RasterTriangle::new(corners, id, GRID as u32) {
                triangle.scan(ROWS[0]..ROWS[1], GRID as u32, |x, y, inverse_depth| {
                    visibility[(y - ROWS[0]) as usize * STRIDE + x as usize]
                        .put(VisibilitySample::new(inverse_depth, id));
                });
            }
        }
        visibility
    }

    #[test]
    fn every_level_draws_what_one_sample_after_the_other_draws() {
        let vertices = vertices(3000, &mut SmallRng::seed_from_u64(5));
        let area = |id: u32| {
            let [a, b, c] = [0, 1, 2].map(|corner| vertices[3 * id as usize + corner]);
            i64::from(b.x - a.x) * i64::from(c.y - a.y) - i64::from(b.y - a.y) * i64::from(c.x - a.x)
        };
        let (back, front): (Vec<u32>, Vec<u32>) =
            (0..3000).filter(|&id| area(id) != 0).partition(|&id| area(id) > 0);
        let in_view = |visibility: Vec<VisibilitySample>| -> Vec<VisibilitySample> {
            visibility.chunks(STRIDE).flat_map(|row| row[..GRID as usize].to_vec()).collect()
        };
        for level in SimdLevel::available() {
            let image = in_view(draw::<false>(level, &front, &vertices));
            assert!(image == in_view(draw_slowly(&front, &vertices)), "front at {level:?}");
            let image = in_view(draw::<true>(level, &back, &vertices));
            assert!(image == in_view(draw_slowly(&back, &vertices)), "back at {level:?}");
        }
    }
}
