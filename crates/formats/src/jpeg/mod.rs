//! JPEG images, decoded to the same bytes as by libjpeg-turbo, which Pillow, OpenCV and torchvision use.
//!
//! Decoders differ by a few levels where the standard leaves rounding open, and features of a network with them. Baseline and
//! progressive Huffman-coded images of 8 bits with one or three components are decoded; [`decode`] returns `None` for others,
//! and for damaged ones, which are left to a more lenient decoder.

mod coefficients;
mod idct;
mod upsample;

use image::RgbImage;

use self::coefficients::{Frame, read_frame};
use self::idct::component_samples;
use self::upsample::{Plane, upsample};

/// Memory for decoding a pixel, at most: three coefficients of two bytes, three samples, and the result, in RGB and in RGBA.
const BYTES_PER_PIXEL: u64 = 16;

/// Decodes an image with at most `max_bytes` of memory.
pub fn decode(bytes: &[u8], max_bytes: u64) -> Option<RgbImage> {
    let max_pixels = usize::try_from(max_bytes / BYTES_PER_PIXEL).unwrap_or(usize::MAX);
    let frame = read_frame(bytes, max_pixels)?;
    let [width, height] = frame.size;
    let planes: Vec<Vec<u8>> = (0..frame.components.len()).map(|i| full_plane(&frame, i)).collect();
    let mut pixels = Vec::with_capacity(width * height * 3);
    match &planes[..] {
        [gray] => gray.iter().for_each(|&value| pixels.extend([value; 3])),
        [a, b, c] => {
            for ((&a, &b), &c) in a.iter().zip(b).zip(c) {
                pixels.extend(if frame.is_rgb { [a, b, c] } else { rgb_of_ycc(a, b, c) });
            }
        }
        _ => return None,
    }
    RgbImage::from_raw(width as u32, height as u32, pixels)
}

/// The samples of a component at the size of the image.
fn full_plane(frame: &Frame, index: usize) -> Vec<u8> {
    let component = &frame.components[index];
    let samples = component_samples(component);
    let plane = Plane { samples, stride: component.blocks[0] * 8, size: frame.component_size(component) };
    upsample(&plane, frame.ratio(component), frame.size)
}

/// Fixed-point conversion with 16 fractional bits; the green part is rounded once, after both products.
fn rgb_of_ycc(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}
