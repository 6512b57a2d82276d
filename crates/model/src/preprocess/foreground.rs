//! Separating the object of a photo from its background, by transparency or a border of one color.
//!
//! In a photo with neither, no object is detected.

use std::collections::VecDeque;

use glam::Vec3;
use image::imageops::crop_imm;
use image::{Rgb, RgbImage, RgbaImage};
use lexiform_geometry::linear_from_srgb;
use lexiform_geometry::resize::{composite_on_white, resize_bicubic, resize_bicubic_rgba};

/// Fraction of a view's edge that an object spans: the median of rendered views, which range from 0.6 to 0.9.
const OBJECT_SPAN: f32 = 0.8;
/// Longest edge of a photo that is analyzed, as a multiple of a view's edge.
const MAX_EDGE_FACTOR: usize = 4;
/// Smallest alpha of an opaque pixel.
const MIN_OPAQUE_ALPHA: u8 = 128;
/// Smallest fraction of transparent pixels for which transparency is taken as the background.
const MIN_TRANSPARENT_SHARE: f32 = 0.02;
/// Largest distance in Oklab of background colors: allows for some shading and noise.
const COLOR_TOLERANCE: f32 = 0.07;
/// Fraction of the border that must be background; the object may touch the rest.
const MIN_BORDER_SHARE: f32 = 0.8;
/// Smallest determinant: the gradient across an image one pixel wide is undefined.
const MIN_DETERMINANT: f32 = 1e-9;
/// Range of the fraction of the photo that an object may cover.
const COVERAGE_RANGE: [f32; 2] = [0.01, 0.95];
/// Components smaller than this fraction of the largest are removed as noise.
const MIN_COMPONENT_SHARE: f32 = 0.03;

/// The photo's object on white, framed like rendered views, `size` pixels square; `None` if none is detected.
pub(super) fn foreground_view(photo: &RgbaImage, size: usize) -> Option<RgbImage> {
    let photo = downscaled(photo, MAX_EDGE_FACTOR * size);
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let mut mask =
        Mask { width, height, inside: foreground_by_alpha(&photo).or_else(|| foreground_by_color(&photo))? };
    mask.remove_small_components();
    let covered = mask.inside.iter().filter(|inside| **inside).count() as f32 / (width * height) as f32;
    let [x, y, w, h] =
        mask.bounds().filter(|_| (COVERAGE_RANGE[0]..=COVERAGE_RANGE[1]).contains(&covered))?;
    let mut on_white = composite_on_white(&photo);
    on_white.pixels_mut().zip(&mask.inside).filter(|(_, inside)| !**inside).for_each(|(p, _)| *p = WHITE);
    let edge = (w.max(h) as f32 / OBJECT_SPAN).round() as u32;
    let mut square = RgbImage::from_pixel(edge, edge, WHITE);
    let object = crop_imm(&on_white, x, y, w, h).to_image();
    image::imageops::replace(&mut square, &object, i64::from((edge - w) / 2), i64::from((edge - h) / 2));
    Some(resize_bicubic(&square, size, size))
}

const WHITE: Rgb<u8> = Rgb([255; 3]);

fn downscaled(photo: &RgbaImage, longest: usize) -> RgbaImage {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let edge = width.max(height);
    if edge <= longest {
        return photo.clone();
    }
    let scaled = |side: usize| (side * longest / edge).max(1);
    resize_bicubic_rgba(photo, scaled(width), scaled(height))
}

/// The mask of opaque pixels, if enough are transparent.
fn foreground_by_alpha(photo: &RgbaImage) -> Option<Vec<bool>> {
    let inside: Vec<bool> = photo.pixels().map(|pixel| pixel.0[3] >= MIN_OPAQUE_ALPHA).collect();
    let outside = inside.iter().filter(|inside| !**inside).count();
    (outside as f32 >= MIN_TRANSPARENT_SHARE * inside.len() as f32).then_some(inside)
}

/// The mask of pixels that a flood fill of the background from the border does not reach, if most of the border has one
/// color, up to a linear gradient.
fn foreground_by_color(photo: &RgbaImage) -> Option<Vec<bool>> {
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let colors: Vec<Vec3> = composite_on_white(photo).pixels().map(|pixel| oklab(*pixel)).collect();
    let is_border = |i: &usize| {
        let (x, y) = (i % width, i / width);
        x == 0 || y == 0 || x + 1 == width || y + 1 == height
    };
    let border: Vec<usize> = (0..colors.len()).filter(is_border).collect();
    let shade = BackgroundFit::of(&border, &colors, [width, height])?;
    let like = |i: usize| shade.distance(i, colors[i]) <= COLOR_TOLERANCE;
    let starts: Vec<usize> = border.iter().copied().filter(|i| like(*i)).collect();
    if (starts.len() as f32) < MIN_BORDER_SHARE * border.len() as f32 {
        return None;
    }
    let mut inside = vec![true; colors.len()];
    let mut queue = VecDeque::new();
    let mut reach = |i: usize, queue: &mut VecDeque<usize>| {
        if inside[i] && like(i) {
            inside[i] = false;
            queue.push_back(i);
        }
    };
    starts.into_iter().for_each(|i| reach(i, &mut queue));
    while let Some(i) = queue.pop_front() {
        neighbors(i, [width, height]).for_each(|next| reach(next, &mut queue));
    }
    Some(inside)
}

/// The color of a background with a linear gradient.
struct BackgroundFit {
    /// Color at the center, and its changes to the right and downwards across the photo.
    middle: Vec3,
    right: Vec3,
    down: Vec3,
    sizes: [usize; 2],
}

impl BackgroundFit {
    /// Fits the gradient to the border twice: the second time without the worst pixels of the first fit, which may be the
    /// object's.
    fn of(border: &[usize], colors: &[Vec3], sizes: [usize; 2]) -> Option<Self> {
        let first = Self::fit(border, colors, sizes)?;
        let mut sorted = border.to_vec();
        let distance = |i: &usize| first.distance(*i, colors[*i]);
        sorted.sort_by(|a, b| distance(a).total_cmp(&distance(b)).then(a.cmp(b)));
        sorted.truncate((border.len() as f32 * MIN_BORDER_SHARE).ceil() as usize);
        Self::fit(&sorted, colors, sizes)
    }

    /// Least squares, by the normal equations.
    fn fit(places: &[usize], colors: &[Vec3], sizes: [usize; 2]) -> Option<Self> {
        let (mut matrix, mut sums) = (glam::Mat3::ZERO, [Vec3::ZERO; 3]);
        for &i in places {
            let at = pixel_coordinates(i, sizes);
            matrix += glam::Mat3::from_cols(at * at.x, at * at.y, at * at.z);
            (0..3).for_each(|k| sums[k] += colors[i] * at[k]);
        }
        // Columns of the inverse, each weighted by its sum of colors.
        if matrix.determinant().abs() < MIN_DETERMINANT {
            return None;
        }
        let inverse = matrix.inverse();
        let row = |k: usize| (0..3).map(|j| sums[j] * inverse.col(j)[k]).sum::<Vec3>();
        Some(Self { middle: row(0), right: row(1), down: row(2), sizes })
    }

    fn distance(&self, i: usize, color: Vec3) -> f32 {
        let at = pixel_coordinates(i, self.sizes);
        (self.middle * at.x + self.right * at.y + self.down * at.z).distance(color)
    }
}

/// `(1, x, y)` of a pixel, with coordinates from −½ to ½.
fn pixel_coordinates(i: usize, [width, height]: [usize; 2]) -> Vec3 {
    let across = |at: usize, edge: usize| (at as f32 + 0.5) / edge as f32 - 0.5;
    Vec3::new(1.0, across(i % width, width), across(i / width, height))
}

fn neighbors(i: usize, [width, height]: [usize; 2]) -> impl Iterator<Item = usize> {
    let (x, y) = (i % width, i / width);
    let near = [
        (x > 0).then(|| i - 1),
        (x + 1 < width).then(|| i + 1),
        (y > 0).then(|| i - width),
        (y + 1 < height).then(|| i + width),
    ];
    near.into_iter().flatten()
}

/// The mask of the object.
struct Mask {
    width: usize,
    height: usize,
    inside: Vec<bool>,
}

impl Mask {
    /// Removes connected components that are much smaller than the largest.
    fn remove_small_components(&mut self) {
        let mut part = vec![usize::MAX; self.inside.len()];
        let mut sizes = Vec::new();
        for first in 0..self.inside.len() {
            if !self.inside[first] || part[first] != usize::MAX {
                continue;
            }
            let (own, mut count, mut stack) = (sizes.len(), 0, vec![first]);
            part[first] = own;
            while let Some(i) = stack.pop() {
                count += 1;
                for next in neighbors(i, [self.width, self.height]) {
                    if self.inside[next] && part[next] == usize::MAX {
                        part[next] = own;
                        stack.push(next);
                    }
                }
            }
            sizes.push(count);
        }
        let least = sizes.iter().max().map_or(0.0, |largest| *largest as f32 * MIN_COMPONENT_SHARE);
        for (inside, part) in self.inside.iter_mut().zip(part) {
            *inside = *inside && sizes[part] as f32 >= least;
        }
    }

    /// Left, top, width and height; `None` if the mask is empty.
    fn bounds(&self) -> Option<[u32; 4]> {
        let places = || (0..self.inside.len()).filter(|i| self.inside[*i]);
        let xs = || places().map(|i| i % self.width);
        let (left, right) = (xs().min()?, xs().max()?);
        let (top, bottom) = (places().next()? / self.width, places().next_back()? / self.width);
        Some([left, top, right - left + 1, bottom - top + 1].map(|edge| edge as u32))
    }
}

/// A color in Oklab, where distances are perceptual ([Ottosson, 2020](https://bottosson.github.io/posts/oklab/)).
fn oklab(Rgb(color): Rgb<u8>) -> Vec3 {
    let rgb = Vec3::from_array(color.map(linear_from_srgb));
    let cones = Vec3::new(
        rgb.dot(Vec3::new(0.412_221_46, 0.536_332_55, 0.051_445_995)),
        rgb.dot(Vec3::new(0.211_903_5, 0.680_699_5, 0.107_396_96)),
        rgb.dot(Vec3::new(0.088_302_46, 0.281_718_85, 0.629_978_7)),
    );
    let cones = cones.map(f32::cbrt);
    Vec3::new(
        cones.dot(Vec3::new(0.210_454_26, 0.793_617_8, -0.004_072_047)),
        cones.dot(Vec3::new(1.977_998_5, -2.428_592_2, 0.450_593_7)),
        cones.dot(Vec3::new(0.025_904_037, 0.782_771_77, -0.808_675_77)),
    )
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    /// A red box, 60 by 20 pixels, up on the left of a picture whose background is drawn by `background`.
    fn picture(background: impl Fn(u32, u32) -> [u8; 4]) -> RgbaImage {
        RgbaImage::from_fn(200, 120, |x, y| {
            let inside = (20..80).contains(&x) && (10..30).contains(&y);
            Rgba(if inside { [200, 20, 20, 255] } else { background(x, y) })
        })
    }

    /// The box is in the middle, spans the view as it should, and white is around it.
    fn check(photo: &RgbaImage) {
        let view = foreground_view(photo, 50).expect("an object");
        let red = |p: &Rgb<u8>| p.0[0] > 150 && p.0[1] < 90;
        let xs: Vec<u32> = view.enumerate_pixels().filter(|(.., p)| red(p)).map(|(x, ..)| x).collect();
        let ys: Vec<u32> = view.enumerate_pixels().filter(|(.., p)| red(p)).map(|(_, y, _)| y).collect();
        let span = |v: &[u32]| v.iter().max().unwrap() - v.iter().min().unwrap() + 1;
        assert!(
            (39..=41).contains(&span(&xs)) && (12..=14).contains(&span(&ys)),
            "{} {}",
            span(&xs),
            span(&ys)
        );
        // Within half a pixel.
        assert!((48..=50).contains(&(xs.iter().min().unwrap() + xs.iter().max().unwrap())));
        assert!(view.get_pixel(25, 2).0.iter().all(|c| *c > 250));
    }

    #[test]
    fn objects_are_segmented_from_plain_backgrounds() {
        check(&picture(|_, _| [255; 4]));
        check(&picture(|_, _| [40, 90, 160, 255]));
        check(&picture(|_, _| [0; 4]));
        // Shade and noise, and a speck of dirt.
        let noise = |x: u32, y: u32| ((x * 7919 + y * 104_729) % 9) as u8;
        check(&picture(|x, y| {
            let gray = 120 + (x / 4 + y / 4) as u8 + noise(x, y);
            [gray, gray, gray, 255]
        }));
        check(&picture(|x, y| if (x, y) == (150, 100) { [0, 0, 0, 255] } else { [230, 230, 225, 255] }));
    }

    #[test]
    fn undecidable_backgrounds_leave_the_photo_unchanged() {
        let busy = |x: u32, y: u32| {
            let v = ((x / 9 * 31 + y / 7 * 57) % 5 * 60) as u8;
            [v, 255 - v, v / 2, 255]
        };
        assert!(foreground_view(&picture(busy), 50).is_none());
        let plain = RgbaImage::from_pixel(64, 64, Rgba([9, 200, 9, 255]));
        assert!(foreground_view(&plain, 50).is_none(), "no object");
        assert!(
            foreground_view(&RgbaImage::from_pixel(64, 64, Rgba([0; 4])), 50).is_none(),
            "nothing at all"
        );
        for (width, height) in [(1, 1), (1, 300), (2, 2)] {
            foreground_view(&RgbaImage::from_pixel(width, height, Rgba([9, 9, 9, 255])), 50);
        }
    }
}
