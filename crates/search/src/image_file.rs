//! Reads photos and drawings for queries, with limits on size and memory.

use std::io::{Cursor, ErrorKind, Read as _};
use std::path::Path;

use image::{DynamicImage, ImageDecoder as _, ImageReader, Limits, RgbaImage};
use lexiform_formats::jpeg;
use lexiform_mesh_io::open_regular_file;

use crate::Error;
use crate::error::strip_path_prefix;

/// Maximum width and height of an image in pixels.
const MAX_EDGE: u32 = 20_000;
/// Maximum memory for decoding an image.
const MAX_BYTES: u64 = 1 << 30;

/// Reads an image file and applies its EXIF orientation. The format is recognized from the content.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Image`] if the file is not an image or exceeds the limits.
pub fn read_image(path: &Path) -> Result<RgbaImage, Error> {
    let failed = |reason: String| Error::Image { path: path.to_owned(), reason };
    let file = open_regular_file(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::NotFound { path: path.to_owned() },
        _ => failed(strip_path_prefix(&error.to_string(), path)),
    })?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    let mut reader = ImageReader::new(Cursor::new(&bytes))
        .with_guessed_format()
        .map_err(|error| failed(error.to_string()))?;
    // A small file can declare a huge image: limits apply before memory is allocated.
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_EDGE);
    limits.max_image_height = Some(MAX_EDGE);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| failed(error.to_string()))?;
    // Photos are often stored sideways, with the rotation in EXIF. Without EXIF, or with an invalid value, not rotated.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    // The same pixels as the references' decoder, where the file is of the usual kind.
    let mut image = match jpeg::decode(&bytes, MAX_BYTES) {
        Some(image) => DynamicImage::ImageRgb8(image),
        None => DynamicImage::from_decoder(decoder).map_err(|error| failed(error.to_string()))?,
    };
    image.apply_orientation(orientation);
    Ok(image.into_rgba8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        fs_err::write(&path, "not an image").unwrap();
        assert!(matches!(read_image(&path), Err(Error::Image { .. })));
        assert!(matches!(read_image(&folder.path().join("b.png")), Err(Error::NotFound { .. })));
    }
}
