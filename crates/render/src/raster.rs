//! Triangle rasterization with exact integer edge functions ([Pineda 1988]), and a depth at each sample.
//!
//! [Pineda 1988]: https://doi.org/10.1145/378456.378457

use std::ops::Range;

use crate::project::{GridVertex, SUBSAMPLE, SUBSAMPLE_BITS};
use crate::samples::{Target, VisibilitySample, widen};
use lexiform_kernels::Kernel;

/// Factor on the inverse depth of back faces, which moves them slightly back: of a sheet modeled twice, once for each side,
/// the side that faces the camera is visible.
pub(crate) const BACK_FACE_DEPTH_SCALE: f32 = 1.0 - 2e-5;

/// Triangles that span more columns or rows than this are drawn row by row as spans. Products of coordinates of smaller ones
/// fit 32 bits.
pub(crate) const MAX_SMALL_EXTENT: i32 = 32;

/// A triangle on the sample grid, with corners ordered so that its area is positive (rows run down).
#[derive(Clone, Copy)]
pub(crate) struct RasterTriangle {
    x: [i32; 3],
    y: [i32; 3],
    inverse_depth: [f32; 3],
    pub(crate) id: u32,
}

/// The edge function opposite a corner: positive inside, 0 on the line.
struct Edge {
    x: i32,
    y: i32,
    dx: i32,
    dy: i32,
    /// 0 if samples on the line belong to this triangle, −1 if they belong to its neighbor.
    bias: i32,
}

/// Where a row of samples crosses an edge: its value at the first column divided by the change from column to column, as a
/// quotient and a remainder, updated from row to row by additions (DDA), because a division takes as long as many samples.
struct EdgeStepper {
    quotient: i64,
    remainder: i64,
    quotient_step: i64,
    remainder_step: i64,
    /// Magnitude of the change from column to column, and its sign.
    slope: i64,
    sign: i64,
}

/// The samples of a row inside a triangle. Columns are counted from `origin`; inverse depth is `start + column * step`.
struct Span {
    row: i32,
    origin: i32,
    columns: Range<i32>,
    start: f32,
    step: f32,
}

/// Draws opaque triangles of any size.
pub(crate) struct DrawLarge<'a> {
    pub(crate) triangles: &'a [RasterTriangle],
    pub(crate) target: Target<'a>,
}

/// The values of the three edge functions at a sample, stepped along a row.
struct EdgeValues {
    at: [i32; 3],
    right: [i32; 3],
    depths: [f32; 3],
}

impl RasterTriangle {
    /// `None` for a triangle without area, outside of the grid, or between samples.
    #[inline]
    pub(crate) fn new(corners: [GridVertex; 3], id: u32, grid: u32) -> Option<Self> {
        let [a, b, c] = corners;
        let last = grid as i32 - 1;
        let columns = sample_range([a.x, b.x, c.x]);
        let rows = sample_range([a.y, b.y, c.y]);
        if columns.0.max(0) > columns.1.min(last) || rows.0.max(0) > rows.1.min(last) {
            return None;
        }
        let (dx1, dy1, dx2, dy2) = (b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y);
        let area = i64::from(dx1) * i64::from(dy2) - i64::from(dy1) * i64::from(dx2);
        // Rows run down, so front faces have negative areas here; they are flipped.
        let is_back = area > 0;
        let (b, c, bias) = if is_back { (b, c, BACK_FACE_DEPTH_SCALE) } else { (c, b, 1.0) };
        let triangle = Self {
            x: [a.x, b.x, c.x],
            y: [a.y, b.y, c.y],
            inverse_depth: [a.inverse_depth * bias, b.inverse_depth * bias, c.inverse_depth * bias],
            id,
        };
        (area != 0).then_some(triangle)
    }

    /// First and last row of samples it may cover.
    #[inline]
    pub(crate) fn rows(&self) -> (i32, i32) {
        sample_range(self.y)
    }

    /// Visits the samples it covers inside `rows` and `0..grid`: column, row, inverse depth.
    #[inline]
    pub(crate) fn scan(&self, rows: Range<i32>, grid: u32, mut visit: impl FnMut(i32, i32, f32)) {
        let (columns, inner, is_small) = self.clip_to(&rows, grid as i32);
        if is_small {
            return self.scan_box(columns, inner, visit);
        }
        self.scan_spans(columns, inner, |span| {
            for column in span.columns.clone() {
                visit(span.origin + column, span.row, span.inverse_depth(column));
            }
        });
    }

    /// Draws it into the samples of `target`.
    #[inline(always)]
    fn draw(&self, target: &mut Target<'_>) {
        let [top, end] = target.rows;
        let (stride, id, visibility) = (target.stride, self.id, &mut *target.visibility);
        let (columns, inner, is_small) = self.clip_to(&(top..end), target.grid);
        if !inner.is_empty() {
            widen(target.dirty_columns, columns.start, columns.end - 1);
        }
        let place = |x: i32, y: i32| (y - top) as usize * stride + x as usize;
        if is_small {
            return self.scan_box(columns, inner, |x, y, depth| {
                visibility[place(x, y)].put(VisibilitySample::new(depth, id))
            });
        }
        self.scan_spans(columns, inner, |span| {
            let first = place(span.origin + span.columns.start, span.row);
            let samples = &mut visibility[first..][..span.columns.len()];
            for (column, sample) in (span.columns.start..).zip(samples) {
                sample.put(VisibilitySample::new(span.inverse_depth(column), id));
            }
        });
    }

    /// Columns and rows of its bounds within the target, and whether the triangle is small.
    #[inline(always)]
    fn clip_to(&self, rows: &Range<i32>, grid: i32) -> (Range<i32>, Range<i32>, bool) {
        let (x0, x1) = sample_range(self.x);
        let (y0, y1) = sample_range(self.y);
        let columns = x0.max(0)..x1.min(grid - 1) + 1;
        let inner = y0.max(rows.start)..(y1 + 1).min(rows.end);
        (columns, inner, x1 - x0 < MAX_SMALL_EXTENT && y1 - y0 < MAX_SMALL_EXTENT)
    }

    /// Tests every sample of its bounds; 32 bits hold every product because the triangle is small.
    #[inline(always)]
    fn scan_box(&self, columns: Range<i32>, rows: Range<i32>, mut visit: impl FnMut(i32, i32, f32)) {
        let edges = [self.edge(0), self.edge(1), self.edge(2)];
        let (x, y) = (center(columns.start), center(rows.start));
        let value = |e: &Edge| e.dx * (y - e.y) - e.dy * (x - e.x) + e.bias;
        let right = [edges[0].dy * SUBSAMPLE, edges[1].dy * SUBSAMPLE, edges[2].dy * SUBSAMPLE];
        let down = [edges[0].dx * SUBSAMPLE, edges[1].dx * SUBSAMPLE, edges[2].dx * SUBSAMPLE];
        let area = edges[0].dx * (self.y[0] - edges[0].y) - edges[0].dy * (self.x[0] - edges[0].x);
        let inverse_area = 1.0 / area as f32;
        let [z0, z1, z2] = self.inverse_depth;
        let depths = [z0, (z1 - z0) * inverse_area, (z2 - z0) * inverse_area];
        let mut row_at = [value(&edges[0]), value(&edges[1]), value(&edges[2])];
        for y in rows {
            let mut at = EdgeValues { at: row_at, right, depths };
            for x in columns.clone() {
                if at.is_inside() {
                    visit(x, y, at.inverse_depth());
                }
                at.step();
            }
            row_at = [row_at[0] + down[0], row_at[1] + down[1], row_at[2] + down[2]];
        }
    }

    /// Solves each row for the columns inside.
    #[inline(always)]
    fn scan_spans(&self, columns: Range<i32>, rows: Range<i32>, mut visit: impl FnMut(Span)) {
        let edges = [self.edge(0), self.edge(1), self.edge(2)];
        let value = |e: &Edge, x: i32, y: i32| {
            i64::from(e.dx) * i64::from(y - e.y) - i64::from(e.dy) * i64::from(x - e.x) + i64::from(e.bias)
        };
        let area = value(&edges[0], self.x[0], self.y[0]) as f32;
        let [z0, z1, z2] = self.inverse_depth;
        let (z1, z2) = ((z1 - z0) / area, (z2 - z0) / area);
        // Depth is affine in the edge functions, so its change from column to column is constant.
        let step = -(edges[1].dy as f32 * z1 + edges[2].dy as f32 * z2) * SUBSAMPLE as f32;
        let (x, y) = (center(columns.start), center(rows.start));
        let mut at = [value(&edges[0], x, y), value(&edges[1], x, y), value(&edges[2], x, y)];
        let mut steppers = [0, 1, 2].map(|i| EdgeStepper::new(&edges[i], at[i]));
        let width = i64::from(columns.end) - i64::from(columns.start);
        for row in rows {
            let (mut first, mut past) = (0, width);
            for stepper in &mut steppers {
                (first, past) = stepper.clip(first, past);
                stepper.step_down();
            }
            if first < past {
                let start = z0 + (at[1] as f32 * z1 + at[2] as f32 * z2);
                visit(Span { row, origin: columns.start, columns: first as i32..past as i32, start, step });
            }
            for (at, edge) in at.iter_mut().zip(&edges) {
                *at += edge.down();
            }
        }
    }

    #[inline(always)]
    fn edge(&self, corner: usize) -> Edge {
        let (from, to) = ((corner + 1) % 3, (corner + 2) % 3);
        let (dx, dy) = (self.x[to] - self.x[from], self.y[to] - self.y[from]);
        // Top-left rule: samples on left edges (they run up here) and on horizontal top edges belong to the triangle.
        let owns = dy < 0 || (dy == 0 && dx > 0);
        Edge { x: self.x[from], y: self.y[from], dx, dy, bias: i32::from(owns) - 1 }
    }
}

impl Edge {
    /// Change of its value from row to row.
    #[inline(always)]
    fn down(&self) -> i64 {
        i64::from(self.dx) * i64::from(SUBSAMPLE)
    }
}

impl EdgeStepper {
    /// For an edge whose value is `at` in the first row and column.
    #[inline(always)]
    fn new(edge: &Edge, at: i64) -> Self {
        let slope = -i64::from(edge.dy) * i64::from(SUBSAMPLE);
        let (size, sign, down) = (slope.abs().max(1), slope.signum(), edge.down());
        Self {
            quotient: at.div_euclid(size),
            remainder: at.rem_euclid(size),
            quotient_step: down.div_euclid(size),
            remainder_step: down.rem_euclid(size),
            slope: size,
            sign,
        }
    }

    /// The columns of `first..past` that are inside: where `at + column * slope >= 0`.
    #[inline(always)]
    fn clip(&self, first: i64, past: i64) -> (i64, i64) {
        // Without branches, which would be unpredictable.
        let low = if self.sign > 0 { -self.quotient } else { 0 };
        let level = if self.quotient < 0 { 0 } else { past };
        let high = if self.sign < 0 { self.quotient + 1 } else { past };
        (first.max(low), past.min(if self.sign == 0 { level } else { high }))
    }

    #[inline(always)]
    fn step_down(&mut self) {
        self.quotient += self.quotient_step;
        self.remainder += self.remainder_step;
        let carries = self.remainder >= self.slope;
        self.quotient += i64::from(carries);
        self.remainder -= if carries { self.slope } else { 0 };
    }
}

impl Span {
    #[inline(always)]
    fn inverse_depth(&self, column: i32) -> f32 {
        self.start + column as f32 * self.step
    }
}

impl Kernel for DrawLarge<'_> {
    #[inline(always)]
    fn run(mut self) {
        for triangle in self.triangles {
            triangle.draw(&mut self.target);
        }
    }
}

impl EdgeValues {
    #[inline(always)]
    fn is_inside(&self) -> bool {
        self.at[0] | self.at[1] | self.at[2] >= 0
    }

    #[inline(always)]
    fn inverse_depth(&self) -> f32 {
        self.depths[0] + (self.at[1] as f32 * self.depths[1] + self.at[2] as f32 * self.depths[2])
    }

    #[inline(always)]
    fn step(&mut self) {
        let right = self.right;
        self.at = [self.at[0] - right[0], self.at[1] - right[1], self.at[2] - right[2]];
    }
}

/// Snapped coordinate of the center of a sample.
#[inline(always)]
pub(crate) fn center(sample: i32) -> i32 {
    sample * SUBSAMPLE + SUBSAMPLE / 2
}

/// First and last sample whose center is between the smallest and the largest of three coordinates.
#[inline(always)]
pub(crate) fn sample_range([a, b, c]: [i32; 3]) -> (i32, i32) {
    let (low, high) = (a.min(b).min(c), a.max(b).max(c));
    ((low + SUBSAMPLE / 2 - 1) >> SUBSAMPLE_BITS, (high - SUBSAMPLE / 2) >> SUBSAMPLE_BITS)
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::samples::empty_columns;
    use lexiform_kernels::SimdLevel;

    const GRID: i32 = 120;
    const ROWS: [i32; 2] = [8, 104];

    /// Triangles of all sizes, far over the edges of the grid too, some with level or upright sides.
    fn triangles(count: u32, rng: &mut SmallRng) -> Vec<RasterTriangle> {
        let mut triangle = |id: u32| {
            let reach = [20, 100, 300, 30_000][id as usize % 4] * SUBSAMPLE;
            let mut corner = || GridVertex {
                x: 60 * SUBSAMPLE + rng.random_range(-reach..reach),
                y: 60 * SUBSAMPLE + rng.random_range(-reach..reach),
                inverse_depth: rng.random_range(0.2..0.9),
            };
            let mut corners = [corner(), corner(), corner()];
            match id % 3 {
                0 => corners[1].y = corners[0].y,
                1 => corners[2].x = corners[1].x,
                _ => {}
            }
            RasterTriangle::new(corners, id, GRID as u32)
        };
        (0..count).filter_map(&mut triangle).collect()
    }

    /// Whether a sample is inside, by the edges' values there.
    fn covers(triangle: &RasterTriangle, x: i32, y: i32) -> bool {
        [0, 1, 2].map(|corner| triangle.edge(corner)).iter().all(|e| {
            let (across, along) = (center(y) - e.y, center(x) - e.x);
            i64::from(e.dx) * i64::from(across) - i64::from(e.dy) * i64::from(along) + i64::from(e.bias) >= 0
        })
    }

    #[test]
    fn spans_are_the_samples_inside_at_every_level() {
        let triangles = triangles(400, &mut SmallRng::seed_from_u64(7));
        let stride = GRID as usize + 8;
        for triangle in &triangles {
            let mut inside = Vec::new();
            triangle.scan(ROWS[0]..ROWS[1], GRID as u32, |x, y, depth| inside.push((x, y, depth)));
            let visited: Vec<(i32, i32)> = inside.iter().map(|(x, y, _)| (*x, *y)).collect();
            let all = (ROWS[0]..ROWS[1]).flat_map(|y| (0..GRID).map(move |x| (x, y)));
            let expected: Vec<(i32, i32)> = all.filter(|(x, y)| covers(triangle, *x, *y)).collect();
            assert_eq!(visited, expected, "triangle {}", triangle.id);
            let mut slow = vec![VisibilitySample::default(); stride * (ROWS[1] - ROWS[0]) as usize];
            for (x, y, depth) in inside {
                slow[(y - ROWS[0]) as usize * stride + x as usize]
                    .put(VisibilitySample::new(depth, triangle.id));
            }
            for level in SimdLevel::available() {
                let (mut visibility, mut dirty_columns) =
                    (vec![VisibilitySample::default(); slow.len()], empty_columns(GRID));
                let target = Target {
                    rows: ROWS,
                    grid: GRID,
                    stride,
                    visibility: &mut visibility,
                    dirty_columns: &mut dirty_columns,
                };
                level.run(DrawLarge { triangles: std::slice::from_ref(triangle), target });
                assert!(visibility == slow, "triangle {} at {level:?}", triangle.id);
                assert!(
                    visited.iter().all(|(x, _)| dirty_columns.contains(x)),
                    "triangle {} at {level:?}",
                    triangle.id
                );
            }
        }
    }
}
