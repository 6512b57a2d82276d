//! Projects a scene to the sample grid and bins it into bands of rows.

use std::ops::Range;

use lexiform_geometry::AlphaMode;
use rayon::prelude::*;

use crate::bins::{Bin, BinTriangles};
use crate::frame::{BAND_HEIGHT, Frame};
use crate::project::{GridVertex, ProjectVertices};
use crate::raster::RasterTriangle;

/// Triangles, vertices or points per parallel task.
const CHUNK: usize = 8192;

/// A scene projected to the sample grid and binned.
pub(crate) struct BinnedScene {
    pub(crate) vertices: Vec<GridVertex>,
    /// `[chunk][band]`, chunks in the order of ids.
    pub(crate) bins: Vec<Vec<Bin>>,
}

impl Frame<'_> {
    pub(crate) fn binned(&self) -> BinnedScene {
        let vertices = self.vertices();
        let mut bins = Vec::new();
        bins.par_extend(
            chunks(self.scene.surface.faces().len()).map(|range| self.bin_faces(&vertices, range)),
        );
        bins.par_extend(chunks(self.scene.splats.len()).map(|range| self.bin_points(range)));
        BinnedScene { vertices, bins }
    }

    fn vertices(&self) -> Vec<GridVertex> {
        let positions = &self.scene.positions;
        let mut vertices = vec![GridVertex::default(); positions.len()];
        vertices.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, vertices)| {
            self.level.run(ProjectVertices {
                projection: &self.projection,
                positions,
                first: chunk * CHUNK,
                vertices,
            });
        });
        vertices
    }

    fn bin_faces(&self, vertices: &[GridVertex], ids: Range<usize>) -> Vec<Bin> {
        // Capacity for half of the triangles on each side; few are in more than one band.
        let mut bins = self.empty_bins(ids.len() / 2);
        let mut slow_path = Vec::new();
        let mut first = ids.start as u32;
        while first < ids.end as u32 {
            let index = self.scene.surface.part_of(first);
            let end = self.scene.surface.faces_of(index).end.min(ids.end as u32);
            let part = &self.scene.surface.parts()[index];
            if part.alpha == AlphaMode::Opaque {
                let faces = &self.scene.surface.faces()[first as usize..end as usize];
                let bands = &self.bands;
                self.level.run(BinTriangles {
                    faces,
                    first_id: first,
                    vertices,
                    bands,
                    bins: &mut bins,
                    slow_path: &mut slow_path,
                });
                let put = |bin: &mut Bin, triangle: RasterTriangle| bin.large.push(triangle);
                slow_path.drain(..).for_each(|id| self.clip_and_bin(vertices, id, put, &mut bins));
            } else {
                let put_non_opaque =
                    |bin: &mut Bin, triangle: RasterTriangle| bin.non_opaque.push((triangle, index));
                (first..end).for_each(|id| self.clip_and_bin(vertices, id, put_non_opaque, &mut bins));
            }
            first = end;
        }
        bins
    }

    /// Puts a triangle, clipped if need be, into the bins of its bands.
    fn clip_and_bin(
        &self,
        vertices: &[GridVertex],
        id: u32,
        put: impl Fn(&mut Bin, RasterTriangle),
        bins: &mut [Bin],
    ) {
        let mut sort = |corners: [GridVertex; 3]| {
            let Some(triangle) = RasterTriangle::new(corners, id, self.projection.grid) else { return };
            let (first, last) = triangle.rows();
            for band in self.bands.overlapping(first, last) {
                put(&mut bins[band], triangle);
            }
        };
        let (numbers, corners) = self.scene.surface.triangle(id);
        // Only triangles with a vertex that could not be snapped need clipping.
        let on_grid = numbers.map(|v| vertices[v as usize]);
        if on_grid.iter().all(GridVertex::is_in_front) {
            sort(on_grid);
        } else {
            self.projection.clip(corners.map(|c| c.position), sort);
        }
    }

    fn bin_points(&self, points: Range<usize>) -> Vec<Bin> {
        let mut bins = self.empty_bins(0);
        for point in points {
            let Some(disc) = self.scene.splats.disc(point, &self.projection, self.scene.n_faces) else {
                continue;
            };
            let (first, last) = disc.rows();
            for band in self.bands.overlapping(first, last) {
                bins[band].discs.push(disc);
            }
        }
        bins
    }

    /// Bins with capacity for `n_faces` triangles on each side, spread over the bands.
    fn empty_bins(&self, n_faces: usize) -> Vec<Bin> {
        let n_bands = self.config.size.div_ceil(BAND_HEIGHT) as usize;
        (0..n_bands).map(|_| Bin::with_capacity(n_faces / n_bands)).collect()
    }
}

/// `0..count` in chunks for parallel tasks.
fn chunks(count: usize) -> impl IndexedParallelIterator<Item = Range<usize>> {
    let chunk = move |i: usize| i * CHUNK..((i + 1) * CHUNK).min(count);
    (0..count.div_ceil(CHUNK)).into_par_iter().map(chunk)
}
