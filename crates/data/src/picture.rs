//! Views as image files.

use std::io::Cursor;
use std::str::FromStr;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{
    DynamicImage, ExtendedColorType, ImageEncoder as _, ImageReader, ImageResult, Limits, RgbaImage,
};
use serde::{Deserialize, Serialize};

use crate::{png, qoi};

/// Largest edge of a view in pixels.
const LARGEST_EDGE: u32 = 8192;
/// Memory for one decoded view, in bytes.
const LARGEST_VIEW: u64 = 256 << 20;

/// How views are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Picture {
    /// Without loss, half as large as PNG and a fifth slower to read.
    Webp,
    /// Without loss, quick to read, read everywhere.
    #[default]
    Png,
    /// Without loss, the quickest to read and smaller than PNG, for training; Pillow reads it, browsers do not.
    Qoi,
    /// With loss at quality 92; no transparency.
    Jpeg,
}

impl Picture {
    /// The ending of its files.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Png => "png",
            Self::Qoi => "qoi",
            Self::Jpeg => "jpg",
        }
    }

    /// An image as a file. Alpha is kept where some pixel is transparent, except in JPEG, which shows it on white.
    pub fn encode(self, image: &RgbaImage) -> Result<Vec<u8>, String> {
        match self {
            Self::Qoi => Ok(qoi::encode(image)),
            Self::Webp => written(image, |out, raw, [width, height], color| {
                WebPEncoder::new_lossless(out).write_image(raw, width, height, color)
            }),
            // Rows as differences from those above, lightly packed: the best filter of each row and a thorough search for
            // repeats make 4.7 kB of the gallery's views, not 8, and take half as long again to read.
            Self::Png => png::encode(image).map_or_else(|| plain_png(image), Ok),
            Self::Jpeg => written(&on_white(image), |out, raw, [width, height], color| {
                JpegEncoder::new_with_quality(out, 92).write_image(raw, width, height, color)
            }),
        }
    }
}

/// Whether no pixel is transparent.
pub(crate) fn is_opaque(image: &RgbaImage) -> bool {
    // Not `all`: without a way out in the middle this runs in vectors.
    image.as_raw().as_chunks::<4>().0.iter().fold(255, |alpha, p| alpha & p[3]) == 255
}

/// What an encoder writes of an image; alpha is left out where no pixel is transparent.
fn written(
    image: &RgbaImage,
    write: impl FnOnce(&mut Cursor<Vec<u8>>, &[u8], [u32; 2], ExtendedColorType) -> ImageResult<()>,
) -> Result<Vec<u8>, String> {
    let (mut out, size) = (Cursor::new(Vec::new()), image.dimensions().into());
    let done = match is_opaque(image) {
        true => write(&mut out, &rgb(image), size, ExtendedColorType::Rgb8),
        false => write(&mut out, image.as_raw(), size, ExtendedColorType::Rgba8),
    };
    done.map_err(|error| error.to_string())?;
    Ok(out.into_inner())
}

/// A PNG file of what hardly can be packed.
fn plain_png(image: &RgbaImage) -> Result<Vec<u8>, String> {
    written(image, |out, raw, [width, height], color| {
        let encoder = PngEncoder::new_with_quality(out, CompressionType::Fast, FilterType::Up);
        encoder.write_image(raw, width, height, color)
    })
}

/// An image of any kind of pixel as a PNG file.
pub(crate) fn encode_png(image: &DynamicImage) -> Result<Vec<u8>, String> {
    let mut out = Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive);
    image.write_with_encoder(encoder).map_err(|error| error.to_string())?;
    Ok(out.into_inner())
}

impl FromStr for Picture {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "webp" => Ok(Self::Webp),
            "png" => Ok(Self::Png),
            "qoi" => Ok(Self::Qoi),
            "jpeg" | "jpg" => Ok(Self::Jpeg),
            _ => Err(format!("expected webp, png, qoi or jpeg, found {name:?}")),
        }
    }
}

fn rgb(image: &RgbaImage) -> Vec<u8> {
    let from = image.as_raw().as_chunks::<4>().0;
    let mut raw = vec![0; 3 * from.len()];
    for (to, from) in raw.as_chunks_mut::<3>().0.iter_mut().zip(from) {
        *to = [from[0], from[1], from[2]];
    }
    raw
}

/// An image pasted on white, rounded to the nearest.
pub(crate) fn on_white(image: &RgbaImage) -> RgbaImage {
    let mut image = image.clone();
    for pixel in image.pixels_mut() {
        let [r, g, b, a] = pixel.0.map(u32::from);
        let mix = |c: u32| ((c * a + 255 * (255 - a) + 127) / 255) as u8;
        pixel.0 = [mix(r), mix(g), mix(b), 255];
    }
    image
}

/// The image in a file whose format its first bytes tell, within limits.
pub fn decode_picture(bytes: &[u8]) -> Result<RgbaImage, String> {
    let mut image = RgbaImage::default();
    decode_picture_into(bytes, &mut image).map(|()| image)
}

/// As [`decode_picture`], into an image whose memory is used again where the format can (QOI): what reads many of one size saves
/// asking the system for fresh pages. After an error the image may be empty.
pub fn decode_picture_into(bytes: &[u8], image: &mut RgbaImage) -> Result<(), String> {
    if qoi::is_qoi(bytes) {
        return qoi::decode_into(bytes, LARGEST_EDGE, image);
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(LARGEST_EDGE);
    bounds.max_image_height = Some(LARGEST_EDGE);
    bounds.max_alloc = Some(LARGEST_VIEW);
    reader.limits(bounds);
    *image = reader.decode().map_err(|e| e.to_string())?.into_rgba8();
    Ok(())
}

/// The ending of the format an image file is in, if views may have it.
pub(crate) fn ending_of(bytes: &[u8]) -> Option<&'static str> {
    if qoi::is_qoi(bytes) {
        return Some("qoi");
    }
    match image::guess_format(bytes).ok()? {
        image::ImageFormat::Png => Some("png"),
        image::ImageFormat::Jpeg => Some("jpg"),
        image::ImageFormat::WebP => Some("webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    #[test]
    fn pictures_come_back_as_they_were() {
        let opaque = RgbaImage::from_fn(40, 30, |x, y| Rgba([x as u8 * 6, y as u8 * 8, 90, 255]));
        let clear = RgbaImage::from_fn(40, 30, |x, y| Rgba([x as u8 * 6, y as u8 * 8, 90, (x * 6) as u8]));
        for format in [Picture::Webp, Picture::Png, Picture::Qoi] {
            for image in [&opaque, &clear] {
                let bytes = format.encode(image).unwrap();
                assert_eq!(ending_of(&bytes), Some(format.ending()));
                assert_eq!(decode_picture(&bytes).unwrap(), *image, "{format:?}");
            }
        }
        assert!(decode_picture(&Picture::Png.encode(&opaque).unwrap()[..200]).is_err());
        for other in [
            DynamicImage::ImageLuma8(DynamicImage::from(clear.clone()).into_luma8()),
            DynamicImage::ImageLumaA16(DynamicImage::from(clear.clone()).into_luma_alpha16()),
            DynamicImage::ImageRgb16(DynamicImage::from(clear.clone()).into_rgb16()),
        ] {
            assert_eq!(decode_picture(&encode_png(&other).unwrap()).unwrap(), other.into_rgba8());
        }
        let shown = decode_picture(&Picture::Jpeg.encode(&clear).unwrap()).unwrap();
        assert!(shown.get_pixel(0, 15).0.iter().all(|c| *c > 240));
    }
}
