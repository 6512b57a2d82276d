//! Image preprocessing, exactly as in the reference of each model.

mod foreground;

use std::borrow::Borrow;

use burn::tensor::{Device, Tensor, TensorData};
use half::f16;
use image::{RgbImage, RgbaImage};
pub(crate) use lexiform_geometry::resize::resample_grid;
pub use lexiform_geometry::resize::{composite_on_white, resize_bicubic, resize_bicubic_rgba};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::foreground::foreground_view;

/// Mean and standard deviation of each channel.
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

/// Size of Duoduo CLIP's crop of a 224-pixel view, which is then resized to 224 pixels.
const DUODUO_CROP_SIZE: usize = 208;

/// The crop of each view, which is then resized to the view's size (Duoduo CLIP).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crop {
    /// No crop.
    None,
    /// The central 208 of 224 pixels. The reference crops at random, even in evaluation; the center is the mean position.
    Center,
    /// The reference's random crop for a torch generator with this seed, the same for all views of a call.
    Seed(u32),
    /// The same crop, with pixels in half precision: what the reference's `encode_image` and evaluation compute.
    Reference(u32),
    /// The crop with this top left corner; coordinates are at most 16.
    At {
        /// Rows above it.
        top: usize,
        /// Columns left of it.
        left: usize,
    },
}

impl Crop {
    /// Top left corner of the 208-pixel crop in a 224-pixel view.
    fn corner(self) -> Option<[usize; 2]> {
        match self {
            Self::None => None,
            Self::Center => Some([8, 8]),
            Self::Seed(seed) | Self::Reference(seed) => {
                let [top, left] = mt19937_first_two(seed);
                Some([(top % 17) as usize, (left % 17) as usize])
            }
            Self::At { top, left } => Some([top.min(16), left.min(16)]),
        }
    }

    /// Rounds a value to the precision of pixels.
    fn round(self, value: f32) -> f32 {
        if matches!(self, Self::Reference(_)) { f16::from_f32(value).to_f32() } else { value }
    }

    /// Whether the crop is defined for views of this size.
    pub fn fits(self, size: usize) -> bool {
        self == Self::None || size == 224
    }
}

/// The part of a photo that becomes a view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PhotoCrop {
    /// The center, with the shortest side resized (OpenCLIP's evaluation transform).
    #[default]
    #[serde(alias = "middle")]
    Center,
    /// The object, detected by transparency or a plain background, on white and framed like rendered views; else the center.
    Object,
    /// Nothing is cut off: a photo is one more view, resized regardless of its aspect ratio, with the crop of views. As in
    /// `encode_image` and the MVImgNet photos of [Duoduo CLIP](https://arxiv.org/abs/2406.11579).
    View,
}

/// Preprocessing of views and photos.
///
/// ```
/// use image::RgbaImage;
/// use lexiform_model::preprocess::Preprocess;
///
/// let pixels = Preprocess::clip(224).views(&[RgbaImage::new(300, 200)]);
/// assert_eq!(pixels.len(), 3 * 224 * 224);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Size of the tower's square input, in pixels.
    pub size: usize,
    /// Crop of views.
    pub crop: Crop,
    /// Normalization of values in `0..1`.
    #[serde(default)]
    pub normalization: Normalization,
    /// Crop of photos.
    #[serde(rename = "photos", default)]
    pub photo_crop: PhotoCrop,
}

impl Preprocess {
    /// CLIP's preprocessing of views, without a crop.
    pub fn clip(size: usize) -> Self {
        Self { size, crop: Crop::None, normalization: Normalization::Clip, photo_crop: PhotoCrop::Center }
    }

    /// Views → normalized pixels, `[views, 3, size, size]`. Views of another size are resized as in Pillow (bicubic,
    /// antialiased, ignoring the aspect ratio), and composited on white.
    pub fn views<V: Borrow<RgbaImage> + Sync>(&self, views: &[V]) -> Vec<f32> {
        let each = 3 * self.size * self.size;
        let mut pixels = vec![0.0; views.len() * each];
        let pairs = pixels.par_chunks_mut(each.max(1)).zip(views);
        pairs.for_each(|(planes, view)| self.normalize(self.on_white(view.borrow()).as_raw(), planes));
        pixels
    }

    /// As [`views`](Self::views), as a tensor `[views, 3, size, size]`.
    pub fn tensor<V: Borrow<RgbaImage> + Sync>(&self, views: &[V], device: &Device) -> Tensor<4> {
        let shape = [views.len(), 3, self.size, self.size];
        Tensor::from_data(TensorData::new(self.views(views), shape), device)
    }

    /// A photo → normalized pixels, `[3, size, size]`. The crop of views applies to photos only if they are views.
    pub fn photo(&self, photo: &RgbaImage) -> Vec<f32> {
        let crop = if self.photo_crop == PhotoCrop::View { self.crop } else { Crop::None };
        let mut pixels = vec![0.0; 3 * self.size * self.size];
        Self { crop, ..*self }.normalize(self.photo_view(photo).as_raw(), &mut pixels);
        pixels
    }

    /// The image that [`photo`](Self::photo) normalizes.
    pub fn photo_view(&self, photo: &RgbaImage) -> RgbImage {
        match self.photo_crop {
            PhotoCrop::View => self.on_white(photo),
            PhotoCrop::Object => foreground_view(photo, self.size).unwrap_or_else(|| self.center_crop(photo)),
            PhotoCrop::Center => self.center_crop(photo),
        }
    }

    /// Resizes the shortest side to `size` and crops the center.
    fn center_crop(&self, photo: &RgbaImage) -> RgbImage {
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

    /// A view at the tower's size, composited on white: the first half of [`views`](Self::views).
    pub fn on_white(&self, view: &RgbaImage) -> RgbImage {
        if view.width() as usize == self.size && view.height() as usize == self.size {
            return composite_on_white(view);
        }
        composite_on_white(&resize_bicubic_rgba(view, self.size, self.size))
    }

    /// Scales to `0..1`, crops, resizes and normalizes: `[size, size, 3]` → `[3, size, size]`. The second half of
    /// [`views`](Self::views); until then a view takes a quarter of the memory.
    pub fn normalize(&self, rgb: &[u8], planes: &mut [f32]) {
        let size = self.size;
        let round = |value| self.crop.round(value);
        for (i, pixel) in rgb.as_chunks::<3>().0.iter().enumerate() {
            for channel in 0..3 {
                planes[channel * size * size + i] = round(f32::from(pixel[channel]) / 255.0);
            }
        }
        if let Some(corner) = self.crop.corner().filter(|_| self.crop.fits(size)) {
            for plane in planes.chunks_mut(size * size) {
                plane.copy_from_slice(&resize_crop(plane, size, corner));
            }
        }
        for ([mean, deviation], plane) in
            self.normalization.statistics().iter().zip(planes.chunks_mut(size * size))
        {
            // Every operation is rounded, as torch does; the resize computes in single precision.
            let (mean, deviation) = (round(*mean), round(*deviation));
            plane.iter_mut().for_each(|x| *x = round(round(round(*x) - mean) / deviation));
        }
    }
}

/// Resizes the crop at `corner` to the full plane: bilinear with half-pixel centers, without antialiasing.
fn resize_crop(plane: &[f32], size: usize, [top, left]: [usize; 2]) -> Vec<f32> {
    let step = DUODUO_CROP_SIZE as f32 / size as f32;
    let taps: Vec<(usize, usize, f32)> = (0..size)
        .map(|i| {
            let source = ((i as f32 + 0.5) * step - 0.5).clamp(0.0, (DUODUO_CROP_SIZE - 1) as f32);
            let low = source.floor() as usize;
            (low, (low + 1).min(DUODUO_CROP_SIZE - 1), source - low as f32)
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

/// First two outputs of the 32-bit Mersenne Twister, torch's generator of random crops. Only the part of the state that they
/// depend on is updated.
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
    fn uniform_views_stay_uniform() {
        let gray = RgbaImage::from_pixel(224, 224, image::Rgba([128, 128, 128, 255]));
        let pixels = Preprocess { crop: Crop::Center, ..Preprocess::clip(224) }.views(&[gray]);
        let [mean, deviation] = Normalization::Clip.statistics()[0];
        let expected = (128.0 / 255.0 - mean) / deviation;
        assert!(pixels[..224 * 224].iter().all(|x| (x - expected).abs() < 1e-6));
    }
}
