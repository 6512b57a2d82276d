//! Augmentation of views: zoom, shift, horizontal flip, color jitter, background.

use image::{Rgba, RgbaImage};

/// An augmentation of a view with transparent background.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewAugmentation {
    /// Scale about the center.
    pub zoom: f32,
    /// Offset of the window in pixels, to the right and down, before scaling.
    pub shift: [f32; 2],
    /// Whether to flip left and right.
    pub horizontal_flip: bool,
    /// Brightness, contrast and saturation.
    pub color_jitter: ColorJitter,
    /// Background color, 0–255, at the top and at the bottom, with a linear gradient in between.
    pub background: [[f32; 3]; 2],
}

/// Contrast, brightness and saturation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ColorJitter {
    /// Factor on values (contrast).
    pub gain: f32,
    /// Added to values afterwards, 0–255 (brightness).
    pub offset: f32,
    /// 0 is gray, 1 leaves colors unchanged.
    pub saturation: f32,
}

impl ViewAugmentation {
    /// The augmented view: the same size, opaque.
    ///
    /// ```
    /// use image::{Rgba, RgbaImage};
    /// use lexiform_render::{ColorJitter, ViewAugmentation};
    ///
    /// let view = RgbaImage::from_pixel(4, 4, Rgba([200, 100, 0, 255]));
    /// let augmentation = ViewAugmentation {
    ///     zoom: 1.0,
    ///     shift: [0.0; 2],
    ///     horizontal_flip: true,
    ///     color_jitter: ColorJitter { gain: 1.0, offset: 0.0, saturation: 0.0 },
    ///     background: [[255.0; 3]; 2],
    /// };
    /// assert_eq!(augmentation.apply(&view).get_pixel(1, 2).0, [100, 100, 100, 255]);
    /// ```
    pub fn apply(&self, view: &RgbaImage) -> RgbaImage {
        let (width, height) = (view.width() as f32, view.height() as f32);
        let source = |c: f32, size: f32, shift: f32| (c - size / 2.0 + shift) / self.zoom + size / 2.0;
        RgbaImage::from_fn(view.width(), view.height(), |x, y| {
            let across = if self.horizontal_flip { width - 1.0 - x as f32 } else { x as f32 };
            let place = [source(across, width, self.shift[0]), source(y as f32, height, self.shift[1])];
            let [r, g, b, a] = bilinear(view, place);
            // Jitter applies to the shape only, not to the background.
            let toned = self.color_jitter.apply([r, g, b]);
            let [top, bottom] = self.background;
            let down = (y as f32 + 0.5) / height;
            let behind = |i: usize| top[i] + (bottom[i] - top[i]) * down;
            let mixed = |i: usize| (toned[i] * a + behind(i) * (1.0 - a)).clamp(0.0, 255.0) as u8;
            Rgba([mixed(0), mixed(1), mixed(2), 255])
        })
    }
}

impl ColorJitter {
    fn apply(&self, rgb: [f32; 3]) -> [f32; 3] {
        let gray = rgb.iter().sum::<f32>() / 3.0;
        rgb.map(|c| ((gray + (c - gray) * self.saturation) * self.gain + self.offset).clamp(0.0, 255.0))
    }
}

/// Bilinear color (0–255) and coverage (0–1); transparent outside of the image.
fn bilinear(view: &RgbaImage, [x, y]: [f32; 2]) -> [f32; 4] {
    let (x0, y0) = (x.floor(), y.floor());
    let mut sum = [0.0; 4];
    for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let weight = (1.0 - (x - x0 - dx).abs()) * (1.0 - (y - y0 - dy).abs());
        let inside = x0 + dx >= 0.0 && y0 + dy >= 0.0;
        let pixel = view.get_pixel_checked((x0 + dx) as u32, (y0 + dy) as u32).filter(|_| inside);
        let Some(Rgba([r, g, b, a])) = pixel else { continue };
        // Premultiplied, so that transparent pixels do not darken the edge of the shape.
        let alpha = weight * f32::from(*a) / 255.0;
        for (total, c) in sum.iter_mut().zip([*r, *g, *b]) {
            *total += alpha * f32::from(c);
        }
        sum[3] += alpha;
    }
    let [r, g, b, a] = sum;
    if a > 0.0 { [r / a, g / a, b / a, a.min(1.0)] } else { [0.0; 4] }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: ViewAugmentation = ViewAugmentation {
        zoom: 1.0,
        shift: [0.0; 2],
        horizontal_flip: false,
        color_jitter: ColorJitter { gain: 1.0, offset: 0.0, saturation: 1.0 },
        background: [[255.0, 0.0, 10.0]; 2],
    };

    fn view() -> RgbaImage {
        RgbaImage::from_fn(
            8,
            8,
            |x, y| if x < 4 { Rgba([200, 100, 10 * y as u8, 255]) } else { Rgba([0; 4]) },
        )
    }

    #[test]
    fn what_is_transparent_shows_the_background() {
        let out = PLAIN.apply(&view());
        assert_eq!([out.get_pixel(0, 3).0, out.get_pixel(7, 3).0], [[200, 100, 30, 255], [255, 0, 10, 255]]);
        let mirrored = ViewAugmentation { horizontal_flip: true, ..PLAIN }.apply(&view());
        assert_eq!(
            [mirrored.get_pixel(7, 3).0, mirrored.get_pixel(0, 3).0],
            [[200, 100, 30, 255], [255, 0, 10, 255]]
        );
    }

    #[test]
    fn the_background_runs_from_top_to_bottom() {
        let out = ViewAugmentation { background: [[0.0; 3], [80.0; 3]], ..PLAIN }.apply(&view());
        assert_eq!([0, 3, 7].map(|y| out.get_pixel(7, y).0[0]), [5, 35, 75]);
    }

    #[test]
    fn tone_takes_color_away_and_frames_move() {
        let gray = ColorJitter { gain: 1.0, offset: 5.0, saturation: 0.0 };
        let [r, g, b, _] = ViewAugmentation { color_jitter: gray, ..PLAIN }.apply(&view()).get_pixel(0, 0).0;
        assert_eq!([r, g, b], [105; 3]);
        let moved = ViewAugmentation { shift: [4.0, 0.0], ..PLAIN }.apply(&view());
        assert_eq!(moved.get_pixel(0, 0).0, [255, 0, 10, 255]);
    }
}
