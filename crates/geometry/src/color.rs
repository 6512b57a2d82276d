//! Conversion between sRGB bytes and linear light ([IEC 61966-2-1]): the formulas, and lookup tables for inner loops.
//!
//! Table entries are computed in `f64` and rounded once, so that every machine has the same ones: the last bit of a
//! platform's `pow` does not matter.
//!
//! [IEC 61966-2-1]: https://www.w3.org/Graphics/Color/sRGB

use std::sync::LazyLock;

/// Entries of the table from linear light to bytes; where sRGB is steepest, one byte spans about five entries.
const ENCODE_STEPS: usize = 16_384;
/// Entries per byte of the table from filtered sRGB to linear light.
const DECODE_STEPS: usize = 4;

/// Lookup tables between sRGB bytes and linear light; see [`tables`].
pub struct ColorTables {
    /// Linear light of an sRGB value in quarters of a byte.
    decode: [f32; 256 * DECODE_STEPS],
    /// Linear light of an sRGB byte, scaled to 16 bits.
    pub(crate) linear16: [u16; 256],
    encode: [u8; ENCODE_STEPS + 1],
}

static TABLES: LazyLock<ColorTables> = LazyLock::new(|| ColorTables {
    decode: std::array::from_fn(|i| decode(i as f64 / DECODE_STEPS as f64) as f32),
    linear16: std::array::from_fn(|i| (decode(i as f64) * 65535.0).round() as u16),
    encode: std::array::from_fn(|i| encode(i as f64 / ENCODE_STEPS as f64)),
});

/// The tables, computed on first use.
#[inline]
pub fn tables() -> &'static ColorTables {
    &TABLES
}

impl ColorTables {
    /// Linear light of an sRGB value in 1/256 of a byte (`0..=255 * 256`).
    #[inline]
    pub fn linear_from_fixed(&self, value: u16) -> f32 {
        // Half a step up for rounding; the sum cannot leave the table because 255 * 256 + 32 < 2^16.
        self.decode[(usize::from(value) + 32) / (256 / DECODE_STEPS)]
    }

    /// sRGB byte of linear light; clamped, NaN is black.
    #[inline]
    pub fn srgb(&self, linear: f32) -> u8 {
        self.srgb_at(encode_index(linear))
    }

    /// sRGB byte at a table index (see [`encode_index`]).
    #[inline(always)]
    pub fn srgb_at(&self, encode_index: u32) -> u8 {
        self.encode[encode_index as usize]
    }

    /// sRGB byte of 16-bit linear light.
    #[inline]
    pub fn srgb_from_linear16(&self, linear: u32) -> u8 {
        self.encode[(linear as usize * ENCODE_STEPS + 32_768) / 65_536]
    }
}

/// Index of linear light in the table of sRGB bytes; clamped, NaN is black.
#[inline(always)]
pub fn encode_index(linear: f32) -> u32 {
    // Not `clamp`: these comparisons are one instruction each, and take NaN to 0.
    let positive = if linear > 0.0 { linear } else { 0.0 };
    let inside = if positive < 1.0 { positive } else { 1.0 };
    let place = inside * ENCODE_STEPS as f32 + 0.5;
    // Truncates by adding 2^23, from where on floats have no fraction bits: an `as` cast would keep the loop from being
    // vectorized. The sum rounds to nearest, so one is subtracted where it rounded up.
    const WHOLE: f32 = 8_388_608.0;
    let nearest = (place + WHOLE).to_bits() & 0x007f_ffff;
    nearest - u32::from(nearest as f32 > place)
}

/// sRGB byte → linear value in `0..=1` (IEC 61966-2-1).
pub fn linear_from_srgb(byte: u8) -> f32 {
    let value = f32::from(byte) / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Linear value → sRGB byte, rounded; values outside `0..=1` are clamped, NaN becomes 0.
pub fn srgb_from_linear(value: f32) -> u8 {
    let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
    let encoded = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
    (encoded * 255.0).round() as u8
}

fn decode(byte: f64) -> f64 {
    let value = byte / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

fn encode(linear: f64) -> u8 {
    let value = if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    (value * 255.0).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_round_trip() {
        for byte in 0..=255_u8 {
            let linear = tables().linear_from_fixed(u16::from(byte) << 8);
            assert_eq!(tables().srgb(linear), byte);
            assert_eq!(tables().srgb_from_linear16(u32::from(tables().linear16[usize::from(byte)])), byte);
        }
    }

    #[test]
    fn steps_are_cut_off() {
        for i in 0..=1_000_000_u32 {
            let linear = i as f32 / 1e6;
            assert_eq!(encode_index(linear), (linear * ENCODE_STEPS as f32 + 0.5) as u32, "{linear}");
        }
    }

    #[test]
    fn light_outside_the_range_is_clamped() {
        assert_eq!(tables().srgb(-1.0), 0);
        assert_eq!(tables().srgb(f32::NAN), 0);
        assert_eq!(tables().srgb(f32::INFINITY), 255);
    }
}
