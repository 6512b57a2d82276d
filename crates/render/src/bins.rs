//! Binning: triangles and points by the bands of rows that they may cover.

use crate::project::GridVertex;
use crate::raster::{MAX_SMALL_EXTENT, RasterTriangle, sample_range};
use crate::splat::Disc;
use lexiform_kernels::Kernel;

/// Triangles classified at a time: loops over exactly this many lanes become vector instructions.
const BLOCK: usize = 16;

/// Everything that may cover samples of one band.
#[derive(Default)]
pub(crate) struct Bin {
    /// Small opaque triangles, front facing and back facing.
    pub(crate) front: Vec<u32>,
    pub(crate) back: Vec<u32>,
    /// Large or clipped opaque triangles.
    pub(crate) large: Vec<RasterTriangle>,
    /// Masked and blended triangles, with the index of their part.
    pub(crate) non_opaque: Vec<(RasterTriangle, usize)>,
    pub(crate) discs: Vec<Disc>,
}

/// Bands of rows of samples.
pub(crate) struct Bands {
    /// The band of each row.
    band_of_row: Vec<u16>,
}

/// Bins small opaque triangles.
pub(crate) struct BinTriangles<'a> {
    pub(crate) faces: &'a [[u32; 3]],
    /// Id of the first of `faces`.
    pub(crate) first_id: u32,
    pub(crate) vertices: &'a [GridVertex],
    pub(crate) bands: &'a Bands,
    pub(crate) bins: &'a mut [Bin],
    /// Triangles that are not small, or must be clipped first.
    pub(crate) slow_path: &'a mut Vec<u32>,
}

/// Classes of triangles.
const CULLED: i32 = 0;
const FRONT: i32 = 1;
const BACK: i32 = 2;
const SLOW_PATH: i32 = 3;

/// A block of triangles: corners, then the rows they may cover.
struct Block {
    x: [[i32; BLOCK]; 3],
    y: [[i32; BLOCK]; 3],
    /// Smallest inverse depth; 0 if a corner cannot be projected.
    farthest: [f32; BLOCK],
    first_row: [i32; BLOCK],
    last_row: [i32; BLOCK],
    class: [i32; BLOCK],
}

impl Bin {
    pub(crate) fn with_capacity(n_faces: usize) -> Self {
        let (front, back) = (Vec::with_capacity(n_faces), Vec::with_capacity(n_faces));
        Self { front, back, ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.front.is_empty()
            && self.back.is_empty()
            && self.large.is_empty()
            && self.non_opaque.is_empty()
            && self.discs.is_empty()
    }
}

impl Bands {
    pub(crate) fn new(grid: u32, height: u32) -> Self {
        Self { band_of_row: (0..grid).map(|row| (row / height) as u16).collect() }
    }

    pub(crate) fn grid(&self) -> i32 {
        self.band_of_row.len() as i32
    }

    /// The bands that overlap sample rows `first..=last`.
    #[inline(always)]
    pub(crate) fn overlapping(&self, first: i32, last: i32) -> std::ops::Range<usize> {
        let (first, last) = (first.max(0), last.min(self.grid() - 1));
        if first > last {
            return 0..0;
        }
        usize::from(self.band_of_row[first as usize])..usize::from(self.band_of_row[last as usize]) + 1
    }
}

impl Kernel for BinTriangles<'_> {
    #[inline(always)]
    fn run(self) {
        let mut block = Block {
            x: [[0; BLOCK]; 3],
            y: [[0; BLOCK]; 3],
            farthest: [0.0; BLOCK],
            first_row: [0; BLOCK],
            last_row: [0; BLOCK],
            class: [CULLED; BLOCK],
        };
        let mut id = self.first_id;
        for faces in self.faces.chunks(BLOCK) {
            block.gather(faces, self.vertices);
            block.classify(self.bands.grid());
            for (i, &class) in block.class.iter().enumerate().take(faces.len()) {
                // Most triangles go into one band only.
                if class == SLOW_PATH {
                    self.slow_path.push(id);
                } else if class != CULLED {
                    for band in self.bands.overlapping(block.first_row[i], block.last_row[i]) {
                        let bin = &mut self.bins[band];
                        if class == FRONT { bin.front.push(id) } else { bin.back.push(id) }
                    }
                }
                id += 1;
            }
        }
    }
}

impl Block {
    #[inline(always)]
    fn gather(&mut self, faces: &[[u32; 3]], vertices: &[GridVertex]) {
        for (i, face) in faces.iter().enumerate().take(BLOCK) {
            let mut farthest = f32::INFINITY;
            for (corner, &vertex) in face.iter().enumerate() {
                let vertex = &vertices[vertex as usize];
                self.x[corner][i] = vertex.x;
                self.y[corner][i] = vertex.y;
                farthest = farthest.min(vertex.inverse_depth);
            }
            self.farthest[i] = farthest;
        }
    }

    /// Classifies all triangles of the block in parallel lanes; unused lanes are ignored later.
    #[inline(always)]
    fn classify(&mut self, grid: i32) {
        let last = grid - 1;
        for i in 0..BLOCK {
            let (x, y) =
                ([self.x[0][i], self.x[1][i], self.x[2][i]], [self.y[0][i], self.y[1][i], self.y[2][i]]);
            let (columns, rows) = (sample_range(x), sample_range(y));
            let in_view = (columns.0.max(0) <= columns.1.min(last)) & (rows.0.max(0) <= rows.1.min(last));
            let small = (columns.1 - columns.0 < MAX_SMALL_EXTENT) & (rows.1 - rows.0 < MAX_SMALL_EXTENT);
            let (dx1, dy1, dx2, dy2) = (x[1] - x[0], y[1] - y[0], x[2] - x[0], y[2] - y[0]);
            // May overflow, but is exact for small triangles, and only used for them.
            let area = dx1.wrapping_mul(dy2).wrapping_sub(dy1.wrapping_mul(dx2));
            let side = if area > 0 { BACK } else { FRONT };
            let side = if area == 0 { CULLED } else { side };
            let class = if small { side } else { SLOW_PATH };
            let class = if in_view { class } else { CULLED };
            self.class[i] = if self.farthest[i] > 0.0 { class } else { SLOW_PATH };
            self.first_row[i] = rows.0;
            self.last_row[i] = rows.1;
        }
    }
}
