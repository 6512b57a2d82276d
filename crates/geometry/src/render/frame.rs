//! One view: bands of sample rows are filled with ids, then each pixel is colored by what its samples see.

use std::ops::Range;

use glam::{Vec3, Vec4};
use image::RgbaImage;
use rayon::prelude::*;

use super::blend::Layers;
use super::color::tables;
use super::config::{Background, RenderConfig};
use super::project::{GridVertex, Projection};
use super::raster::{NOTHING, Record};
use super::splat::Disc;
use super::surface::{Sight, Stage};
use crate::{AlphaMode, Camera};

/// Pixel rows of a band; its samples fit the second-level cache.
const BAND: u32 = 32;
/// Triangles or points whose records one task makes.
const CHUNK: usize = 8192;
/// Samples of one smooth surface are colored once a pixel while their depths differ by less than this part.
const SMOOTH_DEPTH: f32 = 0.03;
/// … and while their normals differ by less than the angle of this cosine.
const SMOOTH_NORMAL: f32 = 0.8;
/// Most samples of a pixel.
const MOST_SAMPLES: usize = 16;

/// What may cover samples of one band, in the order of ids.
#[derive(Default)]
struct Bin {
    opaque: Vec<Record>,
    /// Triangles whose alpha decides, with the index of their part.
    pierced: Vec<(Record, usize)>,
    discs: Vec<Disc>,
}

/// Draws one view.
pub(super) struct Frame<'a> {
    stage: &'a Stage<'a>,
    config: RenderConfig,
    projection: Projection,
    /// Area of a pixel at depth 1.
    pixel_area: f32,
}

/// The samples of some rows: inverse depth and id of what is nearest.
struct Band {
    rows: Range<i32>,
    grid: u32,
    depth: Vec<f32>,
    id: Vec<u32>,
    layers: Option<Layers>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(stage: &'a Stage<'a>, camera: &Camera, config: RenderConfig) -> Self {
        let projection = Projection::new(camera, config.size * config.samples_per_edge);
        let pixel = config.samples_per_edge as f32 / projection.focal;
        Self { stage, config, projection, pixel_area: pixel * pixel }
    }

    pub(super) fn draw(&self) -> RgbaImage {
        let size = self.config.size;
        let mut image = RgbaImage::new(size, size);
        if size == 0 {
            return image;
        }
        let bins = self.bins();
        let band_bytes = (4 * size * BAND) as usize;
        image.par_chunks_mut(band_bytes).enumerate().for_each(|(index, pixels)| {
            let band = self.fill(index, &bins);
            self.color(&band, pixels);
        });
        image
    }

    /// Records of all that is in sight: `[chunk][band]`, chunks in the order of ids.
    fn bins(&self) -> Vec<Vec<Bin>> {
        let mut bins = Vec::new();
        for (part_index, part) in self.stage.parts.iter().enumerate() {
            let vertices = self.vertices(part.mesh.positions());
            let faces = part.mesh.faces();
            let starts: Vec<usize> = (0..faces.len()).step_by(CHUNK).collect();
            bins.par_extend(starts.into_par_iter().map(|start| {
                let range = start..(start + CHUNK).min(faces.len());
                self.bin_faces(part_index, &vertices, range)
            }));
        }
        let n_points = self.stage.splats.len();
        let starts: Vec<usize> = (0..n_points).step_by(CHUNK).collect();
        bins.par_extend(
            starts.into_par_iter().map(|start| self.bin_points(start..(start + CHUNK).min(n_points))),
        );
        bins
    }

    fn vertices(&self, positions: &[Vec3]) -> Vec<GridVertex> {
        positions.par_iter().with_min_len(CHUNK).map(|&p| self.projection.vertex(p)).collect()
    }

    fn bin_faces(&self, part_index: usize, vertices: &[GridVertex], faces: Range<usize>) -> Vec<Bin> {
        let mut bins = self.empty_bins();
        let part = &self.stage.parts[part_index];
        let opaque = part.alpha == AlphaMode::Opaque;
        let mut put = |record: Record| {
            for band in self.bands(record.rows()) {
                match opaque {
                    true => bins[band].opaque.push(record),
                    false => bins[band].pierced.push((record, part_index)),
                }
            }
        };
        for face in faces {
            let id = part.first_face + face as u32;
            let corners = part.mesh.faces()[face].map(|v| vertices[v as usize]);
            if corners.iter().all(|v| v.inverse_depth > 0.0) {
                self.projection.record(corners, id).into_iter().for_each(&mut put);
            } else {
                self.projection.clip(part.mesh.triangle(face), |piece| {
                    self.projection.record(piece, id).into_iter().for_each(&mut put);
                });
            }
        }
        bins
    }

    fn bin_points(&self, points: Range<usize>) -> Vec<Bin> {
        let mut bins = self.empty_bins();
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

    fn empty_bins(&self) -> Vec<Bin> {
        (0..self.config.size.div_ceil(BAND)).map(|_| Bin::default()).collect()
    }

    /// The bands that sample rows `first..=last` touch.
    fn bands(&self, (first, last): (i32, i32)) -> Range<usize> {
        let height = (BAND * self.config.samples_per_edge) as i32;
        let end = self.projection.grid as i32;
        let (first, last) = (first.max(0), last.min(end - 1));
        if first > last { 0..0 } else { (first / height) as usize..(last / height + 1) as usize }
    }

    /// The nearest of everything at each sample of a band.
    fn fill(&self, index: usize, bins: &[Vec<Bin>]) -> Band {
        let height = BAND * self.config.samples_per_edge;
        let grid = self.projection.grid;
        let first = index as u32 * height;
        let mut band = Band::new(first as i32..(first + height).min(grid) as i32, grid);
        for bin in bins.iter().map(|bands| &bands[index]) {
            for record in &bin.opaque {
                record.scan(band.rows.clone(), grid, |x, y, depth| band.see(x, y, depth, record.id));
            }
            for disc in &bin.discs {
                disc.scan(band.rows.clone(), grid, |x, y, depth| band.see(x, y, depth, disc.id));
            }
        }
        for bin in bins.iter().map(|bands| &bands[index]) {
            for &(record, part) in &bin.pierced {
                self.fill_pierced(&mut band, record, part);
            }
        }
        band
    }

    fn fill_pierced(&self, band: &mut Band, record: Record, part: usize) {
        let part = &self.stage.parts[part];
        record.scan(band.rows.clone(), self.projection.grid, |x, y, depth| {
            if depth <= band.depth[band.index(x, y)] {
                return;
            }
            let sight = self.sight(x as f32 + 0.5, y as f32 + 0.5);
            if !self.stage.is_there(part, record.id, &sight) {
                return;
            }
            match part.alpha {
                AlphaMode::Blend => band.cover(x, y, depth, record.id),
                _ => band.see(x, y, depth, record.id),
            }
        });
    }

    fn sight(&self, x: f32, y: f32) -> Sight {
        Sight { eye: self.projection.eye, ray: self.projection.ray(x, y), pixel_area: self.pixel_area }
    }

    /// Colors the pixels of a band, RGBA rows.
    fn color(&self, band: &Band, pixels: &mut [u8]) {
        let samples = self.config.samples_per_edge as i32;
        let size = self.config.size as usize;
        for (i, pixel) in pixels.chunks_exact_mut(4).enumerate() {
            let x = (i % size) as i32 * samples;
            let y = band.rows.start + (i / size) as i32 * samples;
            let seen = self.pixel(band, x, y, samples);
            pixel.copy_from_slice(&self.encoded(seen));
        }
    }

    /// Color and coverage of the pixel whose first sample is `(x, y)`, premultiplied.
    fn pixel(&self, band: &Band, x: i32, y: i32, samples: i32) -> Vec4 {
        let mut ids = [NOTHING; MOST_SAMPLES];
        let count = (samples * samples) as usize;
        for (i, id) in ids[..count].iter_mut().enumerate() {
            *id = band.id[band.index(x + i as i32 % samples, y + i as i32 / samples)];
        }
        let veiled = band
            .layers
            .as_ref()
            .is_some_and(|l| (0..count as i32).any(|i| l.any(band.index(x + i % samples, y + i / samples))));
        if veiled {
            return self.veiled_pixel(band, x, y, samples);
        }
        if ids[..count].iter().all(|&id| id == ids[0]) {
            if ids[0] == NOTHING {
                return Vec4::ZERO;
            }
            let middle = 0.5 * samples as f32;
            return opaque(self.shade(ids[0], x as f32 + middle, y as f32 + middle));
        }
        self.mixed_pixel(band, [x, y], samples, &mut ids[..count])
    }

    /// A pixel whose samples see different triangles: one color for each surface, weighted by its samples.
    fn mixed_pixel(&self, band: &Band, [x, y]: [i32; 2], samples: i32, ids: &mut [u32]) -> Vec4 {
        let mut sum = Vec4::ZERO;
        let at = |i: usize| (x + i as i32 % samples, y + i as i32 / samples);
        for first in 0..ids.len() {
            let id = ids[first];
            if id == NOTHING {
                continue;
            }
            let (first_x, first_y) = at(first);
            let depth = band.depth[band.index(first_x, first_y)];
            let mut weight = 0.0;
            for other in first..ids.len() {
                let (other_x, other_y) = at(other);
                let other_depth = band.depth[band.index(other_x, other_y)];
                if ids[other] != NOTHING && self.same_surface((id, depth), (ids[other], other_depth)) {
                    ids[other] = NOTHING;
                    weight += 1.0;
                }
            }
            sum += opaque(self.shade(id, first_x as f32 + 0.5, first_y as f32 + 0.5)) * weight;
        }
        sum / (samples * samples) as f32
    }

    /// Whether two samples, id and inverse depth, may share a color.
    fn same_surface(&self, (a, a_depth): (u32, f32), (b, b_depth): (u32, f32)) -> bool {
        if a == b {
            return true;
        }
        if a.max(b) >= self.stage.n_faces || (a_depth - b_depth).abs() > SMOOTH_DEPTH * a_depth {
            return false;
        }
        let part = self.stage.part_of(a);
        if part != self.stage.part_of(b) {
            return false;
        }
        let part = &self.stage.parts[part];
        match (part.first_normal(a), part.first_normal(b)) {
            (Some(a), Some(b)) => {
                let cosine = a.dot(b);
                cosine > 0.0 && cosine * cosine > SMOOTH_NORMAL * SMOOTH_NORMAL * a.dot(a) * b.dot(b)
            }
            _ => false,
        }
    }

    /// A pixel with blended layers: every sample on its own, front to back.
    fn veiled_pixel(&self, band: &Band, x: i32, y: i32, samples: i32) -> Vec4 {
        let mut sum = Vec4::ZERO;
        for i in 0..samples * samples {
            let (sample_x, sample_y) = (x + i % samples, y + i / samples);
            let index = band.index(sample_x, sample_y);
            let at = (sample_x as f32 + 0.5, sample_y as f32 + 0.5);
            let layers = band.layers.iter().flat_map(|l| l.nearest_first(index, band.depth[index]));
            let mut seen = Vec4::ZERO;
            for id in layers {
                let color = self.shade(id, at.0, at.1);
                let alpha = color.w.clamp(0.0, 1.0);
                seen += Vec4::from((color.truncate() * alpha, alpha)) * (1.0 - seen.w);
            }
            if band.id[index] != NOTHING {
                seen += opaque(self.shade(band.id[index], at.0, at.1)) * (1.0 - seen.w);
            }
            sum += seen;
        }
        sum / (samples * samples) as f32
    }

    fn shade(&self, id: u32, x: f32, y: f32) -> Vec4 {
        self.stage.shade(id, &self.sight(x, y), &self.config.light)
    }

    /// Linear premultiplied light → straight sRGB over the background.
    fn encoded(&self, seen: Vec4) -> [u8; 4] {
        let table = tables();
        let alpha = seen.w.clamp(0.0, 1.0);
        let scale = if alpha > 0.0 { 1.0 / alpha } else { 0.0 };
        let [r, g, b] = [seen.x, seen.y, seen.z].map(|c| table.srgb(c * scale));
        match self.config.background {
            Background::Transparent => [r, g, b, (alpha * 255.0 + 0.5) as u8],
            Background::Color(behind) => {
                let mix = |front: u8, back: u8| {
                    (f32::from(front) * alpha + f32::from(back) * (1.0 - alpha) + 0.5) as u8
                };
                [mix(r, behind[0]), mix(g, behind[1]), mix(b, behind[2]), 255]
            }
        }
    }
}

impl Band {
    fn new(rows: Range<i32>, grid: u32) -> Self {
        let count = rows.len() * grid as usize;
        Self { rows, grid, depth: vec![0.0; count], id: vec![NOTHING; count], layers: None }
    }

    fn index(&self, x: i32, y: i32) -> usize {
        (y - self.rows.start) as usize * self.grid as usize + x as usize
    }

    /// Something opaque at a sample.
    fn see(&mut self, x: i32, y: i32, depth: f32, id: u32) {
        let index = self.index(x, y);
        if depth > self.depth[index] {
            self.depth[index] = depth;
            self.id[index] = id;
        }
    }

    /// Something blended at a sample.
    fn cover(&mut self, x: i32, y: i32, depth: f32, id: u32) {
        let index = self.index(x, y);
        let count = self.id.len();
        self.layers.get_or_insert_with(|| Layers::new(count)).put(index, depth, id);
    }
}

fn opaque(color: Vec4) -> Vec4 {
    Vec4::from((color.truncate(), 1.0))
}
