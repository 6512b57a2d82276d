//! Views as image files: PNG, WebP, QOI and JPEG.

use std::io::Cursor;
use std::str::FromStr;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{
    DynamicImage, ExtendedColorType, ImageEncoder as _, ImageReader, ImageResult, Limits, RgbaImage,
};
use serde::{Deserialize, Serialize};

use crate::rgba::{composite_on_white, is_opaque, without_alpha};
use crate::{jpeg, png, qoi};

/// Largest edge of a view in pixels.
const MAX_EDGE: u32 = 8192;
/// Memory for one decoded view, in bytes.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// Image formats of views.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ViewFormat {
    /// Lossless, half as large as PNG and 20 % slower to decode.
    Webp,
    /// Lossless, fast to decode, supported everywhere.
    #[default]
    Png,
    /// Lossless, the fastest to decode and smaller than PNG, for training; Pillow supports it, browsers do not.
    Qoi,
    /// Lossy at quality 92, without transparency.
    Jpeg,
}

impl ViewFormat {
    /// The file name extension.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Png => "png",
            Self::Qoi => "qoi",
            Self::Jpeg => "jpg",
        }
    }

    /// Encodes an image. Alpha is kept if some pixel is transparent, except in JPEG, which composites on white.
    ///
    /// ```
    /// use image::{Rgba, RgbaImage};
    /// use lexiform_formats::view_format::{ViewFormat, decode_view, extension_of};
    ///
    /// let view = RgbaImage::from_pixel(8, 8, Rgba([200, 100, 0, 255]));
    /// let bytes = ViewFormat::Qoi.encode(&view)?;
    /// assert_eq!(extension_of(&bytes), Some("qoi"));
    /// assert_eq!(decode_view(&bytes)?, view);
    /// # Ok::<(), String>(())
    /// ```
    ///
    ///
    /// # Errors
    /// If the format cannot hold an image of this size.
    pub fn encode(self, image: &RgbaImage) -> Result<Vec<u8>, String> {
        match self {
            Self::Qoi => Ok(qoi::encode(image)),
            Self::Webp => encode_with(image, |out, raw, [width, height], color| {
                WebPEncoder::new_lossless(out).write_image(raw, width, height, color)
            }),
            // Filter "up" and fast compression: the best filter for each row and the strongest compression make 4.7 kB of the
            // gallery's views instead of 8, but decoding takes 50 % longer.
            Self::Png => png::encode(image).map_or_else(|| encode_png_fallback(image), Ok),
            Self::Jpeg => encode_with(&composite_on_white(image), |out, raw, [width, height], color| {
                JpegEncoder::new_with_quality(out, 92).write_image(raw, width, height, color)
            }),
        }
    }
}

/// Runs an encoder, without alpha if no pixel is transparent.
fn encode_with(
    image: &RgbaImage,
    write: impl FnOnce(&mut Cursor<Vec<u8>>, &[u8], [u32; 2], ExtendedColorType) -> ImageResult<()>,
) -> Result<Vec<u8>, String> {
    let (mut out, size) = (Cursor::new(Vec::new()), image.dimensions().into());
    let done = if is_opaque(image) {
        write(&mut out, &without_alpha(image), size, ExtendedColorType::Rgb8)
    } else {
        write(&mut out, image.as_raw(), size, ExtendedColorType::Rgba8)
    };
    done.map_err(|error| error.to_string())?;
    Ok(out.into_inner())
}

/// Encodes an image that does not compress as PNG.
fn encode_png_fallback(image: &RgbaImage) -> Result<Vec<u8>, String> {
    encode_with(image, |out, raw, [width, height], color| {
        let encoder = PngEncoder::new_with_quality(out, CompressionType::Fast, FilterType::Up);
        encoder.write_image(raw, width, height, color)
    })
}

/// Encodes an image of any pixel type as PNG, for maps such as depth and normals.
///
/// # Errors
/// If PNG cannot hold an image of this size or pixel type.
pub fn encode_png(image: &DynamicImage) -> Result<Vec<u8>, String> {
    let mut out = Cursor::new(Vec::new());
    let encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive);
    image.write_with_encoder(encoder).map_err(|error| error.to_string())?;
    Ok(out.into_inner())
}

impl FromStr for ViewFormat {
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

/// Decodes an image whose format is recognized by its first bytes, within limits.
///
/// # Errors
/// If the format is unknown, the file is damaged, or the image is too large.
pub fn decode_view(bytes: &[u8]) -> Result<RgbaImage, String> {
    let mut image = RgbaImage::default();
    decode_view_into(bytes, &mut image).map(|()| image)
}

/// As [`decode_view`], into an image whose memory is reused if the format allows it (QOI). Decoding many views of one size then
/// causes no page faults. After an error the image may be empty.
///
/// # Errors
/// As [`decode_view`].
pub fn decode_view_into(bytes: &[u8], image: &mut RgbaImage) -> Result<(), String> {
    if qoi::is_qoi(bytes) {
        return qoi::decode_into(bytes, MAX_EDGE, image);
    }
    // The same pixels as the references' decoder.
    let decoded = jpeg::decode(bytes, MAX_DECODED_BYTES);
    if let Some(decoded) = decoded.filter(|image| image.width().max(image.height()) <= MAX_EDGE) {
        *image = DynamicImage::ImageRgb8(decoded).into_rgba8();
        return Ok(());
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string())?;
    // Bounds before decoding: the header of a small file may declare a huge image.
    let mut bounds = Limits::default();
    bounds.max_image_width = Some(MAX_EDGE);
    bounds.max_image_height = Some(MAX_EDGE);
    bounds.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(bounds);
    *image = reader.decode().map_err(|e| e.to_string())?.into_rgba8();
    Ok(())
}

/// As [`decode_view`], into the place that `place` returns for width and height: three bytes for each pixel, converted by `convert`.
/// QOI is decoded there without an image in between.
///
/// # Errors
/// As [`decode_view`], and those of `place`.
pub fn decode_view_rgb<'a>(
    bytes: &[u8],
    convert: impl Fn([u8; 4]) -> [u8; 3],
    place: impl FnOnce([u32; 2]) -> Result<&'a mut [[u8; 3]], String>,
) -> Result<(), String> {
    if qoi::is_qoi(bytes) {
        return qoi::decode_rgb(bytes, MAX_EDGE, convert, place);
    }
    let image = decode_view(bytes)?;
    for (pixel, to) in image.as_raw().as_chunks::<4>().0.iter().zip(place(image.dimensions().into())?) {
        *to = convert(*pixel);
    }
    Ok(())
}

/// The file name extension of an encoded image's format, if it is one of [`ViewFormat`]'s.
pub fn extension_of(bytes: &[u8]) -> Option<&'static str> {
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
        for format in [ViewFormat::Webp, ViewFormat::Png, ViewFormat::Qoi] {
            for image in [&opaque, &clear] {
                let bytes = format.encode(image).unwrap();
                assert_eq!(extension_of(&bytes), Some(format.extension()));
                assert_eq!(decode_view(&bytes).unwrap(), *image, "{format:?}");
            }
        }
        assert!(decode_view(&ViewFormat::Png.encode(&opaque).unwrap()[..200]).is_err());
        for other in [
            DynamicImage::ImageLuma8(DynamicImage::from(clear.clone()).into_luma8()),
            DynamicImage::ImageLumaA16(DynamicImage::from(clear.clone()).into_luma_alpha16()),
            DynamicImage::ImageRgb16(DynamicImage::from(clear.clone()).into_rgb16()),
        ] {
            assert_eq!(decode_view(&encode_png(&other).unwrap()).unwrap(), other.into_rgba8());
        }
        let shown = decode_view(&ViewFormat::Jpeg.encode(&clear).unwrap()).unwrap();
        assert!(shown.get_pixel(0, 15).0.iter().all(|c| *c > 240));
    }

    #[test]
    fn three_bytes_of_each_pixel_are_decoded_into_a_place() {
        // Runs of gray and of another color, and pixels of their own.
        let image = RgbaImage::from_fn(90, 20, |x, y| match x / 30 {
            0 => Rgba([255, 255, 255, 0]),
            1 => Rgba([3, 200, 90, 255]),
            _ => Rgba([x as u8 * 2, y as u8 * 9, 7, (x * y) as u8]),
        });
        let convert = |[r, g, b, a]: [u8; 4]| [r ^ a, g ^ a, b];
        for format in [ViewFormat::Webp, ViewFormat::Png, ViewFormat::Qoi] {
            let bytes = format.encode(&image).unwrap();
            let expected: Vec<[u8; 3]> = image.pixels().map(|pixel| convert(pixel.0)).collect();
            let mut pixels = vec![[9; 3]; 90 * 20];
            decode_view_rgb(&bytes, convert, |size| {
                assert_eq!(size, [90, 20]);
                Ok(&mut pixels[..])
            })
            .unwrap();
            assert!(pixels == expected, "{format:?}");
            let refused = decode_view_rgb(&bytes, convert, |_| Err("too large".to_owned()));
            assert_eq!(refused.unwrap_err(), "too large", "{format:?}");
        }
    }

    #[test]
    fn long_edges_are_refused_in_every_format() {
        for format in [ViewFormat::Webp, ViewFormat::Png, ViewFormat::Qoi, ViewFormat::Jpeg] {
            let decoded = |width: u32| {
                let image = RgbaImage::from_pixel(width, 8, Rgba([200, 100, 0, 255]));
                decode_view(&format.encode(&image).unwrap())
            };
            assert_eq!(decoded(MAX_EDGE).unwrap().dimensions(), (MAX_EDGE, 8), "{format:?}");
            assert!(decoded(MAX_EDGE + 1).is_err(), "{format:?}");
        }
    }
}
