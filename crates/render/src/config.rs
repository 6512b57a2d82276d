//! Render settings: size, samples, background, light.

use serde::{Deserialize, Serialize};

/// Render settings. The defaults match the renders that the image models were trained on: 224 pixels, white
/// background, soft light from above.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RenderConfig {
    /// Edge of the square image in pixels, at most [`RenderConfig::MAX_SIZE`].
    pub size: u32,
    /// Samples along each edge of a pixel, `1..=4`; 2 is 4× supersampling.
    pub samples_per_edge: u32,
    /// What is visible where there is no shape.
    pub background: Background,
    /// Lighting.
    pub light: Light,
}

impl RenderConfig {
    /// Largest image edge in pixels; larger settings are clamped.
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

/// What is visible where there is no shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Background {
    /// Transparent; alpha is the coverage.
    Transparent,
    /// An sRGB color, blended with the shape in sRGB space, as when pasting an image.
    Color([u8; 3]),
}

impl Background {
    /// The background of the reference renders.
    pub const WHITE: Self = Self::Color([255; 3]);
}

/// Lighting in world space; intensities are the light reflected by a white surface, 1 is full white.
///
/// The sky is the reference renders' huge area light above the shape (Zero123 and OpenShape use the same
/// script): a surface is lit in proportion to how much it faces up. The key light shows the form; the headlight
/// comes from the camera, so that no side is ever black.
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
