//! Resolves samples to pixels: each surface in a pixel is shaded once and weighted by its number of samples.

use std::ops::Range;

use glam::{Vec3, Vec4};
use image::RgbaImage;
use rayon::prelude::*;

use crate::band::Band;
use crate::coverage::{Coverage, PixelCoverage};
use crate::encode::{EncodeSrgb, LinearRgbaRow};
use crate::frame::{BAND_HEIGHT, Frame};
use crate::samples::{NO_ID, VisibilitySample};
use crate::shade::{Shade, ShadeRequest};

/// Samples of a smooth surface share one color per pixel if their inverse depths differ by less than this fraction …
const SMOOTH_DEPTH: f32 = 0.03;
/// … and their normals by less than the angle of this cosine.
const SMOOTH_NORMAL: f32 = 0.8;
/// Most samples per pixel.
const MAX_SAMPLES: usize = 16;

/// The state of one row of pixels, within the dirty columns.
struct Row {
    /// Requested colors, and the results.
    requests: Vec<ShadeRequest>,
    colors: Vec<Vec3>,
    light: LinearRgbaRow,
    coverages: Vec<PixelCoverage>,
    /// The triangles of the part of the latest lookup.
    part: Range<u32>,
}

impl Row {
    fn new(n_pixels: usize) -> Self {
        let light = std::array::from_fn(|_| vec![0.0; n_pixels]);
        Self {
            requests: Vec::new(),
            colors: Vec::new(),
            light,
            coverages: vec![PixelCoverage::Empty; n_pixels],
            part: 0..0,
        }
    }
}

#[inline]
fn add(light: &mut LinearRgbaRow, pixel: usize, color: Vec3, weight: f32) {
    let [red, green, blue, coverage] = light;
    red[pixel] += color.x * weight;
    green[pixel] += color.y * weight;
    blue[pixel] += color.z * weight;
    coverage[pixel] += weight;
}

impl Frame<'_> {
    /// Renders the view, sRGB with straight alpha.
    pub(crate) fn draw(&self) -> RgbaImage {
        let size = self.config.size;
        let mut image = RgbaImage::new(size, size);
        if size == 0 {
            return image;
        }
        let binned = self.binned();
        image.par_chunks_mut((4 * size * BAND_HEIGHT) as usize).enumerate().for_each(|(index, pixels)| {
            if binned.bins.iter().all(|bands| bands[index].is_empty()) {
                return pixels.as_chunks_mut().0.fill(self.config.background.clear_pixel());
            }
            let band = self.band(&binned, index);
            match self.config.samples_per_edge {
                1 => self.color::<1>(&band, pixels),
                2 => self.color::<2>(&band, pixels),
                3 => self.color::<3>(&band, pixels),
                _ => self.color::<4>(&band, pixels),
            }
        });
        image
    }

    /// Shades the pixels of a band: RGBA rows, `S` samples along each edge of a pixel.
    pub(crate) fn color<const S: usize>(&self, band: &Band, pixels: &mut [u8]) {
        let (samples, background) = ((S * S) as f32, self.config.background);
        let size = self.config.size as usize;
        let columns = (band.dirty_columns.start as usize / S).min(size)
            ..(band.dirty_columns.end as usize).div_ceil(S).min(size);
        let mut row = Row::new(columns.len());
        for (index, pixels) in pixels.chunks_exact_mut(4 * size).enumerate() {
            let pixels = pixels.as_chunks_mut::<4>().0;
            pixels[..columns.start].fill(background.clear_pixel());
            pixels[columns.end.max(columns.start)..].fill(background.clear_pixel());
            self.request::<S>(band, index, columns.start, &mut row);
            row.colors.resize(row.requests.len(), Vec3::ZERO);
            self.level.run(Shade { frame: self, requests: &row.requests, colors: &mut row.colors });
            for (request, color) in row.requests.drain(..).zip(&row.colors) {
                add(&mut row.light, request.pixel as usize, *color, request.weight);
            }
            let Some(pixels) = pixels.get_mut(columns.clone()) else { continue };
            self.level.run(EncodeSrgb { light: &row.light, samples, background, pixels });
            row.light.iter_mut().for_each(|channel| channel.fill(0.0));
        }
    }

    /// Collects the shading requests of a row of pixels, starting at column `first`.
    fn request<const S: usize>(&self, band: &Band, index: usize, first: usize, row: &mut Row) {
        let y = band.rows.start + (index * S) as i32;
        let samples: [&[VisibilitySample]; S] =
            std::array::from_fn(|i| &band.row(index * S + i)[first * S..]);
        // Taken out, because `put` below borrows the row; its memory is reused.
        let mut coverages = std::mem::take(&mut row.coverages);
        self.level.run(Coverage { samples, coverages: &mut coverages });
        for (pixel, kind) in coverages.iter().enumerate() {
            let x = ((first + pixel) * S) as i32;
            if band.layers.is_some() && self.has_blended_layers::<S>(band, [x, y]) {
                let light = self.blend_pixel::<S>(band, [x, y], &pixel_samples(&samples, pixel));
                row.light.iter_mut().zip(light.to_array()).for_each(|(sum, light)| sum[pixel] = light);
                continue;
            }
            match kind {
                PixelCoverage::Empty => {}
                // Shaded once, at the center of the pixel.
                PixelCoverage::Uniform => {
                    let (x, y) = (x as f32 + 0.5 * S as f32, y as f32 + 0.5 * S as f32);
                    let (id, weight) = (samples[0][pixel * S].id(), (S * S) as f32);
                    self.put(row, ShadeRequest { id, x, y, pixel: pixel as u32, weight });
                }
                PixelCoverage::Mixed => {
                    self.request_mixed::<S>(row, pixel, [x, y], &pixel_samples(&samples, pixel))
                }
            }
        }
        row.coverages = coverages;
    }

    #[inline]
    fn put(&self, row: &mut Row, request: ShadeRequest) {
        if request.id < self.scene.n_faces {
            row.requests.push(request);
        } else {
            let color = self.shade(request.id, request.x, request.y).truncate();
            add(&mut row.light, request.pixel as usize, color, request.weight);
        }
    }

    /// Requests the colors of a pixel with different triangles in its samples.
    #[inline]
    fn request_mixed<const S: usize>(
        &self,
        row: &mut Row,
        pixel: usize,
        [x, y]: [i32; 2],
        visibility: &[VisibilitySample; MAX_SAMPLES],
    ) {
        let mut done = [false; MAX_SAMPLES];
        // Quadratic, but over at most 16 samples, and without memory.
        for first in 0..S * S {
            let id = visibility[first].id();
            if done[first] || id == NO_ID {
                continue;
            }
            let mut weight = 1.0;
            for other in first + 1..S * S {
                if done[other] || visibility[other].id() == NO_ID {
                    continue;
                }
                done[other] = visibility[other].id() == id
                    || self.can_share_color(row, visibility[first], visibility[other]);
                weight += if done[other] { 1.0 } else { 0.0 };
            }
            let (x, y) = ((x + (first % S) as i32) as f32 + 0.5, (y + (first / S) as i32) as f32 + 0.5);
            self.put(row, ShadeRequest { id, x, y, pixel: pixel as u32, weight });
        }
    }

    /// Whether two samples can share the first one's color.
    #[inline]
    fn can_share_color(&self, row: &mut Row, first: VisibilitySample, other: VisibilitySample) -> bool {
        let (id, inverse_depth) = (first.id(), first.inverse_depth());
        if id >= self.scene.n_faces {
            return false;
        }
        if !row.part.contains(&id) {
            row.part = self.scene.surface.faces_of(self.scene.surface.part_of(id));
        }
        // One part, close in depth and with a similar normal: most likely the next triangle of the same surface.
        row.part.contains(&other.id())
            && (inverse_depth - other.inverse_depth()).abs() <= SMOOTH_DEPTH * inverse_depth
            && self.scene.is_smooth_between(id, other.id(), SMOOTH_NORMAL)
    }

    /// Whether a pixel has blended layers.
    fn has_blended_layers<const S: usize>(&self, band: &Band, [x, y]: [i32; 2]) -> bool {
        let mut samples = (0..S * S).map(|i| band.index(x + (i % S) as i32, y + (i / S) as i32));
        band.layers.as_ref().is_some_and(|layers| samples.any(|index| layers.any(index)))
    }

    /// The sum of a pixel with blended layers: each sample is composited separately, front to back.
    fn blend_pixel<const S: usize>(
        &self,
        band: &Band,
        [x, y]: [i32; 2],
        visibility: &[VisibilitySample; MAX_SAMPLES],
    ) -> Vec4 {
        let mut sum = Vec4::ZERO;
        for (i, behind) in visibility[..S * S].iter().enumerate() {
            let (sample_x, sample_y) = (x + (i % S) as i32, y + (i / S) as i32);
            let index = band.index(sample_x, sample_y);
            let at = (sample_x as f32 + 0.5, sample_y as f32 + 0.5);
            let layers = band.layers.iter().flat_map(|l| l.nearest_first(index, behind.inverse_depth()));
            // The "over" operator with premultiplied colors, front to back.
            let mut light = Vec4::ZERO;
            for id in layers {
                let color = self.shade(id, at.0, at.1);
                let alpha = color.w.clamp(0.0, 1.0);
                light += Vec4::from((color.truncate() * alpha, alpha)) * (1.0 - light.w);
            }
            if behind.id() != NO_ID {
                let color = self.shade(behind.id(), at.0, at.1).truncate();
                light += Vec4::from((color, 1.0)) * (1.0 - light.w);
            }
            sum += light;
        }
        sum
    }

    fn shade(&self, id: u32, x: f32, y: f32) -> Vec4 {
        self.scene.shade(id, &self.ray(x, y), &self.lighting)
    }
}

/// The samples of a pixel, row by row.
#[inline]
fn pixel_samples<const S: usize>(
    samples: &[&[VisibilitySample]; S],
    pixel: usize,
) -> [VisibilitySample; MAX_SAMPLES] {
    let mut visibility = [VisibilitySample::default(); MAX_SAMPLES];
    for (i, samples) in samples.iter().enumerate() {
        visibility[i * S..(i + 1) * S].copy_from_slice(&samples[pixel * S..(pixel + 1) * S]);
    }
    visibility
}
