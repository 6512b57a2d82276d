//! Pillow's bicubic resize, bit for bit: antialiased, in two passes with bytes between.

use image::{RgbImage, RgbaImage};

/// Bits after the point of Pillow's fixed-point weights.
const PRECISION_BITS: u32 = 32 - 8 - 2;

/// One output sample: the first input sample and the weights from there on.
struct Taps {
    first: usize,
    weights: Vec<i64>,
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
            rows.extend(weigh::<C>(tap, samples.iter()));
        }
    }
    let mut result = Vec::with_capacity(to_height * to_width * C);
    for tap in &taps(height, to_height) {
        for x in 0..to_width {
            let column = rows[(tap.first * to_width + x) * C..].as_chunks::<C>().0;
            result.extend(weigh::<C>(tap, column.iter().step_by(to_width)));
        }
    }
    result
}

fn weigh<'a, const C: usize>(tap: &Taps, samples: impl Iterator<Item = &'a [u8; C]>) -> [u8; C] {
    let mut sums = [1i64 << (PRECISION_BITS - 1); C];
    for (weight, sample) in tap.weights.iter().zip(samples) {
        for (sum, byte) in sums.iter_mut().zip(sample) {
            *sum += weight * i64::from(*byte);
        }
    }
    sums.map(|sum| (sum >> PRECISION_BITS).clamp(0, 255) as u8)
}

fn taps(from: usize, to: usize) -> Vec<Taps> {
    let scale = from as f64 / to as f64;
    let filter_scale = scale.max(1.0);
    let support = 2.0 * filter_scale;
    (0..to)
        .map(|i| {
            let center = (i as f64 + 0.5) * scale;
            let first = ((center - support + 0.5) as i64).max(0) as usize;
            let last = ((center + support + 0.5) as i64).min(from as i64) as usize;
            let raw: Vec<f64> =
                (first..last).map(|j| bicubic((j as f64 - center + 0.5) / filter_scale)).collect();
            let total: f64 = raw.iter().sum();
            let fixed = |w: f64| {
                let scaled = w / total * f64::from(1u32 << PRECISION_BITS);
                (scaled + 0.5f64.copysign(scaled)) as i64
            };
            Taps { first, weights: raw.into_iter().map(fixed).collect() }
        })
        .collect()
}

/// Keys' cubic with a = −0.5.
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
