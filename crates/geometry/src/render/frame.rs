//! One view: what may be seen is sorted into bands of rows, then bands are filled and colored side by side.

use std::ops::Range;

use glam::Vec3;
use image::RgbaImage;
use rayon::prelude::*;

use super::band::{Band, Bin};
use super::config::RenderConfig;
use super::project::{GridVertex, Projection};
use super::raster::Record;
use super::surface::{Lamps, Sight, Stage};
use crate::{AlphaMode, Camera};

/// Pixel rows of a band; its samples fit the second-level cache.
const BAND: u32 = 32;
/// Triangles or points whose records one task makes.
const CHUNK: usize = 8192;

/// Draws one view.
pub(super) struct Frame<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) config: RenderConfig,
    pub(super) lamps: Lamps,
    pub(super) projection: Projection,
    /// Area of a pixel at depth 1.
    pixel_area: f32,
    /// The band of each row of samples.
    band_of_row: Vec<u16>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(stage: &'a Stage<'a>, camera: &Camera, config: RenderConfig) -> Self {
        let grid = config.size * config.samples_per_edge;
        let projection = Projection::new(camera, grid);
        let pixel = config.samples_per_edge as f32 / projection.focal;
        let height = BAND * config.samples_per_edge;
        let band_of_row = (0..grid).map(|row| (row / height) as u16).collect();
        let lamps = Lamps::new(&config.light);
        Self { stage, config, lamps, projection, pixel_area: pixel * pixel, band_of_row }
    }

    pub(super) fn draw(&self) -> RgbaImage {
        let size = self.config.size;
        let mut image = RgbaImage::new(size, size);
        if size == 0 {
            return image;
        }
        let bins = self.bins();
        let grid = self.projection.grid;
        let height = BAND * self.config.samples_per_edge;
        image.par_chunks_mut((4 * size * BAND) as usize).enumerate().for_each(|(index, pixels)| {
            let first = index as u32 * height;
            let mut band = Band::new(first as i32..(first + height).min(grid) as i32, grid);
            band.fill(self, &bins, index);
            match self.config.samples_per_edge {
                1 => self.color::<1>(&band, pixels),
                2 => self.color::<2>(&band, pixels),
                3 => self.color::<3>(&band, pixels),
                _ => self.color::<4>(&band, pixels),
            }
        });
        image
    }

    /// The sight through a point of the grid.
    #[inline]
    pub(super) fn sight(&self, x: f32, y: f32) -> Sight {
        Sight { eye: self.projection.eye, ray: self.projection.ray(x, y), pixel_area: self.pixel_area }
    }

    /// Records of all that is in sight: `[chunk][band]`, chunks in the order of ids.
    fn bins(&self) -> Vec<Vec<Bin>> {
        let mut bins = Vec::new();
        for (part_index, part) in self.stage.parts.iter().enumerate() {
            let vertices = self.vertices(part.mesh.positions());
            let faces = part.mesh.faces();
            bins.par_extend(chunks(faces.len()).map(|range| self.bin_faces(part_index, &vertices, range)));
        }
        bins.par_extend(chunks(self.stage.splats.len()).map(|range| self.bin_points(range)));
        bins
    }

    fn vertices(&self, positions: &[Vec3]) -> Vec<GridVertex> {
        positions.par_iter().with_min_len(CHUNK).map(|&p| self.projection.vertex(p)).collect()
    }

    fn bin_faces(&self, part_index: usize, vertices: &[GridVertex], faces: Range<usize>) -> Vec<Bin> {
        // Half of the triangles face away, and few lie in more than one band.
        let mut bins = self.empty_bins(faces.len() / 2);
        let part = &self.stage.parts[part_index];
        let opaque = part.alpha == AlphaMode::Opaque;
        let grid = self.projection.grid;
        let mut put = |corners: [GridVertex; 3], id: u32| {
            let Some(record) = Record::new(corners, id, grid) else { return };
            for band in self.bands(record.rows()) {
                let bin = &mut bins[band];
                match opaque {
                    true if record.is_back => bin.back.push(record),
                    true => bin.front.push(record),
                    false => bin.pierced.push((record, part_index)),
                }
            }
        };
        for face in faces {
            let id = part.first_face + face as u32;
            let [a, b, c] = part.mesh.faces()[face];
            let corners = [vertices[a as usize], vertices[b as usize], vertices[c as usize]];
            if corners[0].is_in_front() && corners[1].is_in_front() && corners[2].is_in_front() {
                put(corners, id);
            } else {
                self.projection.clip(part.mesh.triangle(face), |piece| put(piece, id));
            }
        }
        bins
    }

    fn bin_points(&self, points: Range<usize>) -> Vec<Bin> {
        let mut bins = self.empty_bins(0);
        for point in points {
            let Some(disc) = self.stage.splats.disc(point, &self.projection, self.stage.n_faces) else {
                continue;
            };
            for band in self.bands(disc.rows()) {
                bins[band].discs.push(disc);
            }
        }
        bins
    }

    /// Bins with room for a number of records on each side, spread over the bands.
    fn empty_bins(&self, n_records: usize) -> Vec<Bin> {
        let n_bands = self.config.size.div_ceil(BAND) as usize;
        (0..n_bands).map(|_| Bin::with_room(n_records / n_bands)).collect()
    }

    /// The bands that sample rows `first..=last` touch.
    #[inline]
    fn bands(&self, (first, last): (i32, i32)) -> Range<usize> {
        let end = self.band_of_row.len() as i32;
        let (first, last) = (first.max(0), last.min(end - 1));
        if first > last {
            return 0..0;
        }
        usize::from(self.band_of_row[first as usize])..usize::from(self.band_of_row[last as usize]) + 1
    }
}

/// `0..count` in pieces for the tasks.
fn chunks(count: usize) -> impl IndexedParallelIterator<Item = Range<usize>> {
    let chunk = move |i: usize| i * CHUNK..((i + 1) * CHUNK).min(count);
    (0..count.div_ceil(CHUNK)).into_par_iter().map(chunk)
}
