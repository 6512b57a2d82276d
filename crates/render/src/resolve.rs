//! From samples to pixels: every surface a pixel sees is colored once and weighted by its samples.

use std::ops::Range;

use glam::{Vec3, Vec4};
use image::RgbaImage;
use rayon::prelude::*;

use crate::band::Band;
use crate::coverage::{Coverage, Kind};
use crate::encode::{Encode, Light};
use crate::frame::{BAND, Frame};
use crate::samples::{NOTHING, Seen};
use crate::shade::{Ask, Shade};

/// Samples of one smooth surface are colored once a pixel while their inverse depths differ by less than this part …
const SMOOTH_DEPTH: f32 = 0.03;
/// … and their normals by less than the angle of this cosine.
const SMOOTH_NORMAL: f32 = 0.8;
/// Most samples of a pixel.
const MOST_SAMPLES: usize = 16;

/// One row of pixels on its way to colors, those where anything may be drawn.
struct Row {
    /// Colors of triangles that are needed, and those colors.
    asks: Vec<Ask>,
    colors: Vec<Vec3>,
    light: Light,
    kinds: Vec<Kind>,
    /// The triangles of the part last looked at.
    part: Range<u32>,
}

impl Row {
    fn new(n_pixels: usize) -> Self {
        let light = std::array::from_fn(|_| vec![0.0; n_pixels]);
        Self { asks: Vec::new(), colors: Vec::new(), light, kinds: vec![Kind::Blank; n_pixels], part: 0..0 }
    }
}

#[inline]
fn add(light: &mut Light, pixel: usize, color: Vec3, weight: f32) {
    let [red, green, blue, coverage] = light;
    red[pixel] += color.x * weight;
    green[pixel] += color.y * weight;
    blue[pixel] += color.z * weight;
    coverage[pixel] += weight;
}

impl Frame<'_> {
    /// The view, sRGB with straight alpha.
    pub(crate) fn draw(&self) -> RgbaImage {
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

    /// Colors the pixels of a band, RGBA rows, `S` samples along each edge of a pixel.
    pub(crate) fn color<const S: usize>(&self, band: &Band, pixels: &mut [u8]) {
        let (samples, background) = ((S * S) as f32, self.config.background);
        let size = self.config.size as usize;
        let drawn =
            (band.drawn.start as usize / S).min(size)..(band.drawn.end as usize).div_ceil(S).min(size);
        let mut row = Row::new(drawn.len());
        for (index, pixels) in pixels.chunks_exact_mut(4 * size).enumerate() {
            let pixels = pixels.as_chunks_mut::<4>().0;
            pixels[..drawn.start].fill(background.bare());
            pixels[drawn.end.max(drawn.start)..].fill(background.bare());
            self.ask::<S>(band, index, drawn.start, &mut row);
            row.colors.resize(row.asks.len(), Vec3::ZERO);
            self.level.run(Shade { frame: self, asks: &row.asks, colors: &mut row.colors });
            for (ask, color) in row.asks.drain(..).zip(&row.colors) {
                add(&mut row.light, ask.pixel as usize, *color, ask.weight);
            }
            let Some(pixels) = pixels.get_mut(drawn.clone()) else { continue };
            self.level.run(Encode { light: &row.light, samples, background, pixels });
            row.light.iter_mut().for_each(|channel| channel.fill(0.0));
        }
    }

    /// Finds out which colors a row of pixels needs, from the pixel in column `first` on.
    fn ask<const S: usize>(&self, band: &Band, index: usize, first: usize, row: &mut Row) {
        let y = band.rows.start + (index * S) as i32;
        let samples: [&[Seen]; S] = std::array::from_fn(|i| &band.row(index * S + i)[first * S..]);
        let mut kinds = std::mem::take(&mut row.kinds);
        self.level.run(Coverage { samples, kinds: &mut kinds });
        for (pixel, kind) in kinds.iter().enumerate() {
            let x = ((first + pixel) * S) as i32;
            if band.layers.is_some() && self.is_veiled::<S>(band, [x, y]) {
                let light = self.veiled_pixel::<S>(band, [x, y], &seen_by(&samples, pixel));
                row.light.iter_mut().zip(light.to_array()).for_each(|(sum, light)| sum[pixel] = light);
                continue;
            }
            match kind {
                Kind::Blank => {}
                Kind::Even => {
                    let (x, y) = (x as f32 + 0.5 * S as f32, y as f32 + 0.5 * S as f32);
                    let (id, weight) = (samples[0][pixel * S].id(), (S * S) as f32);
                    self.put(row, Ask { id, x, y, pixel: pixel as u32, weight });
                }
                Kind::Mixed => self.ask_mixed::<S>(row, pixel, [x, y], &seen_by(&samples, pixel)),
            }
        }
        row.kinds = kinds;
    }

    #[inline]
    fn put(&self, row: &mut Row, ask: Ask) {
        if ask.id < self.stage.n_faces {
            row.asks.push(ask);
        } else {
            let color = self.shade(ask.id, ask.x, ask.y).truncate();
            add(&mut row.light, ask.pixel as usize, color, ask.weight);
        }
    }

    /// A pixel whose samples see different triangles.
    #[inline]
    fn ask_mixed<const S: usize>(
        &self,
        row: &mut Row,
        pixel: usize,
        [x, y]: [i32; 2],
        seen: &[Seen; MOST_SAMPLES],
    ) {
        let mut done = [false; MOST_SAMPLES];
        for first in 0..S * S {
            let id = seen[first].id();
            if done[first] || id == NOTHING {
                continue;
            }
            let mut weight = 1.0;
            for other in first + 1..S * S {
                if done[other] || seen[other].id() == NOTHING {
                    continue;
                }
                done[other] = seen[other].id() == id || self.share(row, seen[first], seen[other]);
                weight += if done[other] { 1.0 } else { 0.0 };
            }
            let (x, y) = ((x + (first % S) as i32) as f32 + 0.5, (y + (first / S) as i32) as f32 + 0.5);
            self.put(row, Ask { id, x, y, pixel: pixel as u32, weight });
        }
    }

    /// Whether two samples may have the first one's color.
    #[inline]
    fn share(&self, row: &mut Row, first: Seen, other: Seen) -> bool {
        let (id, inverse_depth) = (first.id(), first.inverse_depth());
        if id >= self.stage.n_faces {
            return false;
        }
        if !row.part.contains(&id) {
            row.part = self.stage.surface.faces_of(self.stage.surface.part_of(id));
        }
        row.part.contains(&other.id())
            && (inverse_depth - other.inverse_depth()).abs() <= SMOOTH_DEPTH * inverse_depth
            && self.stage.is_smooth_between(id, other.id(), SMOOTH_NORMAL)
    }

    /// Whether a pixel has blended layers.
    fn is_veiled<const S: usize>(&self, band: &Band, [x, y]: [i32; 2]) -> bool {
        let mut samples = (0..S * S).map(|i| band.index(x + (i % S) as i32, y + (i / S) as i32));
        band.layers.as_ref().is_some_and(|layers| samples.any(|index| layers.any(index)))
    }

    /// The sum of a pixel with blended layers: every sample on its own, front to back.
    fn veiled_pixel<const S: usize>(
        &self,
        band: &Band,
        [x, y]: [i32; 2],
        seen: &[Seen; MOST_SAMPLES],
    ) -> Vec4 {
        let mut sum = Vec4::ZERO;
        for (i, behind) in seen[..S * S].iter().enumerate() {
            let (sample_x, sample_y) = (x + (i % S) as i32, y + (i / S) as i32);
            let index = band.index(sample_x, sample_y);
            let at = (sample_x as f32 + 0.5, sample_y as f32 + 0.5);
            let layers = band.layers.iter().flat_map(|l| l.nearest_first(index, behind.inverse_depth()));
            let mut light = Vec4::ZERO;
            for id in layers {
                let color = self.shade(id, at.0, at.1);
                let alpha = color.w.clamp(0.0, 1.0);
                light += Vec4::from((color.truncate() * alpha, alpha)) * (1.0 - light.w);
            }
            if behind.id() != NOTHING {
                let color = self.shade(behind.id(), at.0, at.1).truncate();
                light += Vec4::from((color, 1.0)) * (1.0 - light.w);
            }
            sum += light;
        }
        sum
    }

    fn shade(&self, id: u32, x: f32, y: f32) -> Vec4 {
        self.stage.shade(id, &self.ray(x, y), &self.lamps)
    }
}

/// The samples of a pixel, row by row.
#[inline]
fn seen_by<const S: usize>(samples: &[&[Seen]; S], pixel: usize) -> [Seen; MOST_SAMPLES] {
    let mut seen = [Seen::default(); MOST_SAMPLES];
    for (i, samples) in samples.iter().enumerate() {
        seen[i * S..(i + 1) * S].copy_from_slice(&samples[pixel * S..(pixel + 1) * S]);
    }
    seen
}
