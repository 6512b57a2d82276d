//! A drawn view as it might have looked elsewhere: another background, exposure, framing.

use image::{Rgba, RgbaImage};
use serde::{Deserialize, Serialize};

use crate::clouds::PointChange;
use crate::shapes::Rng;

/// How samples are changed each time they are seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentConfig {
    /// How views are changed.
    #[serde(default)]
    pub views: ViewChange,
    /// How clouds are changed, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointChange>,
}

/// How views are changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViewChange {
    /// Not at all.
    #[default]
    None,
    /// Another background, exposure and framing for each view.
    Looks,
    /// One window for all views of a batch, enlarged (Duoduo CLIP); only of 224-pixel views.
    Window,
}

/// The view on a background, moved, scaled, brightened; the same size, opaque.
pub fn augment(view: &RgbaImage, rng: &mut Rng) -> RgbaImage {
    let size = view.width() as f32;
    let zoom = rng.between(0.85, 1.15);
    let shift = [rng.between(-0.06, 0.06) * size, rng.between(-0.06, 0.06) * size];
    let mirror = rng.chance(0.5);
    let tone = Tone::draw(rng);
    let background = background(rng);
    RgbaImage::from_fn(view.width(), view.height(), |x, y| {
        let across = if mirror { size - 1.0 - x as f32 } else { x as f32 };
        let source = |c: f32, shift: f32| (c - size / 2.0 + shift) / zoom + size / 2.0;
        let [r, g, b, a] = bilinear(view, source(across, shift[0]), source(y as f32, shift[1]));
        let toned = tone.apply([r, g, b]);
        let mixed = |i: usize| (toned[i] * a + background[i] * (1.0 - a)).clamp(0.0, 255.0) as u8;
        Rgba([mixed(0), mixed(1), mixed(2), 255])
    })
}

/// White mostly, as in use; sometimes another color.
fn background(rng: &mut Rng) -> [f32; 3] {
    if rng.chance(0.85) {
        [255.0; 3]
    } else if rng.chance(0.5) {
        [rng.between(0.0, 255.0); 3]
    } else {
        [rng.between(0.0, 255.0), rng.between(0.0, 255.0), rng.between(0.0, 255.0)]
    }
}

/// Brightness, contrast, and how much color is left.
struct Tone {
    gain: f32,
    offset: f32,
    color: f32,
}

impl Tone {
    fn draw(rng: &mut Rng) -> Self {
        let color = if rng.chance(0.1) { 0.0 } else { rng.between(0.7, 1.2) };
        Self { gain: rng.between(0.75, 1.25), offset: rng.between(-25.0, 25.0), color }
    }

    fn apply(&self, rgb: [f32; 3]) -> [f32; 3] {
        let gray = rgb.iter().sum::<f32>() / 3.0;
        rgb.map(|c| ((gray + (c - gray) * self.color) * self.gain + self.offset).clamp(0.0, 255.0))
    }
}

/// Color (0–255) and coverage (0–1) between pixels; outside there is nothing.
fn bilinear(view: &RgbaImage, x: f32, y: f32) -> [f32; 4] {
    let (x0, y0) = (x.floor(), y.floor());
    let mut sum = [0.0; 4];
    for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let weight = (1.0 - (x - x0 - dx).abs()) * (1.0 - (y - y0 - dy).abs());
        let inside = x0 + dx >= 0.0 && y0 + dy >= 0.0;
        let pixel = view.get_pixel_checked((x0 + dx) as u32, (y0 + dy) as u32).filter(|_| inside);
        let Some(Rgba([r, g, b, a])) = pixel else { continue };
        let alpha = weight * f32::from(*a) / 255.0;
        for (total, c) in sum.iter_mut().zip([*r, *g, *b]) {
            *total += alpha * f32::from(c);
        }
        sum[3] += alpha;
    }
    let [r, g, b, a] = sum;
    if a > 0.0 { [r / a, g / a, b / a, a.min(1.0)] } else { [0.0; 4] }
}
