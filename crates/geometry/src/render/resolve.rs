//! From samples to pixels: every surface a pixel sees is colored once and weighted by its samples.

use std::ops::Range;

use glam::Vec4;

use super::band::{Band, NOTHING, Seen};
use super::color::tables;
use super::config::Background;
use super::frame::Frame;

/// Samples of one smooth surface are colored once a pixel while their inverse depths differ by less than this part …
const SMOOTH_DEPTH: f32 = 0.03;
/// … and their normals by less than the angle of this cosine.
const SMOOTH_NORMAL: f32 = 0.8;
/// Most samples of a pixel.
const MOST_SAMPLES: usize = 16;

/// A triangle and those of its mesh that may share its color.
struct Patch {
    id: u32,
    faces: Range<u32>,
    part: usize,
    inverse_depth: f32,
}

impl Frame<'_> {
    /// Colors the pixels of a band, RGBA rows, `S` samples along each edge of a pixel.
    pub(super) fn color<const S: usize>(&self, band: &Band, pixels: &mut [u8]) {
        let blank = self.encoded(Vec4::ZERO);
        for (row, pixels) in pixels.chunks_exact_mut(4 * self.config.size as usize).enumerate() {
            let y = band.rows.start + (row * S) as i32;
            let rows: [&[Seen]; S] = std::array::from_fn(|i| band.row(row * S + i));
            for (column, pixel) in pixels.chunks_exact_mut(4).enumerate() {
                let mut seen = [Seen::default(); MOST_SAMPLES];
                for (i, row) in rows.iter().enumerate() {
                    seen[i * S..(i + 1) * S].copy_from_slice(&row[column * S..(column + 1) * S]);
                }
                let x = (column * S) as i32;
                let light = self.pixel::<S>(band, [x, y], &seen);
                pixel.copy_from_slice(&light.map_or(blank, |light| self.encoded(light)));
            }
        }
    }

    /// Light and coverage of the pixel whose first sample is `(x, y)`, premultiplied; `None` where nothing is.
    #[inline]
    fn pixel<const S: usize>(
        &self,
        band: &Band,
        [x, y]: [i32; 2],
        seen: &[Seen; MOST_SAMPLES],
    ) -> Option<Vec4> {
        if let Some(layers) = &band.layers {
            let mut samples = (0..S * S).map(|i| band.index(x + (i % S) as i32, y + (i / S) as i32));
            if samples.any(|index| layers.any(index)) {
                return Some(self.veiled_pixel::<S>(band, [x, y], seen));
            }
        }
        let id = seen[0].id();
        if seen[1..S * S].iter().all(|other| other.id() == id) {
            let middle = 0.5 * S as f32;
            return (id != NOTHING).then(|| opaque(self.shade(id, x as f32 + middle, y as f32 + middle)));
        }
        Some(self.mixed_pixel::<S>([x, y], seen))
    }

    /// A pixel whose samples see different triangles.
    fn mixed_pixel<const S: usize>(&self, [x, y]: [i32; 2], seen: &[Seen; MOST_SAMPLES]) -> Vec4 {
        let mut sum = Vec4::ZERO;
        let mut done = [false; MOST_SAMPLES];
        for first in 0..S * S {
            let id = seen[first].id();
            if done[first] || id == NOTHING {
                continue;
            }
            let mut weight = 1.0;
            let mut patch = None;
            for other in first + 1..S * S {
                if done[other] || seen[other].id() == NOTHING {
                    continue;
                }
                let same = seen[other].id() == id
                    || self.shares(patch.get_or_insert_with(|| self.patch(seen[first])), seen[other]);
                done[other] = same;
                weight += if same { 1.0 } else { 0.0 };
            }
            let at = (x + (first % S) as i32, y + (first / S) as i32);
            sum += opaque(self.shade(id, at.0 as f32 + 0.5, at.1 as f32 + 0.5)) * weight;
        }
        sum / (S * S) as f32
    }

    fn patch(&self, seen: Seen) -> Patch {
        let (id, inverse_depth) = (seen.id(), seen.inverse_depth());
        if id >= self.stage.n_faces {
            return Patch { id, faces: 0..0, part: 0, inverse_depth };
        }
        let part = self.stage.part_of(id);
        let first = self.stage.parts[part].first_face;
        let faces = first..first + self.stage.parts[part].mesh.faces().len() as u32;
        Patch { id, faces, part, inverse_depth }
    }

    /// Whether another sample may have the patch's color.
    #[inline]
    fn shares(&self, patch: &Patch, other: Seen) -> bool {
        let gap = (patch.inverse_depth - other.inverse_depth()).abs();
        patch.faces.contains(&other.id())
            && gap <= SMOOTH_DEPTH * patch.inverse_depth
            && self.stage.parts[patch.part].is_smooth_between(patch.id, other.id(), SMOOTH_NORMAL)
    }

    /// A pixel with blended layers: every sample on its own, front to back.
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
                light += opaque(self.shade(behind.id(), at.0, at.1)) * (1.0 - light.w);
            }
            sum += light;
        }
        sum / (S * S) as f32
    }

    fn shade(&self, id: u32, x: f32, y: f32) -> Vec4 {
        self.stage.shade(id, &self.sight(x, y), &self.lamps)
    }

    /// Linear premultiplied light → straight sRGB over the background.
    fn encoded(&self, light: Vec4) -> [u8; 4] {
        let table = tables();
        let alpha = light.w.clamp(0.0, 1.0);
        let scale = if alpha > 0.0 { 1.0 / alpha } else { 0.0 };
        let front = [table.srgb(light.x * scale), table.srgb(light.y * scale), table.srgb(light.z * scale)];
        match self.config.background {
            Background::Transparent => [front[0], front[1], front[2], (alpha * 255.0 + 0.5) as u8],
            Background::Color(_) if alpha == 1.0 => [front[0], front[1], front[2], 255],
            Background::Color(back) => {
                let mix =
                    |i: usize| (f32::from(front[i]) * alpha + f32::from(back[i]) * (1.0 - alpha) + 0.5) as u8;
                [mix(0), mix(1), mix(2), 255]
            }
        }
    }
}

fn opaque(color: Vec4) -> Vec4 {
    Vec4::from((color.truncate(), 1.0))
}
