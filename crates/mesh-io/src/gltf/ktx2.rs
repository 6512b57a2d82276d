//! KTX2 with Basis Universal payloads ([KHR_texture_basisu]), decoded by the pure-Rust crate `basisu`.
//!
//! [KHR_texture_basisu]: https://github.com/KhronosGroup/glTF/tree/main/extensions/2.0/Khronos/KHR_texture_basisu

use basisu::{DecodeFlags, TargetFormat, Transcoder};
use image::RgbaImage;

use super::error::catch_decoder_panic;
use crate::image_file::check_size;

const MAGIC: &[u8] = b"\xABKTX 20\xBB\r\n\x1A\n";
/// Bytes per 4 × 4 block of the largest payload.
const BLOCK_BYTES: u64 = 16;
/// The header with the first level of the index.
const CHECKED_BYTES: usize = 104;

/// Whether these are the first bytes of a KTX2 file.
pub(super) fn is_ktx2(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Decodes the base level of a 2D texture.
pub(super) fn decode(bytes: &[u8], bytes_left: u64) -> Result<RgbaImage, String> {
    let (width, height) = checked_size(bytes, bytes_left)?;
    let pixels = catch_decoder_panic("KTX2", || {
        let explain = |error| format!("KTX2: {error:?}").to_lowercase();
        let transcoder = Transcoder::new(bytes).map_err(explain)?;
        transcoder.transcode(0, TargetFormat::Rgba32, DecodeFlags::NONE).map_err(explain)
    })?;
    RgbaImage::from_raw(width, height, pixels)
        .ok_or_else(|| "KTX2: the pixels do not fill the image".to_owned())
}

/// Width and height, after checking that the header does not make the decoder allocate more than they justify.
fn checked_size(bytes: &[u8], bytes_left: u64) -> Result<(u32, u32), String> {
    let header = bytes.get(..CHECKED_BYTES).ok_or("KTX2: the header ends early")?;
    let word =
        |at: usize| header[at..at + 4].iter().rev().fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte));
    let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
    let (width, height, depth, layers, faces) = (word(20), word(24), word(28), word(32), word(36));
    check_size(width, height, bytes_left)?;
    if depth > 1 || layers > 1 || faces != 1 {
        return Err("KTX2: expected a 2D image, found a volume, an array or a cube".to_owned());
    }
    // Size of the base level before supercompression, which the decoder allocates.
    let uncompressed = long(96);
    let blocks = u64::from(width.div_ceil(4)) * u64::from(height.div_ceil(4));
    if uncompressed > blocks * BLOCK_BYTES {
        return Err(format!("KTX2: {uncompressed} bytes for {blocks} blocks"));
    }
    Ok((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean difference of a channel. ETC1S has one hue for each 4 × 4 pixels, and the gradient turns within them.
    const TOLERANCES: [(&str, f32); 3] =
        [("basis_etc1s", 8.0), ("basis_uastc", 2.0), ("basis_uastc_zstd", 2.0)];

    #[test]
    fn both_codecs_give_the_source_back() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/mesh-io/");
        let source = image::open(format!("{folder}basis_source.png")).unwrap().into_rgba8();
        for (name, tolerance) in TOLERANCES {
            let bytes = std::fs::read(format!("{folder}{name}.ktx2")).unwrap();
            let found = decode(&bytes, 1 << 20).unwrap();
            assert_eq!(found.dimensions(), source.dimensions());
            let differences =
                source.as_raw().iter().zip(found.as_raw()).map(|(a, b)| f32::from(a.abs_diff(*b)));
            let mean = differences.sum::<f32>() / source.as_raw().len() as f32;
            assert!(mean <= tolerance, "{name}: {mean}");
            assert!(decode(&bytes, 100).unwrap_err().contains("100 are allowed"));
            for cut in 0..bytes.len() {
                // Whatever is missing, the call returns.
                let _ = decode(&bytes[..cut], 1 << 20);
            }
            for at in 0..bytes.len() {
                let mut flipped = bytes.clone();
                flipped[at] ^= 0x55;
                let _ = decode(&flipped, 1 << 20);
            }
        }
    }
}
