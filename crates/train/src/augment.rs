//! A drawn view as it might have looked elsewhere: another background, exposure, framing.

use image::RgbaImage;
use lexiform_render::{Tone, ViewAugmentation};
use serde::{Deserialize, Serialize};

use crate::clouds::PointChange;
use crate::scan::ScanChange;
use crate::shapes::Rng;

/// How samples are changed each time they are seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentConfig {
    /// How views are changed.
    #[serde(default)]
    pub views: ViewChange,
    /// How clouds are changed before they are prepared, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scan: Vec<ScanChange>,
    /// How clouds are changed after normalization while they have all points that `data.points` keeps; the farthest of them
    /// are taken afterwards (CG3D, section 3). For `network.input.resample = "farthest-normalized"`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dense: Vec<PointChange>,
    /// Whether clouds are given as looks that vote are, after Point-BERT: of a sixth more of the farthest points a random part,
    /// stretched and shifted ([`CloudInput::prepare_look`](lexiform_model::point::CloudInput::prepare_look)).
    #[serde(default, skip_serializing_if = "crate::recipe::is_false")]
    pub voting_looks: bool,
    /// How prepared clouds are changed, in this order.
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
    let (tone, background) = (tone(rng), background(rng));
    ViewAugmentation { zoom, shift, mirror, tone, background }.apply(view)
}

/// White mostly, as in use; sometimes one other color, or two that run into each other as walls behind photos do.
fn background(rng: &mut Rng) -> [[f32; 3]; 2] {
    match rng.unit() {
        u if u < 0.75 => [[255.0; 3]; 2],
        u if u < 0.82 => [[rng.between(0.0, 255.0); 3]; 2],
        u if u < 0.88 => [color(rng); 2],
        _ => [color(rng), color(rng)],
    }
}

fn color(rng: &mut Rng) -> [f32; 3] {
    [(); 3].map(|()| rng.between(0.0, 255.0))
}

fn tone(rng: &mut Rng) -> Tone {
    let color = if rng.chance(0.1) { 0.0 } else { rng.between(0.7, 1.2) };
    Tone { gain: rng.between(0.75, 1.25), offset: rng.between(-25.0, 25.0), color }
}
