//! Converts colors of files (display values, sRGB) to the linear values of [`Scene`](lexiform_geometry::Scene).

use std::sync::LazyLock;

use glam::{Vec3, Vec4};

/// Linear values of the 256 sRGB bytes.
static LINEAR: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|i| lexiform_geometry::linear_from_srgb(i as u8)));

/// sRGB bytes → linear.
pub(super) fn from_bytes(rgb: [u8; 3]) -> Vec3 {
    Vec3::from(rgb.map(|byte| LINEAR[byte as usize]))
}

/// sRGB values in `0..=1` → linear; clamped, NaN is 0.
pub(super) fn from_unit(rgb: Vec3) -> Vec3 {
    Vec3::from(rgb.to_array().map(channel))
}

/// As [`from_unit`], with linear alpha.
pub(super) fn from_unit_alpha(rgba: Vec4) -> Vec4 {
    let alpha = if rgba.w.is_nan() { 1.0 } else { rgba.w.clamp(0.0, 1.0) };
    from_unit(rgba.truncate()).extend(alpha)
}

/// An opacity, or 1 for one up to 0.02: it is of a writer that means the opposite, because nobody stores what cannot be seen.
pub(super) fn visible_opacity(opacity: f32) -> f32 {
    if opacity > 0.02 { opacity } else { 1.0 }
}

fn channel(value: f32) -> f32 {
    let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
    let scaled = value * 255.0;
    if scaled == scaled.floor() {
        // Most floats were bytes once, and the power is slow.
        return LINEAR[scaled as usize];
    }
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// The full value of a color channel in a file whose numbers carry no type: 1, 255 or 65535.
pub(super) fn full_scale(largest: f64) -> f64 {
    match largest {
        x if x > 255.0 => 65535.0,
        x if x > 1.0 => 255.0,
        _ => 1.0,
    }
}
