//! Thumbnails for the report.

use image::RgbaImage;
use lexiform_search::{Encoder, ShapePreprocessor};

use crate::entry::Entry;
use crate::shape_input;

/// Edge length in pixels, as in libraries.
const EDGE: u32 = 160;

/// A small JPEG of a shape, if it can be rendered.
pub(crate) fn of_entry(encoder: &dyn Encoder, entry: &Entry) -> Option<Vec<u8>> {
    if entry.stored.is_none() && entry.file.is_file() {
        return entry
            .orientation
            .applied(&ShapePreprocessor::for_encoder(encoder), &entry.name)
            .process(&entry.file)
            .ok()
            .map(|processed| processed.thumbnail);
    }
    shape_input::read(&ShapePreprocessor::for_encoder(encoder), entry)
        .ok()?
        .views()?
        .first()
        .and_then(of_view)
}

/// A view as a small JPEG on white.
pub(crate) fn of_view(view: &RgbaImage) -> Option<Vec<u8>> {
    let mut view = image::imageops::thumbnail(view, EDGE, EDGE);
    for pixel in view.pixels_mut() {
        // JPEG has no transparency.
        let alpha = u32::from(pixel.0[3]);
        let over_white = |x: u8| ((u32::from(x) * alpha + 255 * (255 - alpha)) / 255) as u8;
        pixel.0 = [over_white(pixel.0[0]), over_white(pixel.0[1]), over_white(pixel.0[2]), 255];
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    let rgb = image::DynamicImage::ImageRgba8(view).into_rgb8();
    rgb.write_to(&mut bytes, image::ImageFormat::Jpeg).ok()?;
    Some(bytes.into_inner())
}
