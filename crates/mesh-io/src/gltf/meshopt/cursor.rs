//! Reads the streams of meshopt codecs.

use crate::gltf::error::{GltfError, invalid};

/// Reads a stream from its start.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], GltfError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, GltfError> {
        Ok(self.take(1)?[0])
    }

    /// A number in groups of seven bits, lowest first, at most five.
    pub(super) fn variable_length(&mut self) -> Result<u32, GltfError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= u32::from(byte & 127) << shift;
            if byte < 128 {
                break;
            }
        }
        Ok(value)
    }
}

pub(super) fn truncated() -> GltfError {
    invalid("meshopt: the stream ends early")
}

/// Whether a stream that was read to its end has something left, which means it was misread.
pub(super) fn check_end(left: usize) -> Result<(), GltfError> {
    if left == 0 { Ok(()) } else { Err(invalid(format!("meshopt: {left} bytes too many"))) }
}

/// 0, 1, 2, 3 … → 0, −1, 1, −2 …, modulo 2³².
pub(super) fn unzigzag(value: u32) -> u32 {
    (value >> 1) ^ (value & 1).wrapping_neg()
}
