//! A PNG encoder for views, and text chunks.
//!
//! The encoder uses the filter "up" on every row, compressed by `fdeflate` in one pass over the pixels. The output is identical to
//! that of the crate `png` at its fastest setting, without its copies of the image. Rows, or parts of rows, that equal the one
//! above, such as backgrounds, skip the subtraction.

use fdeflate::Compressor;
use image::RgbaImage;

use crate::rgba::is_opaque;

type Pixel = [u8; 4];

const MAGIC: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Where the header chunk ends: the signature, then length, name, 13 bytes and checksum.
const HEADER_END: usize = MAGIC.len() + 4 + 4 + 13 + 4;
/// Bits per channel; then compression method, filter method and interlacing: the only standard ones, and none.
const DEPTH: u8 = 8;
const DEFAULT_METHODS: [u8; 3] = [0; 3];
/// Color types.
const RGB: u8 = 2;
const RGBA: u8 = 6;
/// The filter that subtracts the row above.
const UP: u8 = 2;
/// Pixels compared at a time.
const PIXELS_AT_ONCE: usize = 16;

/// Encodes an image, without alpha if no pixel is transparent. `None` if it has no pixels, or does not compress, as noise.
pub(crate) fn encode(image: &RgbaImage) -> Option<Vec<u8>> {
    if is_opaque(image) { encode_channels::<3>(image, RGB) } else { encode_channels::<4>(image, RGBA) }
}

/// Encodes the first `C` channels of every pixel.
fn encode_channels<const C: usize>(image: &RgbaImage, color: u8) -> Option<Vec<u8>> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let raw = height * (1 + C * width);
    let mut out = Vec::with_capacity(MAGIC.len() + raw / 16);
    out.extend(MAGIC);
    let [w, h] = [image.width(), image.height()].map(u32::to_be_bytes);
    out.extend(chunk(*b"IHDR", &[&w[..], &h, &[DEPTH, color], &DEFAULT_METHODS].concat()));
    let at = out.len();
    // A placeholder for the length, which is written below.
    out.extend(*b"\0\0\0\0IDAT");
    let mut packed = Compressor::new(out).ok()?;
    let pixels = image.as_raw().as_chunks::<4>().0;
    let none = vec![Pixel::default(); width];
    let mut above = &none[..];
    let mut row = vec![0; 1 + C * width];
    for pixels in pixels.chunks_exact(width.max(1)) {
        row[0] = UP;
        filter_up::<C>(pixels, above, &mut row[1..]);
        packed.write_data(&row).ok()?;
        above = pixels;
    }
    let mut out = packed.finish().ok()?;
    // Without the length and type of the chunk.
    let length = out.len() - at - 8;
    // Stored blocks would be smaller then, which the fallback encoder writes.
    if raw == 0 || length > raw {
        return None;
    }
    out[at..at + 4].copy_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
    let sum = crc32fast::hash(&out[at + 4..]);
    out.extend(sum.to_be_bytes());
    out.extend(chunk(*b"IEND", &[]));
    Some(out)
}

/// A PNG chunk: length, type, content, and the CRC of the last two.
fn chunk(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    let named = [&name[..], content].concat();
    [&(content.len() as u32).to_be_bytes()[..], &named, &crc32fast::hash(&named).to_be_bytes()].concat()
}

/// Inserts a text chunk (`tEXt`) after the header of a PNG file. A file without a header is returned unchanged.
///
/// ```
/// # fn main() -> Result<(), image::ImageError> {
/// let mut file = std::io::Cursor::new(Vec::new());
/// image::RgbaImage::new(2, 2).write_to(&mut file, image::ImageFormat::Png)?;
/// let marked = lexiform_formats::png::with_text(file.into_inner(), "Software", "Lexiform");
/// assert_eq!(lexiform_formats::png::text(&marked, "Software"), Some("Lexiform"));
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn with_text(mut file: Vec<u8>, keyword: &str, text: &str) -> Vec<u8> {
    if file.starts_with(&MAGIC) && file.len() >= HEADER_END {
        let content = [keyword.as_bytes(), &[0], text.as_bytes()].concat();
        file.splice(HEADER_END..HEADER_END, chunk(*b"tEXt", &content));
    }
    file
}

/// The text of the first `tEXt` chunk with this keyword. The start of a file is enough, if the chunk is in it.
#[must_use]
pub fn text<'a>(file: &'a [u8], keyword: &str) -> Option<&'a str> {
    let mut rest = file.strip_prefix(&MAGIC)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (name, after) = after.split_first_chunk::<4>()?;
        let (content, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        let found = content.strip_prefix(keyword.as_bytes()).and_then(|value| value.strip_prefix(&[0]));
        if let (b"tEXt", Some(value)) = (name, found) {
            return std::str::from_utf8(value).ok();
        }
        // The checksum is not verified: decoders do.
        rest = after.get(4..)?;
    }
}

/// The filter "up": differences of a row from the one above, per channel.
fn filter_up<const C: usize>(row: &[Pixel], above: &[Pixel], out: &mut [u8]) {
    if row.as_flattened() == above.as_flattened() {
        return out.fill(0);
    }
    let pieces =
        row.chunks(PIXELS_AT_ONCE).zip(above.chunks(PIXELS_AT_ONCE)).zip(out.chunks_mut(C * PIXELS_AT_ONCE));
    for ((row, above), out) in pieces {
        if row.as_flattened() == above.as_flattened() {
            out.fill(0);
            continue;
        }
        for ((pixel, above), out) in row.iter().zip(above).zip(out.as_chunks_mut::<C>().0) {
            for channel in 0..C {
                out[channel] = pixel[channel].wrapping_sub(above[channel]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::codecs::png::{CompressionType, FilterType, PngEncoder};
    use image::{ExtendedColorType, ImageEncoder as _, Rgba};

    use super::*;

    /// What the crate `png` writes.
    fn theirs(image: &RgbaImage) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Up);
        let (w, h) = image.dimensions();
        if is_opaque(image) {
            let rgb: Vec<u8> = image.pixels().flat_map(|p| [p.0[0], p.0[1], p.0[2]]).collect();
            encoder.write_image(&rgb, w, h, ExtendedColorType::Rgb8).unwrap();
        } else {
            encoder.write_image(image.as_raw(), w, h, ExtendedColorType::Rgba8).unwrap();
        }
        out.into_inner()
    }

    #[test]
    fn files_are_those_of_the_crate() {
        for (width, height) in [(1, 1), (15, 4), (16, 3), (65, 40), (224, 224)] {
            let disc = RgbaImage::from_fn(width, height, |x, y| {
                let inside = x.abs_diff(width / 2).pow(2) + y.abs_diff(height / 2).pow(2) < width * width / 9;
                if inside { Rgba([(x * 3) as u8, y as u8, (x / 7 + y) as u8, 255]) } else { Rgba([255; 4]) }
            });
            let mut clear = disc.clone();
            clear.put_pixel(0, height - 1, Rgba([1, 2, 3, 4]));
            for image in [disc, clear, RgbaImage::new(width, height)] {
                let ours = encode(&image).unwrap_or_else(|| theirs(&image));
                assert!(ours == theirs(&image), "{width} × {height}");
            }
        }
    }

    #[test]
    fn a_text_chunk_is_found_and_leaves_the_image_unchanged() {
        let image = RgbaImage::from_fn(9, 7, |x, y| Rgba([x as u8, y as u8, 0, 255]));
        let plain = theirs(&image);
        assert_eq!(text(&plain, "Software"), None);
        let marked = with_text(plain, "Software", "Lexiform");
        assert_eq!(text(&marked, "Software"), Some("Lexiform"));
        assert_eq!((text(&marked, "Soft"), text(&marked[..40], "Software")), (None, None));
        assert_eq!(image::load_from_memory(&marked).unwrap().into_rgba8(), image);
        assert_eq!(with_text(b"GIF89a".to_vec(), "Software", "Lexiform"), b"GIF89a");
    }

    #[test]
    fn noise_and_nothing_are_left_to_others() {
        let noise = RgbaImage::from_fn(64, 64, |x, y| {
            let mixed = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
            Rgba(mixed.to_le_bytes())
        });
        assert!(encode(&noise).is_none());
        assert!(encode(&RgbaImage::new(0, 5)).is_none() && encode(&RgbaImage::new(5, 0)).is_none());
    }
}
