//! Alpha of RGBA pixels, for encoders.

use image::RgbaImage;

/// Whether no pixel is transparent.
pub(crate) fn is_opaque(image: &RgbaImage) -> bool {
    // A fold, not `all`: without an early exit the loop is vectorized.
    image.as_raw().as_chunks::<4>().0.iter().fold(255, |alpha, p| alpha & p[3]) == 255
}

/// The pixels without alpha, three bytes each.
pub(crate) fn without_alpha(image: &RgbaImage) -> Vec<u8> {
    let from = image.as_raw().as_chunks::<4>().0;
    let mut raw = vec![0; 3 * from.len()];
    for (to, from) in raw.as_chunks_mut::<3>().0.iter_mut().zip(from) {
        *to = [from[0], from[1], from[2]];
    }
    raw
}

/// Composites an image on white, rounding to nearest.
pub fn composite_on_white(image: &RgbaImage) -> RgbaImage {
    let mut image = image.clone();
    for pixel in image.pixels_mut() {
        let [r, g, b, a] = pixel.0.map(u32::from);
        let mix = |c: u32| ((c * a + 255 * (255 - a) + 127) / 255) as u8;
        pixel.0 = [mix(r), mix(g), mix(b), 255];
    }
    image
}
