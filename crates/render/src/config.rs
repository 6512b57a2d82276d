//! How views are drawn: size, samples, background, light.

use serde::{Deserialize, Serialize};

/// Settings of the renderer. The default is the look the image models were trained on: 224 pixels, white
/// background, soft light from above.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RenderConfig {
    /// Edge of the square image in pixels, at most [`RenderConfig::MAX_SIZE`].
    pub size: u32,
    /// Samples along each edge of a pixel, `1..=4`; 2 is four-fold anti-aliasing.
    pub samples_per_edge: u32,
    /// What is seen where there is no shape.
    pub background: Background,
    /// Light on the shape.
    pub light: Light,
}

impl RenderConfig {
    /// Largest image edge in pixels; larger settings are taken as this.
    pub const MAX_SIZE: u32 = 4096;

    pub(crate) fn clamped(mut self) -> Self {
        self.size = self.size.min(Self::MAX_SIZE);
        self.samples_per_edge = self.samples_per_edge.clamp(1, 4);
        self
    }
}

impl Default for RenderConfig {
    fn default() -> Self {
        Self { size: 224, samples_per_edge: 2, background: Background::WHITE, light: Light::default() }
    }
}

/// What is seen where there is no shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Background {
    /// Nothing: alpha is the coverage.
    Transparent,
    /// An sRGB color; mixed with the shape in sRGB, as when pasting an image.
    Color([u8; 3]),
}

impl Background {
    /// The background of the reference renders.
    pub const WHITE: Self = Self::Color([255; 3]);
}

/// Light in world space; intensities are what a white surface sends back, 1 is full white.
///
/// The sky is the reference renders' huge area light above the shape (Zero123 and OpenShape use the same
/// script): a surface gets light in proportion to how much of it faces up. The key light models the form, the
/// headlight comes from the camera, so that no side is ever black.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Light {
    /// Light on a surface that faces up.
    pub sky: f32,
    /// Light on a surface that faces down.
    pub ground: f32,
    /// Light of the key on a surface that faces it.
    pub key: f32,
    /// Direction towards the key light; any length, zero is straight up.
    pub key_direction: [f32; 3],
    /// Light of the camera on a surface that faces it.
    pub headlight: f32,
}

impl Default for Light {
    fn default() -> Self {
        Self { sky: 0.68, ground: 0.16, key: 0.28, key_direction: [0.5, 0.75, 0.35], headlight: 0.14 }
    }
}
