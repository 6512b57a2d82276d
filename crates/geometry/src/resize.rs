//! [Pillow]'s bicubic resize, bit for bit: antialiased, in two passes with bytes in between; and compositing on white as
//! Duoduo CLIP does it.
//!
//! [Pillow]: https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Resample.c

use image::{RgbImage, RgbaImage};

/// Fraction bits of Pillow's fixed-point weights: 32 minus 8 of a byte and 2 for overshoot.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// One output sample: the first input sample and the weights from there on.
struct Taps<W> {
    first: usize,
    weights: Vec<W>,
}

/// Resamples a grid of vectors, `[height, width, channels]` → `[to_height, to_width, channels]`: the same filter on floats, as
/// in `torch.nn.functional.interpolate(mode="bicubic", antialias=True)`.
pub fn resample_grid(
    values: &[f32],
    channels: usize,
    [height, width]: [usize; 2],
    [to_height, to_width]: [usize; 2],
) -> Vec<f32> {
    let add = |sum: &mut [f32], weight: f64, vector: &[f32]| {
        sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight as f32 * value);
    };
    let (across, down) = (real_taps(width, to_width), real_taps(height, to_height));
    let mut rows = vec![0.0; height * to_width * channels];
    for (row, out) in values.chunks(width * channels).zip(rows.chunks_mut(to_width * channels)) {
        for (tap, sum) in across.iter().zip(out.chunks_mut(channels)) {
            let vectors = row[tap.first * channels..].chunks(channels);
            tap.weights.iter().zip(vectors).for_each(|(weight, vector)| add(sum, *weight, vector));
        }
    }
    let stride = to_width * channels;
    let mut result = vec![0.0; to_height * stride];
    for (tap, sum) in down.iter().zip(result.chunks_mut(stride)) {
        let lines = rows[tap.first * stride..].chunks(stride);
        tap.weights.iter().zip(lines).for_each(|(weight, line)| add(sum, *weight, line));
    }
    result
}

/// Resizes RGB to `width` × `height`.
pub fn resize_bicubic(image: &RgbImage, width: usize, height: usize) -> RgbImage {
    let size = [image.width() as usize, image.height() as usize];
    let pixels = resize::<3>(image.as_raw(), size, [width, height]);
    RgbImage::from_raw(width as u32, height as u32, pixels).expect("the buffer has width × height × 3 bytes")
}

/// Resizes RGBA to `width` × `height`, with color weighted by alpha.
pub fn resize_bicubic_rgba(image: &RgbaImage, width: usize, height: usize) -> RgbaImage {
    let size = [image.width() as usize, image.height() as usize];
    let mut premultiplied = image.as_raw().clone();
    for pixel in premultiplied.as_chunks_mut::<4>().0 {
        let alpha = u32::from(pixel[3]);
        for channel in &mut pixel[..3] {
            // Division by 255 with rounding, as Pillow's macro MULDIV255.
            let product = u32::from(*channel) * alpha + 128;
            *channel = (((product >> 8) + product) >> 8) as u8;
        }
    }
    let mut pixels = resize::<4>(&premultiplied, size, [width, height]);
    for pixel in pixels.as_chunks_mut::<4>().0 {
        let alpha = u32::from(pixel[3]);
        if alpha != 0 && alpha != 255 {
            pixel[..3].iter_mut().for_each(|c| *c = (255 * u32::from(*c) / alpha).min(255) as u8);
        }
    }
    RgbaImage::from_raw(width as u32, height as u32, pixels).expect("the buffer has width × height × 4 bytes")
}

/// Composites straight alpha over white; truncates to bytes instead of rounding, as Duoduo CLIP's data preparation does.
pub fn composite_on_white(image: &RgbaImage) -> RgbImage {
    let mut composited = RgbImage::new(image.width(), image.height());
    composite_on_white_into(image, &mut composited);
    composited
}

/// As [`composite_on_white`], into three bytes for each pixel; pixels for which there is no place are left out.
pub fn composite_on_white_into(image: &RgbaImage, composited: &mut [u8]) {
    // Most of a view is either background or opaque: 16 pixels of one kind need no decision for each.
    const AT_ONCE: usize = 16;
    let (pixels, places) = (image.as_raw().as_chunks::<4>().0, composited.as_chunks_mut::<3>().0);
    let count = pixels.len().min(places.len());
    let (from, rest) = pixels[..count].as_chunks::<AT_ONCE>();
    let (to, rest_to) = places[..count].as_chunks_mut::<AT_ONCE>();
    for (from, to) in from.iter().zip(to) {
        let [all, any] = from.iter().fold([255, 0], |[all, any], pixel| [all & pixel[3], any | pixel[3]]);
        match (all, any) {
            (255, _) => *to = from.map(|[r, g, b, _]| [r, g, b]),
            (_, 0) => *to = [[255; 3]; AT_ONCE],
            _ => composite_pixels(from, to),
        }
    }
    composite_pixels(rest, rest_to);
}

fn composite_pixels(pixels: &[[u8; 4]], composited: &mut [[u8; 3]]) {
    pixels.iter().zip(composited).for_each(|(pixel, to)| *to = pixel_on_white(*pixel));
}

/// As [`composite_on_white`], one pixel.
#[inline]
pub fn pixel_on_white([r, g, b, a]: [u8; 4]) -> [u8; 3] {
    let alpha = f64::from(a) / 255.0;
    match a {
        255 => [r, g, b],
        0 => [255; 3],
        _ => [r, g, b].map(|c| ((f64::from(c) / 255.0 * alpha + (1.0 - alpha)) * 255.0) as u8),
    }
}

fn resize<const C: usize>(
    source: &[u8],
    [width, height]: [usize; 2],
    [to_width, to_height]: [usize; 2],
) -> Vec<u8> {
    if width == 0 || height == 0 {
        return vec![255; to_width * to_height * C];
    }
    let across = taps(width, to_width);
    let mut rows = Vec::with_capacity(height * to_width * C);
    for row in source.chunks_exact(width * C) {
        for tap in &across {
            let samples = row[tap.first * C..].as_chunks::<C>().0;
            rows.extend(weighted_sum::<C>(tap, samples.iter()));
        }
    }
    let mut result = Vec::with_capacity(to_height * to_width * C);
    for tap in &taps(height, to_height) {
        for x in 0..to_width {
            let column = rows[(tap.first * to_width + x) * C..].as_chunks::<C>().0;
            result.extend(weighted_sum::<C>(tap, column.iter().step_by(to_width)));
        }
    }
    result
}

fn weighted_sum<'a, const C: usize>(tap: &Taps<i64>, samples: impl Iterator<Item = &'a [u8; C]>) -> [u8; C] {
    // Half a unit, so that the shift below rounds.
    let mut sums = [1i64 << (PRECISION_BITS - 1); C];
    for (weight, sample) in tap.weights.iter().zip(samples) {
        for (sum, byte) in sums.iter_mut().zip(sample) {
            *sum += weight * i64::from(*byte);
        }
    }
    sums.map(|sum| (sum >> PRECISION_BITS).clamp(0, 255) as u8)
}

/// Filter weights in Pillow's fixed point.
fn taps(from: usize, to: usize) -> Vec<Taps<i64>> {
    let fixed = |weight: f64| {
        let scaled = weight * f64::from(1u32 << PRECISION_BITS);
        (scaled + 0.5f64.copysign(scaled)) as i64
    };
    let taps = real_taps(from, to).into_iter();
    taps.map(|tap| Taps { first: tap.first, weights: tap.weights.into_iter().map(fixed).collect() }).collect()
}

fn real_taps(from: usize, to: usize) -> Vec<Taps<f64>> {
    let scale = from as f64 / to as f64;
    // When shrinking, the filter is stretched over all input samples of an output sample: that is the antialiasing.
    let filter_scale = scale.max(1.0);
    let support = 2.0 * filter_scale;
    (0..to)
        .map(|i| {
            let center = (i as f64 + 0.5) * scale;
            let first = ((center - support + 0.5) as i64).max(0) as usize;
            let last = ((center + support + 0.5) as i64).min(from as i64) as usize;
            // Taps beyond the edges are left out and the rest is normalized, rather than padding the image.
            let raw: Vec<f64> =
                (first..last).map(|j| bicubic((j as f64 - center + 0.5) / filter_scale)).collect();
            let total: f64 = raw.iter().sum();
            Taps { first, weights: raw.into_iter().map(|w| w / total).collect() }
        })
        .collect()
}

/// Cubic convolution with a = −0.5 ([Keys 1981](https://doi.org/10.1109/TASSP.1981.1163711)).
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `torch.nn.functional.interpolate` (bicubic, antialiased, no aligned corners) makes of the sines of
    /// 0, 0.37 … on a grid of 3 × 3.
    #[test]
    fn grids_are_resampled_as_torch_does() {
        let grid: Vec<f32> = (0..9).map(|i| (i as f32 * 0.37).sin()).collect();
        let larger = [
            -0.096_381, 0.050_982, 0.313_746, 0.550_842, 0.678_204, 0.296_971, 0.409_963, 0.605_209,
            0.750_941, 0.825_352, 0.888_138, 0.932_387, 0.995_881, 0.977_899, 0.958_663, 0.883_027,
            0.828_825, 0.717_939, 0.548_316, 0.448_348, 0.811_774, 0.700_054, 0.488_434, 0.236_854,
            0.093_997,
        ];
        let smaller = [0.408_992, 0.746_253, 0.823_805, 0.546_404];
        for (size, expected) in [(5, &larger[..]), (2, &smaller[..])] {
            let found = resample_grid(&grid, 1, [3, 3], [size, size]);
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 2e-6, "{found} {expected}");
            }
        }
        // Channels are apart.
        let doubled: Vec<f32> = grid.iter().flat_map(|x| [*x, 2.0 * x]).collect();
        let found = resample_grid(&doubled, 2, [3, 3], [4, 4]);
        assert!(found.chunks(2).all(|pair| (pair[1] - 2.0 * pair[0]).abs() < 1e-6));
    }

    #[test]
    fn each_pixel_is_composited_by_the_same_rule() {
        // Duoduo CLIP's: `(c / 255 * a + (1 - a)) * 255` in 64 bits, truncated.
        let rule = |c: u8, a: u8| {
            let alpha = f64::from(a) / 255.0;
            ((f64::from(c) / 255.0 * alpha + (1.0 - alpha)) * 255.0) as u8
        };
        // Opaque and transparent stretches that begin and end inside of chunks, and half-transparent pixels between.
        let image = RgbaImage::from_fn(131, 3, |x, y| {
            let alpha = [255, 0, (x * 7) as u8][((x + 40 * y) / 41 % 3) as usize];
            image::Rgba([x as u8, (x * 3) as u8, (y * 80) as u8, alpha])
        });
        let expected: Vec<u8> =
            image.pixels().flat_map(|p| [p[0], p[1], p[2]].map(|c| rule(c, p[3]))).collect();
        assert_eq!(composite_on_white(&image).as_raw(), &expected);
        let mut some = vec![7; 3 * 50 + 2];
        composite_on_white_into(&image, &mut some);
        assert_eq!((&some[..150], &some[150..]), (&expected[..150], &[7, 7][..]));
    }
}
