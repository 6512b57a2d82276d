//! Bounds on what one file may ask for.

/// Largest file that is read, in bytes.
pub const FILE_BYTES: u64 = 2 << 30;
/// Most vertices or points of one file.
pub const VERTICES: usize = 20_000_000;
/// Points that are kept of a cloud of more than [`VERTICES`].
pub const KEPT_POINTS: usize = 10_000_000;
/// Largest cloud that is read, in bytes; of those above [`FILE_BYTES`] or [`VERTICES`], a part of the points.
pub const CLOUD_FILE_BYTES: u64 = 64 << 30;
/// Most triangles of one file.
pub const FACES: usize = 20_000_000;
/// Largest edge of a texture in pixels.
pub const TEXTURE_EDGE: u32 = 16_384;
/// Memory for one decoded texture, in bytes.
pub const TEXTURE_BYTES: u64 = 256 << 20;
/// Memory for all textures of one file, in bytes.
pub const ALL_TEXTURE_BYTES: u64 = 1 << 30;
/// Largest text file next to a 3D file, in bytes.
pub const SIDE_FILE_BYTES: u64 = 64 << 20;
/// Most notes about one file.
pub const NOTES: usize = 100;

/// Bytes that a compressed file may expand to: 64 for each of its bytes, and `FEW_EXPANDED_BYTES` more, within [`FILE_BYTES`].
pub(crate) fn expanded_bytes(file_bytes: usize) -> u64 {
    const EXPANSION: u64 = 64;
    const FEW_EXPANDED_BYTES: u64 = 64 << 20;
    (file_bytes as u64).saturating_mul(EXPANSION).saturating_add(FEW_EXPANDED_BYTES).min(FILE_BYTES)
}
