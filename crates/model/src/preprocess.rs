//! Pictures → the numbers a tower was trained on, exactly as the reference prepares them.

mod object;

use image::{RgbImage, RgbaImage};
pub(crate) use lexiform_geometry::resize::resample_grid;
pub use lexiform_geometry::resize::{composite_on_white, resize_bicubic, resize_bicubic_rgba};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::object::object_view;

/// Mean and standard deviation of each channel, that a tower was trained with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalization {
    /// CLIP's.
    #[default]
    Clip,
    /// ImageNet's (SLIP; ULIP and CG3D with it).
    ImageNet,
}

impl Normalization {
    /// Mean and standard deviation, by channel.
    fn statistics(self) -> [[f32; 2]; 3] {
        match self {
            Self::Clip => {
                [[0.481_454_66, 0.268_629_54], [0.457_827_5, 0.261_302_6], [0.408_210_73, 0.275_777_1]]
            }
            Self::ImageNet => [[0.485, 0.229], [0.456, 0.224], [0.406, 0.225]],
        }
    }
}

/// Edge of the window Duoduo CLIP cuts out of a 224-pixel view before it enlarges it again.
const DUODUO_WINDOW: usize = 208;

/// Whether a window is cut out of each view before it is enlarged to full size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crop {
    /// The whole view.
    None,
    /// The middle 208 of 224 pixels. The reference cuts at random, in evaluation too; the middle is its mean.
    Center,
    /// The reference's window for a torch generator seeded with this number, shared by all views of a call.
    Seed(u32),
    /// The window whose top left corner this is, each coordinate at most 16.
    At {
        /// Rows above it.
        top: usize,
        /// Columns left of it.
        left: usize,
    },
}

impl Crop {
    /// Top left corner of the 208-pixel window in a 224-pixel view.
    fn corner(self) -> Option<[usize; 2]> {
        match self {
            Self::None => None,
            Self::Center => Some([8, 8]),
            Self::Seed(seed) => {
                let [top, left] = mt19937_first_two(seed);
                Some([(top % 17) as usize, (left % 17) as usize])
            }
            Self::At { top, left } => Some([top.min(16), left.min(16)]),
        }
    }

    /// The largest view this crop can be applied to exactly is the one it was made for.
    pub fn fits(self, size: usize) -> bool {
        self == Self::None || size == 224
    }
}

/// What of a photo is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Photos {
    /// The middle: the shortest side fitted (OpenCLIP's evaluation transform).
    #[default]
    Middle,
    /// Its object, where transparency or a plain background tells it: on white, framed as views are; else the middle.
    Object,
}

/// How views become pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Edge of the square image the tower sees.
    pub size: usize,
    /// Window cut out first.
    pub crop: Crop,
    /// How numbers in `0..1` are shifted and scaled.
    #[serde(default)]
    pub normalization: Normalization,
    /// What of a photo is looked at.
    #[serde(default)]
    pub photos: Photos,
}

impl Preprocess {
    /// Views of this size as CLIP sees them, whole.
    pub fn clip(size: usize) -> Self {
        Self { size, crop: Crop::None, normalization: Normalization::Clip, photos: Photos::Middle }
    }

    /// Views → normalized pixels, `[views, 3, size, size]` row-major. Views of another size are resized as
    /// Pillow does (bicubic, antialiased, aspect ignored), transparent pixels are put on white.
    pub fn views(&self, views: &[RgbaImage]) -> Vec<f32> {
        views.par_iter().flat_map_iter(|view| self.normalize(&self.on_white(view))).collect()
    }

    /// A photo → normalized pixels, `[3, size, size]`. The window of `crop` is not cut out of photos.
    pub fn photo(&self, photo: &RgbaImage) -> Vec<f32> {
        Self { crop: Crop::None, ..*self }.normalize(&self.photo_view(photo))
    }

    /// The picture that [`photo`](Self::photo) normalizes.
    pub fn photo_view(&self, photo: &RgbaImage) -> RgbImage {
        let object = match self.photos {
            Photos::Object => object_view(photo, self.size),
            Photos::Middle => None,
        };
        object.unwrap_or_else(|| self.middle(photo))
    }

    /// The shortest side resized to `size`, the middle kept.
    fn middle(&self, photo: &RgbaImage) -> RgbImage {
        let photo = composite_on_white(photo);
        let (width, height) = (photo.width() as usize, photo.height() as usize);
        let short = width.min(height).max(1);
        // OpenCLIP (through torchvision) truncates the long side.
        let scaled =
            |edge: usize| if edge == short { self.size } else { (self.size * edge / short).max(self.size) };
        let resized = resize_bicubic(&photo, scaled(width), scaled(height));
        let corner = |edge: u32| (f64::from(edge - self.size as u32) / 2.0).round_ties_even() as u32;
        let (left, top) = (corner(resized.width()), corner(resized.height()));
        image::imageops::crop_imm(&resized, left, top, self.size as u32, self.size as u32).to_image()
    }

    fn on_white(&self, view: &RgbaImage) -> RgbImage {
        if view.width() as usize == self.size && view.height() as usize == self.size {
            return composite_on_white(view);
        }
        composite_on_white(&resize_bicubic_rgba(view, self.size, self.size))
    }

    /// `[3, size, size]`: scaled to `0..1`, cut, enlarged, normalized.
    fn normalize(&self, image: &RgbImage) -> Vec<f32> {
        let size = self.size;
        let mut planes = vec![0.0f32; 3 * size * size];
        for (i, pixel) in image.pixels().enumerate() {
            for channel in 0..3 {
                planes[channel * size * size + i] = f32::from(pixel[channel]) / 255.0;
            }
        }
        if let Some(corner) = self.crop.corner().filter(|_| self.crop.fits(size)) {
            planes =
                planes.chunks(size * size).flat_map(|plane| enlarge_window(plane, size, corner)).collect();
        }
        for ([mean, deviation], plane) in
            self.normalization.statistics().iter().zip(planes.chunks_mut(size * size))
        {
            plane.iter_mut().for_each(|x| *x = (*x - mean) / deviation);
        }
        planes
    }
}

/// Bilinear with half-pixel centers, from the window at `corner` back to the full plane.
fn enlarge_window(plane: &[f32], size: usize, [top, left]: [usize; 2]) -> Vec<f32> {
    let step = DUODUO_WINDOW as f32 / size as f32;
    let taps: Vec<(usize, usize, f32)> = (0..size)
        .map(|i| {
            let source = ((i as f32 + 0.5) * step - 0.5).clamp(0.0, (DUODUO_WINDOW - 1) as f32);
            let low = source.floor() as usize;
            (low, (low + 1).min(DUODUO_WINDOW - 1), source - low as f32)
        })
        .collect();
    let mut enlarged = Vec::with_capacity(size * size);
    for &(y0, y1, fy) in &taps {
        let (upper, lower) = (&plane[(top + y0) * size + left..], &plane[(top + y1) * size + left..]);
        enlarged.extend(taps.iter().map(|&(x0, x1, fx)| {
            let above = upper[x0] * (1.0 - fx) + upper[x1] * fx;
            let below = lower[x0] * (1.0 - fx) + lower[x1] * fx;
            above * (1.0 - fy) + below * fy
        }));
    }
    enlarged
}

/// First two outputs of the 32-bit Mersenne Twister, which torch draws its crops from.
fn mt19937_first_two(seed: u32) -> [u32; 2] {
    let mut state = vec![seed; 624];
    for i in 1..624 {
        let previous: u32 = state[i - 1];
        state[i] = 1_812_433_253_u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(i as u32);
    }
    [0, 1].map(|i| {
        let y = (state[i] & 0x8000_0000) | (state[i + 1] & 0x7fff_ffff);
        let mut x = state[i + 397] ^ (y >> 1) ^ if y & 1 == 1 { 0x9908_b0df } else { 0 };
        x ^= x >> 11;
        x ^= (x << 7) & 0x9d2c_5680;
        x ^= (x << 15) & 0xefc6_0000;
        x ^ (x >> 18)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_follow_torchs_generator() {
        // Corners of `RandomCrop` after `torch.manual_seed`: fixtures/duoduo_tiny224.
        assert_eq!(Crop::Seed(0).corner(), Some([7, 3]));
        assert_eq!(Crop::Seed(123).corner(), Some([15, 8]));
        assert_eq!(Crop::Seed(678).corner(), Some([5, 11]));
    }

    #[test]
    fn a_flat_view_stays_flat() {
        let gray = RgbaImage::from_pixel(224, 224, image::Rgba([128, 128, 128, 255]));
        let pixels = Preprocess { crop: Crop::Center, ..Preprocess::clip(224) }.views(&[gray]);
        let [mean, deviation] = Normalization::Clip.statistics()[0];
        let expected = (128.0 / 255.0 - mean) / deviation;
        assert!(pixels[..224 * 224].iter().all(|x| (x - expected).abs() < 1e-6));
    }
}
