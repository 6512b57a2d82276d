//! Converts images and samplers to [`Texture`]s: bounded decoding, and a note if it fails.

use std::collections::HashMap;

use glam::{Affine2, Vec2, Vec3};
use image::RgbaImage;

use super::document::{Document, get};
use super::error::{Notes, catch_decoder_panic};
use super::ktx2;
use super::uri;
use crate::{image_file, limits};
use lexiform_geometry::{Texture, Wrap, linear_from_srgb};

/// Largest encoded image in a file of its own.
const IMAGE_FILE_BYTES: u64 = 256 << 20;
/// Bytes read and decoded for all textures together, failures included: a few bytes of JSON can name the same costly image
/// many times.
const DECODE_BUDGET_BYTES: u64 = 4 * limits::ALL_TEXTURE_BYTES;
/// Assumed cost of failed decoding, in multiples of the encoded size.
const FAILURE_FACTOR: u64 = 16;
/// Most attempts to load an image.
const MAX_ATTEMPTS: u32 = 4096;
/// Most pixels sampled for a mean.
const MEAN_SAMPLES: usize = 1 << 16;

/// The images a texture may be read from, best first.
type Images = Vec<usize>;

/// The textures read so far.
pub(super) struct Textures<'d> {
    document: &'d Document<'d>,
    pub textures: Vec<Texture>,
    /// Images and wrapping → index in `textures`; `None` if they cannot be loaded.
    known: HashMap<(Images, [u8; 2]), Option<usize>>,
    means: HashMap<Images, Option<[f32; 3]>>,
    bytes_left: u64,
    decode_budget_left: u64,
    attempts_left: u32,
}

impl<'d> Textures<'d> {
    pub fn new(document: &'d Document<'d>) -> Self {
        Self {
            document,
            textures: Vec::new(),
            known: HashMap::new(),
            means: HashMap::new(),
            bytes_left: limits::ALL_TEXTURE_BYTES,
            decode_budget_left: DECODE_BUDGET_BYTES,
            attempts_left: MAX_ATTEMPTS,
        }
    }

    /// The index of a glTF texture, read at first use; `None`, with a note, if it cannot be loaded.
    pub fn load(&mut self, index: usize, notes: &mut Notes) -> Option<usize> {
        let wrap = self.wrap(index);
        let key = (self.images(index), wrap.map(|wrap| wrap as u8));
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let place = match self.decode(&key.0) {
            Ok(image) => {
                self.bytes_left = self.bytes_left.saturating_sub(image.as_raw().len() as u64);
                self.textures.push(Texture { image, wrap });
                Some(self.textures.len() - 1)
            }
            Err(reason) => {
                notes.add(format!("texture {index} is left out: {reason}"));
                None
            }
        };
        self.known.insert(key, place);
        place
    }

    /// Mean red, green and blue of a glTF texture, in `0..=1` and as stored. `None` if it cannot be loaded.
    pub fn mean(&mut self, index: usize) -> Option<[f32; 3]> {
        let images = self.images(index);
        if let Some(&known) = self.means.get(&images) {
            return known;
        }
        let mean = self.decode(&images).ok().map(|image| mean(&image));
        self.means.insert(images, mean);
        mean
    }

    /// The images of extensions, then the fallback.
    fn images(&self, index: usize) -> Images {
        let Some(json) = self.document.root.textures.get(index) else { return Images::new() };
        let extensions = json.extensions.as_deref();
        let offered = extensions.map(|e| [&e.basisu, &e.webp, &e.avif, &e.dds]);
        let offered = offered.into_iter().flatten().filter_map(|source| source.as_ref()?.source);
        offered.chain(json.source).map(|image| image.0).collect()
    }

    /// The first of the images that can be decoded.
    fn decode(&mut self, images: &[usize]) -> Result<RgbaImage, String> {
        let mut reason = "it names no image".to_owned();
        for &image in images {
            self.attempts_left = self.attempts_left.checked_sub(1).ok_or("there are too many textures")?;
            match self.decode_image(image) {
                Ok(image) => return Ok(image),
                Err(why) => reason = format!("image {image}: {why}"),
            }
        }
        Err(reason)
    }

    fn decode_image(&mut self, index: usize) -> Result<RgbaImage, String> {
        // Checked before decoding, which is the expensive part.
        if self.decode_budget_left == 0 {
            return Err("the textures together are too large".to_owned());
        }
        let bytes = self.image_bytes(index)?;
        let image = decode(&bytes, self.bytes_left);
        let encoded = bytes.len() as u64;
        let cost =
            image.as_ref().map_or(encoded * FAILURE_FACTOR, |image| encoded + image.as_raw().len() as u64);
        self.decode_budget_left = self.decode_budget_left.saturating_sub(cost);
        image
    }

    fn image_bytes(&self, index: usize) -> Result<std::borrow::Cow<'d, [u8]>, String> {
        let json = get(&self.document.root.images, index, "image").map_err(|f| f.to_string())?;
        match (&json.uri, json.buffer_view) {
            (_, Some(view)) => {
                self.document.view(view.0).map(|view| view.bytes.into()).map_err(|error| error.to_string())
            }
            (Some(uri), None) => uri::fetch_image(uri, self.document.path, IMAGE_FILE_BYTES).map(Into::into),
            (None, None) => Err("it has neither a URI nor a buffer view".to_owned()),
        }
    }

    fn wrap(&self, index: usize) -> [Wrap; 2] {
        let root = &self.document.root;
        let sampler = root.textures.get(index).and_then(|t| t.sampler).and_then(|s| root.samplers.get(s.0));
        let Some(sampler) = sampler else { return [Wrap::Repeat; 2] };
        [sampler.wrap_s, sampler.wrap_t].map(|code| match code.map(|c| c.0) {
            Some(33_071) => Wrap::Clamp,
            Some(33_648) => Wrap::Mirror,
            _ => Wrap::Repeat,
        })
    }
}

/// Decodes an image of any known kind into at most `bytes_left` bytes.
fn decode(bytes: &[u8], bytes_left: u64) -> Result<RgbaImage, String> {
    if ktx2::is_ktx2(bytes) {
        return ktx2::decode(bytes, bytes_left);
    }
    if bytes.starts_with(b"DDS ") {
        return Err("DDS is not supported".to_owned());
    }
    if bytes.get(4..12).is_some_and(|brand| brand == b"ftypavif") {
        return Err("AVIF is not supported".to_owned());
    }
    let image = catch_decoder_panic("image", || image_file::decode(bytes, ""))?;
    image_file::check_size(image.width(), image.height(), bytes_left)?;
    Ok(image)
}

/// Mean red, green and blue in `0..=1` of evenly spread pixels.
fn mean(image: &RgbaImage) -> [f32; 3] {
    let step = (image.as_raw().len() / 4 / MEAN_SAMPLES).max(1);
    let mut sums = [0_u64; 3];
    let mut count = 0_u64;
    for pixel in image.pixels().step_by(step) {
        sums.iter_mut().zip(pixel.0).for_each(|(sum, value)| *sum += u64::from(value));
        count += 1;
    }
    sums.map(|sum| (sum as f64 / (255.0 * count.max(1) as f64)) as f32)
}

/// The linear color of the pixel nearest to a texture coordinate.
pub(super) fn nearest(texture: &Texture, image_from_uv: Affine2, uv: Vec2) -> Vec3 {
    let at = image_from_uv.transform_point2(uv);
    let (width, height) = texture.image.dimensions();
    let x = wrap_index(at.x, texture.wrap[0], width);
    let y = wrap_index(at.y, texture.wrap[1], height);
    let [red, green, blue, _] = texture.image.get_pixel(x, y).0;
    Vec3::from([red, green, blue].map(linear_from_srgb))
}

/// Converts a wrapped coordinate to a pixel index below `size`.
fn wrap_index(at: f32, wrap: Wrap, size: u32) -> u32 {
    let at = if at.is_finite() { at } else { 0.0 };
    let inside = match wrap {
        Wrap::Repeat => at.rem_euclid(1.0),
        Wrap::Mirror => 1.0 - (at.rem_euclid(2.0) - 1.0).abs(),
        Wrap::Clamp => at,
    };
    ((inside * size as f32).max(0.0) as u32).min(size.saturating_sub(1))
}
