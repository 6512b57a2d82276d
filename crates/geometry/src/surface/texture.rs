//! Mip-mapped textures, filtered in fixed point so that results are the same on every machine.

use std::borrow::Cow;

use glam::Vec2;
use rayon::prelude::*;

use crate::color::tables;
use crate::{Texture, Wrap};

/// Beyond this many repeats, `f32` coordinates have too few fraction bits to sample.
const MAX_REPEATS: f32 = 65_536.0;

/// A texture and its mip levels, each half the edge of the one before, down to one texel.
pub struct MipChain<'a> {
    levels: Vec<MipLevel<'a>>,
    wrap: [Wrap; 2],
}

struct MipLevel<'a> {
    width: u32,
    height: u32,
    texels: Cow<'a, [[u8; 4]]>,
}

/// sRGB and alpha of a filtered texel in 1/256 of a byte.
pub type FixedTexel = [u16; 4];

impl<'a> MipChain<'a> {
    /// `None` for an image without pixels.
    pub fn new(texture: &'a Texture) -> Option<Self> {
        let mut chain = Self::base_level(texture)?;
        let opaque = chain.levels[0].texels.iter().all(|t| t[3] == 255);
        while let Some(level) = chain.levels.last().filter(|l| l.width > 1 || l.height > 1) {
            let half = level.downsample(opaque);
            chain.levels.push(half);
        }
        Some(chain)
    }

    /// The texture with its base level only.
    pub fn base_level(texture: &'a Texture) -> Option<Self> {
        let (width, height) = texture.image.dimensions();
        let texels = Cow::Borrowed(bytemuck::cast_slice(texture.image.as_raw()));
        let level = MipLevel { width, height, texels };
        (width > 0 && height > 0).then(|| Self { levels: vec![level], wrap: texture.wrap })
    }

    /// Edge lengths of the full image in texels.
    #[inline]
    pub fn size(&self) -> Vec2 {
        Vec2::new(self.levels[0].width as f32, self.levels[0].height as f32)
    }

    /// The filtered texel at `uv`, where one pixel of the view covers `footprint` texels of the base level.
    #[inline]
    pub fn sample(&self, uv: Vec2, footprint: f32) -> FixedTexel {
        let u = wrapped(uv.x, self.wrap[0]);
        let v = wrapped(uv.y, self.wrap[1]);
        // A level halves both edges, so the level is half the logarithm of the area.
        let lod = (0.5 * approx_log2(footprint)).clamp(0.0, (self.levels.len() - 1) as f32);
        let level = lod as usize;
        // Levels are blended only in the middle 40 % between them: elsewhere one lookup is enough.
        let blend = ((lod - level as f32 - 0.3) * (256.0 / 0.4)).clamp(0.0, 256.0) as u64;
        let reading = |level: usize| self.levels[level].bilinear(u, v, self.wrap);
        // `blend` is 0 at the last level, which has no next one.
        lanes(match blend {
            0 => reading(level),
            256 => reading(level + 1),
            _ => round_to_bytes(reading(level)) * (256 - blend) + round_to_bytes(reading(level + 1)) * blend,
        })
    }
}

impl MipLevel<'_> {
    /// The next level: each texel the mean of four in linear light, weighted by alpha.
    fn downsample(&self, opaque: bool) -> MipLevel<'static> {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let mut texels = vec![[0; 4]; width as usize * height as usize];
        let fill = |(y, row): (usize, &mut [[u8; 4]])| {
            let y1 = (2 * y + 1).min(self.height as usize - 1);
            let rows = [self.row((2 * y).min(self.height as usize - 1)), self.row(y1)];
            for (x, texel) in row.iter_mut().enumerate() {
                let x0 = (2 * x).min(self.width as usize - 1);
                let x1 = (2 * x + 1).min(self.width as usize - 1);
                let four = [rows[0][x0], rows[0][x1], rows[1][x0], rows[1][x1]];
                *texel = if opaque { mean_opaque(four) } else { mean_by_alpha(four) };
            }
        };
        texels.par_chunks_mut(width as usize).with_min_len(32).enumerate().for_each(fill);
        MipLevel { width, height, texels: Cow::Owned(texels) }
    }

    #[inline]
    fn row(&self, y: usize) -> &[[u8; 4]] {
        let width = self.width as usize;
        &self.texels[y * width..(y + 1) * width]
    }

    /// Bilinear interpolation of four texels, as four 16-bit lanes in 1/256 of a byte.
    #[inline]
    fn bilinear(&self, u: f32, v: f32, wrap: [Wrap; 2]) -> u64 {
        let (x0, x1, right) = neighbors(u, self.width, wrap[0]);
        let (y0, y1, down) = neighbors(v, self.height, wrap[1]);
        let (upper, lower) = (self.row(y0), self.row(y1));
        let top = pack_lanes(upper[x0]) * (256 - right) + pack_lanes(upper[x1]) * right;
        let bottom = pack_lanes(lower[x0]) * (256 - right) + pack_lanes(lower[x1]) * right;
        round_to_bytes(top) * (256 - down) + round_to_bytes(bottom) * down
    }
}

/// The two texels around a coordinate in `0..=1`, and the fraction towards the second in 1/256.
#[inline]
fn neighbors(coordinate: f32, size: u32, wrap: Wrap) -> (usize, usize, u64) {
    let position = coordinate * size as f32 + 0.5;
    // Shifted half a texel right instead of left, so that the value is positive and truncation rounds down; the indices
    // below undo the shift.
    let floor = position as i32;
    let fraction = ((position - floor as f32) * 256.0) as u64;
    let last = size as i32 - 1;
    let (first, second) = (floor - 1, floor);
    let (first, second) = match wrap {
        Wrap::Repeat => (if first < 0 { last } else { first }, if second > last { 0 } else { second }),
        Wrap::Mirror | Wrap::Clamp => (first.max(0), second),
    };
    (first.clamp(0, last) as usize, second.clamp(0, last) as usize, fraction.min(255))
}

/// A texture coordinate wrapped into `0..=1`; NaN becomes 0.
#[inline]
fn wrapped(coordinate: f32, wrap: Wrap) -> f32 {
    if coordinate.is_nan() || coordinate.abs() >= MAX_REPEATS {
        return 0.0;
    }
    match wrap {
        Wrap::Repeat => coordinate - floor(coordinate),
        Wrap::Mirror => {
            let phase = coordinate - 2.0 * floor(coordinate * 0.5);
            if phase > 1.0 { 2.0 - phase } else { phase }
        }
        Wrap::Clamp => coordinate.clamp(0.0, 1.0),
    }
}

/// `f32::floor` without a call into the C library, for numbers that fit an `i32`.
#[inline]
fn floor(x: f32) -> f32 {
    let truncated = x as i32 as f32;
    if truncated > x { truncated - 1.0 } else { truncated }
}

/// Base-2 logarithm with an error below 0.09, the same on every machine.
#[inline]
fn approx_log2(x: f32) -> f32 {
    // The bits of a float are its exponent followed by its mantissa: read as an integer, a piecewise linear logarithm.
    if x > 0.0 { x.to_bits() as f32 / (1 << 23) as f32 - 127.0 } else { 0.0 }
}

/// Four bytes → four 16-bit lanes.
#[inline]
fn pack_lanes(texel: [u8; 4]) -> u64 {
    // Spread in two steps: bytes 2 and 3 move up by 16 bits, then bytes 1 and 3 by 8.
    let packed = u64::from(u32::from_le_bytes(texel));
    let pairs = (packed | packed << 16) & 0x0000_ffff_0000_ffff;
    (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff
}

/// 16-bit lanes in 1/256 of a byte → lanes of rounded bytes.
#[inline]
fn round_to_bytes(lanes: u64) -> u64 {
    ((lanes + 0x0080_0080_0080_0080) >> 8) & 0x00ff_00ff_00ff_00ff
}

#[inline]
fn lanes(packed: u64) -> FixedTexel {
    [packed as u16, (packed >> 16) as u16, (packed >> 32) as u16, (packed >> 48) as u16]
}

fn mean_opaque(four: [[u8; 4]; 4]) -> [u8; 4] {
    let table = tables();
    let mean = |channel: usize| {
        let sum: u32 = four.iter().map(|t| u32::from(table.linear16[usize::from(t[channel])])).sum();
        table.srgb_from_linear16((sum + 2) / 4)
    };
    [mean(0), mean(1), mean(2), 255]
}

fn mean_by_alpha(four: [[u8; 4]; 4]) -> [u8; 4] {
    let table = tables();
    let alpha: u32 = four.iter().map(|t| u32::from(t[3])).sum();
    if alpha == 0 {
        let [r, g, b, _] = mean_opaque(four);
        return [r, g, b, 0];
    }
    let mean = |channel: usize| {
        let light = |t: &[u8; 4]| u32::from(table.linear16[usize::from(t[channel])]) * u32::from(t[3]);
        table.srgb_from_linear16(four.iter().map(light).sum::<u32>() / alpha)
    };
    [mean(0), mean(1), mean(2), ((alpha + 2) / 4) as u8]
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn checker(wrap: Wrap) -> Texture {
        let image =
            RgbaImage::from_fn(
                4,
                4,
                |x, y| if (x + y) % 2 == 0 { Rgba([255; 4]) } else { Rgba([0, 0, 0, 255]) },
            );
        Texture { image, wrap: [wrap; 2] }
    }

    #[test]
    fn texel_centers_give_the_texels() {
        let texture = checker(Wrap::Repeat);
        let chain = MipChain::new(&texture).unwrap();
        for (x, y, pixel) in texture.image.enumerate_pixels() {
            let uv = Vec2::new((x as f32 + 0.5) / 4.0, (y as f32 + 0.5) / 4.0);
            for offset in [0.0, 3.0, -2.0] {
                let texel = chain.sample(uv + offset, 1.0);
                assert_eq!(texel[0] >> 8, u16::from(pixel.0[0]), "at {x}, {y}");
            }
        }
    }

    #[test]
    fn from_afar_a_checker_is_half_the_light() {
        let texture = checker(Wrap::Repeat);
        let texel = MipChain::new(&texture).unwrap().sample(Vec2::splat(0.3), 16.0);
        assert_eq!(texel[0] >> 8, 188);
    }

    #[test]
    fn odd_coordinates_are_safe() {
        let image = RgbaImage::from_pixel(3, 5, Rgba([10, 20, 30, 40]));
        for wrap in [Wrap::Repeat, Wrap::Mirror, Wrap::Clamp] {
            let texture = Texture { image: image.clone(), wrap: [wrap; 2] };
            let chain = MipChain::new(&texture).unwrap();
            for u in [f32::NAN, f32::INFINITY, -1e30, 1e9, -0.0, 1.0, -1e-9, 65_535.99] {
                for footprint in [f32::NAN, f32::INFINITY, -1.0, 0.0, 7.5] {
                    let [r, g, b, a] = chain.sample(Vec2::new(u, -u), footprint).map(|c| c >> 8);
                    assert_eq!((r, g, b, a), (10, 20, 30, 40), "{wrap:?} at {u}");
                }
            }
        }
    }
}
