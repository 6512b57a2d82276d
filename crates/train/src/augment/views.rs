//! Augmentation of views: background, exposure, framing.

use image::RgbaImage;
use lexiform_render::{ColorJitter, ViewAugmentation};
use lexiform_shapes::Rng;

/// Composites a view with transparent background onto a random one, with random zoom, shift, mirroring and tone. Keeps its
/// size; the result is opaque.
pub fn augment_view(view: &RgbaImage, rng: &mut Rng) -> RgbaImage {
    let size = view.width() as f32;
    let zoom = rng.between(0.85, 1.15);
    let shift = [rng.between(-0.06, 0.06) * size, rng.between(-0.06, 0.06) * size];
    // Most objects are as plausible mirrored.
    let mirror = rng.chance(0.5);
    let (color_jitter, background) = (color_jitter(rng), background(rng));
    ViewAugmentation { zoom, shift, horizontal_flip: mirror, color_jitter, background }.apply(view)
}

/// Top and bottom color of a gradient: white in 75 %, as in inference; else a gray, a color, or two colors as behind photos.
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

fn color_jitter(rng: &mut Rng) -> ColorJitter {
    let color = if rng.chance(0.1) { 0.0 } else { rng.between(0.7, 1.2) };
    ColorJitter { gain: rng.between(0.75, 1.25), offset: rng.between(-25.0, 25.0), saturation: color }
}
