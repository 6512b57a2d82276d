//! One view: what may be seen is sorted into bands of rows, then bands are filled and colored side by side.

use std::ops::Range;

use image::RgbaImage;
use lexiform_kernels::Level;
use rayon::prelude::*;

use super::band::Band;
use super::bins::{Bands, Bin, Sort};
use super::config::RenderConfig;
use super::light::Lamps;
use super::meeting::Sight;
use super::project::{GridVertex, Projection, Snap};
use super::raster::Record;
use super::surface::Stage;
use crate::{AlphaMode, Camera};

/// Pixel rows of a band; its samples fit the second-level cache.
pub(super) const BAND: u32 = 32;
/// Triangles, vertices or points of one task.
const CHUNK: usize = 8192;

/// Draws one view.
pub(super) struct Frame<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) config: RenderConfig,
    pub(super) level: Level,
    pub(super) lamps: Lamps,
    pub(super) projection: Projection,
    /// Area of a pixel at depth 1.
    pub(super) pixel_area: f32,
    bands: Bands,
}

/// Where everything of a view lies on the grid.
pub(super) struct Layout {
    pub(super) vertices: Vec<GridVertex>,
    /// `[chunk][band]`, chunks in the order of ids.
    pub(super) bins: Vec<Vec<Bin>>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(stage: &'a Stage<'a>, camera: &Camera, config: RenderConfig, level: Level) -> Self {
        let grid = config.size * config.samples_per_edge;
        let projection = Projection::new(camera, grid);
        let pixel = config.samples_per_edge as f32 / projection.focal;
        let bands = Bands::new(grid, BAND * config.samples_per_edge);
        let lamps = Lamps::new(&config.light);
        Self { stage, config, level, lamps, projection, pixel_area: pixel * pixel, bands }
    }

    pub(super) fn draw(&self) -> RgbaImage {
        let size = self.config.size;
        let mut image = RgbaImage::new(size, size);
        if size == 0 {
            return image;
        }
        let layout = self.layout();
        image.par_chunks_mut((4 * size * BAND) as usize).enumerate().for_each(|(index, pixels)| {
            if layout.bins.iter().all(|bands| bands[index].is_empty()) {
                return pixels.as_chunks_mut().0.fill(self.config.background.bare());
            }
            let band = self.band(&layout, index);
            match self.config.samples_per_edge {
                1 => self.color::<1>(&band, pixels),
                2 => self.color::<2>(&band, pixels),
                3 => self.color::<3>(&band, pixels),
                _ => self.color::<4>(&band, pixels),
            }
        });
        image
    }

    /// The samples of a band.
    pub(super) fn band(&self, layout: &Layout, index: usize) -> Band {
        let (grid, height) = (self.projection.grid, BAND * self.config.samples_per_edge);
        let first = index as u32 * height;
        let mut band = Band::new(first as i32..(first + height).min(grid) as i32, grid);
        band.fill(self, layout, index);
        band
    }

    /// The sight through a point of the grid.
    #[inline(always)]
    pub(super) fn sight(&self, x: f32, y: f32) -> Sight {
        Sight { eye: self.projection.eye, ray: self.projection.ray(x, y), pixel_area: self.pixel_area }
    }

    pub(super) fn layout(&self) -> Layout {
        let vertices = self.vertices();
        let mut bins = Vec::new();
        bins.par_extend(chunks(self.stage.faces.len()).map(|range| self.bin_faces(&vertices, range)));
        bins.par_extend(chunks(self.stage.splats.len()).map(|range| self.bin_points(range)));
        Layout { vertices, bins }
    }

    fn vertices(&self) -> Vec<GridVertex> {
        let places = &self.stage.places;
        let mut vertices = vec![GridVertex::default(); places.len()];
        vertices.par_chunks_mut(CHUNK).enumerate().for_each(|(chunk, vertices)| {
            self.level.run(Snap { projection: &self.projection, places, first: chunk * CHUNK, vertices });
        });
        vertices
    }

    fn bin_faces(&self, vertices: &[GridVertex], ids: Range<usize>) -> Vec<Bin> {
        // Half of the triangles face away, and few lie in more than one band.
        let mut bins = self.empty_bins(ids.len() / 2);
        let mut odd = Vec::new();
        let mut first = ids.start as u32;
        while first < ids.end as u32 {
            let index = self.stage.part_of(first);
            let end = self.stage.faces_of(index).end.min(ids.end as u32);
            let part = &self.stage.parts[index];
            if part.alpha == AlphaMode::Opaque {
                let faces = &self.stage.faces[first as usize..end as usize];
                let bands = &self.bands;
                self.level.run(Sort {
                    faces,
                    first_id: first,
                    vertices,
                    bands,
                    bins: &mut bins,
                    odd: &mut odd,
                });
                let put = |bin: &mut Bin, record: Record| bin.large.push(record);
                odd.drain(..).for_each(|id| self.records(vertices, id, put, &mut bins));
            } else {
                let pierce = |bin: &mut Bin, record: Record| bin.pierced.push((record, index));
                (first..end).for_each(|id| self.records(vertices, id, pierce, &mut bins));
            }
            first = end;
        }
        bins
    }

    /// Puts a triangle, or what can be drawn of it, into the bins of its bands.
    fn records(&self, vertices: &[GridVertex], id: u32, put: impl Fn(&mut Bin, Record), bins: &mut [Bin]) {
        let mut sort = |corners: [GridVertex; 3]| {
            let Some(record) = Record::new(corners, id, self.projection.grid) else { return };
            let (first, last) = record.rows();
            for band in self.bands.over(first, last) {
                put(&mut bins[band], record);
            }
        };
        let (numbers, corners) = self.stage.triangle(id);
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
            let Some(disc) = self.stage.splats.disc(point, &self.projection, self.stage.n_faces) else {
                continue;
            };
            let (first, last) = disc.rows();
            for band in self.bands.over(first, last) {
                bins[band].discs.push(disc);
            }
        }
        bins
    }

    /// Bins with room for a number of triangles on each side, spread over the bands.
    fn empty_bins(&self, n_faces: usize) -> Vec<Bin> {
        let n_bands = self.config.size.div_ceil(BAND) as usize;
        (0..n_bands).map(|_| Bin::with_room(n_faces / n_bands)).collect()
    }
}

/// `0..count` in pieces for the tasks.
fn chunks(count: usize) -> impl IndexedParallelIterator<Item = Range<usize>> {
    let chunk = move |i: usize| i * CHUNK..((i + 1) * CHUNK).min(count);
    (0..count.div_ceil(CHUNK)).into_par_iter().map(chunk)
}
