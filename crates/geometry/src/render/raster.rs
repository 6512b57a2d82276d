//! Which samples a triangle covers: exact integer edges, and a depth at each sample.

use std::ops::Range;

use super::project::{GridVertex, SUBSAMPLE, SUBSAMPLE_BITS};
use super::small::SMALL;

/// How much farther back faces count, relative to their depth: a sheet drawn twice, once for each side,
/// shows the side that faces the camera.
pub(super) const BACK_FACE_BIAS: f32 = 1.0 - 2e-5;

/// A triangle on the sample grid that covers samples, turned so that its area is positive (rows run down).
#[derive(Clone, Copy)]
pub(super) struct Record {
    x: [i32; 3],
    y: [i32; 3],
    inverse_depth: [f32; 3],
    pub(super) id: u32,
}

/// The side of a triangle across from a corner: positive inside, 0 on the line.
struct Edge {
    x: i32,
    y: i32,
    dx: i32,
    dy: i32,
    /// 0 where samples on the line belong to this triangle, −1 where they belong to its neighbor.
    bias: i32,
}

/// A step along a row of samples: the three edges' values there.
struct Walk {
    at: [i32; 3],
    right: [i32; 3],
    depths: [f32; 3],
}

impl Record {
    /// `None` without area, off the grid, or between the samples.
    #[inline]
    pub(super) fn new(corners: [GridVertex; 3], id: u32, grid: u32) -> Option<Self> {
        let [a, b, c] = corners;
        let last = grid as i32 - 1;
        let columns = covered([a.x, b.x, c.x]);
        let rows = covered([a.y, b.y, c.y]);
        if columns.0.max(0) > columns.1.min(last) || rows.0.max(0) > rows.1.min(last) {
            return None;
        }
        let (dx1, dy1, dx2, dy2) = (b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y);
        let area = i64::from(dx1) * i64::from(dy2) - i64::from(dy1) * i64::from(dx2);
        let is_back = area > 0;
        let (b, c, bias) = if is_back { (b, c, BACK_FACE_BIAS) } else { (c, b, 1.0) };
        let record = Self {
            x: [a.x, b.x, c.x],
            y: [a.y, b.y, c.y],
            inverse_depth: [a.inverse_depth * bias, b.inverse_depth * bias, c.inverse_depth * bias],
            id,
        };
        (area != 0).then_some(record)
    }

    /// First and last row of samples it may cover.
    #[inline]
    pub(super) fn rows(&self) -> (i32, i32) {
        covered(self.y)
    }

    /// Visits the samples it covers inside `rows` and `0..grid`: column, row, inverse depth.
    #[inline]
    pub(super) fn scan(&self, rows: Range<i32>, grid: u32, mut visit: impl FnMut(i32, i32, f32)) {
        let (columns, inner, is_small) = self.cut_to(&rows, grid);
        if !is_small {
            return self.scan_spans(columns, inner, &mut visit);
        }
        self.scan_box(columns.start, inner, |y, mut at| {
            for x in columns.clone() {
                if at.is_inside() {
                    visit(x, y, at.inverse_depth());
                }
                at.step();
            }
        });
    }

    /// Columns and rows to look at, and whether the triangle is small.
    #[inline]
    fn cut_to(&self, rows: &Range<i32>, grid: u32) -> (Range<i32>, Range<i32>, bool) {
        let (x0, x1) = covered(self.x);
        let (y0, y1) = covered(self.y);
        let columns = x0.max(0)..x1.min(grid as i32 - 1) + 1;
        let inner = y0.max(rows.start)..(y1 + 1).min(rows.end);
        (columns, inner, x1 - x0 < SMALL && y1 - y0 < SMALL)
    }

    /// Walks down the rows of a small box; 32 bits hold every product because the triangle is small.
    #[inline]
    fn scan_box(&self, first_column: i32, rows: Range<i32>, mut visit: impl FnMut(i32, Walk)) {
        let edges = [self.edge(0), self.edge(1), self.edge(2)];
        let (x, y) = (center(first_column), center(rows.start));
        let value = |e: &Edge| e.dx * (y - e.y) - e.dy * (x - e.x) + e.bias;
        let right = [edges[0].dy * SUBSAMPLE, edges[1].dy * SUBSAMPLE, edges[2].dy * SUBSAMPLE];
        let down = [edges[0].dx * SUBSAMPLE, edges[1].dx * SUBSAMPLE, edges[2].dx * SUBSAMPLE];
        let area = edges[0].dx * (self.y[0] - edges[0].y) - edges[0].dy * (self.x[0] - edges[0].x);
        let inverse_area = 1.0 / area as f32;
        let [z0, z1, z2] = self.inverse_depth;
        let depths = [z0, (z1 - z0) * inverse_area, (z2 - z0) * inverse_area];
        let mut at = [value(&edges[0]), value(&edges[1]), value(&edges[2])];
        for y in rows {
            visit(y, Walk { at, right, depths });
            at = [at[0] + down[0], at[1] + down[1], at[2] + down[2]];
        }
    }

    /// Solves every row for the columns inside.
    fn scan_spans(&self, columns: Range<i32>, rows: Range<i32>, visit: &mut impl FnMut(i32, i32, f32)) {
        let edges = [self.edge(0), self.edge(1), self.edge(2)];
        let value = |e: &Edge, x: i32, y: i32| {
            i64::from(e.dx) * i64::from(y - e.y) - i64::from(e.dy) * i64::from(x - e.x) + i64::from(e.bias)
        };
        let area = value(&edges[0], self.x[0], self.y[0]) as f32;
        let [z0, z1, z2] = self.inverse_depth;
        let (z1, z2) = ((z1 - z0) / area, (z2 - z0) / area);
        let step = -(edges[1].dy as f32 * z1 + edges[2].dy as f32 * z2) * SUBSAMPLE as f32;
        for y in rows {
            let at = edges.each_ref().map(|e| value(e, center(columns.start), center(y)));
            let (mut first, mut past) = (0, i64::from(columns.end - columns.start));
            for (edge, &at) in edges.iter().zip(&at) {
                // Inside while `at + column * slope >= 0`.
                let slope = -i64::from(edge.dy) * i64::from(SUBSAMPLE);
                match slope.signum() {
                    1 => first = first.max((-at).div_euclid(slope) + i64::from((-at).rem_euclid(slope) != 0)),
                    -1 => past = past.min(at.div_euclid(-slope) + 1),
                    _ if at < 0 => past = 0,
                    _ => {}
                }
            }
            let start = z0 + (at[1] as f32 * z1 + at[2] as f32 * z2);
            for column in first..past {
                visit(columns.start + column as i32, y, start + column as f32 * step);
            }
        }
    }

    #[inline]
    fn edge(&self, corner: usize) -> Edge {
        let (from, to) = ((corner + 1) % 3, (corner + 2) % 3);
        let (dx, dy) = (self.x[to] - self.x[from], self.y[to] - self.y[from]);
        // The usual rule: left edges (they run up here) and level top edges own their samples.
        let owns = dy < 0 || (dy == 0 && dx > 0);
        Edge { x: self.x[from], y: self.y[from], dx, dy, bias: i32::from(owns) - 1 }
    }
}

impl Walk {
    #[inline]
    fn is_inside(&self) -> bool {
        self.at[0] | self.at[1] | self.at[2] >= 0
    }

    #[inline]
    fn inverse_depth(&self) -> f32 {
        self.depths[0] + (self.at[1] as f32 * self.depths[1] + self.at[2] as f32 * self.depths[2])
    }

    #[inline]
    fn step(&mut self) {
        let right = self.right;
        self.at = [self.at[0] - right[0], self.at[1] - right[1], self.at[2] - right[2]];
    }
}

/// Snapped coordinate of the middle of a sample.
#[inline(always)]
pub(super) fn center(sample: i32) -> i32 {
    sample * SUBSAMPLE + SUBSAMPLE / 2
}

/// First and last sample whose middle lies between the smallest and the largest of three coordinates.
#[inline(always)]
pub(super) fn covered([a, b, c]: [i32; 3]) -> (i32, i32) {
    let (low, high) = (a.min(b).min(c), a.max(b).max(c));
    ((low + SUBSAMPLE / 2 - 1) >> SUBSAMPLE_BITS, (high - SUBSAMPLE / 2) >> SUBSAMPLE_BITS)
}
