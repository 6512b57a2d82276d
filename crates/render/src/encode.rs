//! Encodes rows of linear light as sRGB bytes, many pixels in parallel lanes.

use crate::config::Background;
use lexiform_geometry::color::{encode_index, tables};
use lexiform_kernels::Kernel;

/// Pixels per block: loops over exactly this many lanes become vector instructions.
const BLOCK: usize = 16;

/// Sums over samples of premultiplied linear red, green and blue, and of coverage: one list over pixels each.
pub(crate) type LinearRgbaRow = [Vec<f32>; 4];

/// Converts light to straight-alpha sRGB over the background.
pub(crate) struct EncodeSrgb<'a> {
    pub(crate) light: &'a LinearRgbaRow,
    /// Samples per pixel.
    pub(crate) samples: f32,
    pub(crate) background: Background,
    /// The first pixels of `light`.
    pub(crate) pixels: &'a mut [[u8; 4]],
}

impl Kernel for EncodeSrgb<'_> {
    #[inline(always)]
    fn run(self) {
        let table = tables();
        let mut block = [[0.0; BLOCK]; 4];
        for (index, pixels) in self.pixels.chunks_mut(BLOCK).enumerate() {
            let first = index * BLOCK;
            for (lanes, light) in block.iter_mut().zip(self.light) {
                // Lanes past the end keep old values and are not read.
                lanes[..pixels.len()].copy_from_slice(&light[first..first + pixels.len()]);
            }
            let (indices, alphas) = unpremultiply(&block, self.samples);
            for (i, pixel) in pixels.iter_mut().enumerate().take(BLOCK) {
                let front = [0, 1, 2].map(|channel| table.srgb_at(indices[channel][i]));
                *pixel = if block[3][i] == 0.0 {
                    self.background.clear_pixel()
                } else {
                    self.background.composite(front, alphas[i])
                };
            }
        }
    }
}

/// Table indices of straight-alpha colors, and alphas, of a block of light.
#[inline(always)]
fn unpremultiply(light: &[[f32; BLOCK]; 4], samples: f32) -> ([[u32; BLOCK]; 3], [f32; BLOCK]) {
    let (mut indices, mut alphas) = ([[0; BLOCK]; 3], [0.0; BLOCK]);
    for i in 0..BLOCK {
        // Light is premultiplied by coverage; bytes are not.
        let alpha = (light[3][i] / samples).clamp(0.0, 1.0);
        let scale = if alpha > 0.0 { 1.0 / alpha } else { 0.0 };
        for channel in 0..3 {
            indices[channel][i] = encode_index(light[channel][i] / samples * scale);
        }
        alphas[i] = alpha;
    }
    (indices, alphas)
}

impl Background {
    /// A pixel without samples on the shape.
    #[inline(always)]
    pub(crate) fn clear_pixel(self) -> [u8; 4] {
        match self {
            Self::Transparent => [0; 4],
            Self::Color([r, g, b]) => [r, g, b, 255],
        }
    }

    /// Composites a straight-alpha color over the background.
    #[inline(always)]
    fn composite(self, front: [u8; 3], alpha: f32) -> [u8; 4] {
        let [r, g, b] = match self {
            Self::Transparent => return [front[0], front[1], front[2], (alpha * 255.0 + 0.5) as u8],
            Self::Color(_) if alpha == 1.0 => front,
            Self::Color(back) => [0, 1, 2]
                .map(|i| (f32::from(front[i]) * alpha + f32::from(back[i]) * (1.0 - alpha) + 0.5) as u8),
        };
        [r, g, b, 255]
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use lexiform_kernels::SimdLevel;

    /// The slow twin: one pixel, as the formulas say.
    fn encoded([r, g, b, w]: [f32; 4], background: Background) -> [u8; 4] {
        let alpha = (w / 4.0).clamp(0.0, 1.0);
        let scale = if alpha > 0.0 { 1.0 / alpha } else { 0.0 };
        let front = [r, g, b].map(|value| tables().srgb(value / 4.0 * scale));
        match background {
            Background::Transparent => [front[0], front[1], front[2], (alpha * 255.0 + 0.5) as u8],
            Background::Color(back) => {
                let mix = |i: usize| f32::from(front[i]) * alpha + f32::from(back[i]) * (1.0 - alpha) + 0.5;
                [mix(0) as u8, mix(1) as u8, mix(2) as u8, 255]
            }
        }
    }

    #[test]
    fn pixels_side_by_side_are_pixels_one_by_one() {
        let mut rng = SmallRng::seed_from_u64(3);
        let mut pixel = |i: usize| {
            let samples = [0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 4.0][i / 40 % 8];
            let mut channel = || rng.random_range(-0.1..1.3_f32) * samples;
            [channel(), channel(), channel(), samples]
        };
        let mut lights: Vec<[f32; 4]> = (0..1003).map(&mut pixel).collect();
        lights[1000] = [f32::NAN, f32::INFINITY, -f32::INFINITY, 4.0];
        let light: LinearRgbaRow =
            std::array::from_fn(|channel| lights.iter().map(|light| light[channel]).collect());
        for background in [Background::WHITE, Background::Color([1, 20, 130]), Background::Transparent] {
            for level in SimdLevel::available() {
                let mut pixels = vec![[7; 4]; lights.len()];
                level.run(EncodeSrgb { light: &light, samples: 4.0, background, pixels: &mut pixels });
                for (light, pixel) in lights.iter().zip(pixels) {
                    assert_eq!(pixel, encoded(*light, background), "{level:?}: {light:?}");
                }
            }
        }
    }
}
