//! The "quite OK image" format (qoiformat.org, version 1.0): without loss, and read several times as fast as PNG, since a pixel is
//! told by one to five bytes that need no tables. Runs of one pixel, which a background is, are compared and filled at once.

use image::RgbaImage;

use crate::picture::is_opaque;

/// A pixel: red, green, blue, alpha.
type Pixel = [u8; 4];

const MAGIC: &[u8] = b"qoif";
/// Magic, width, height, channels, color space.
const HEADER: usize = 14;
const END: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
/// The pixel before the first.
const BLACK: Pixel = [0, 0, 0, 255];
/// Longest run in a byte; what would be two longer means a pixel in full.
const LONGEST_RUN: usize = 62;

const INDEX: u8 = 0x00;
const DIFFERENCE: u8 = 0x40;
const LUMA: u8 = 0x80;
const RUN: u8 = 0xc0;
const RGB: u8 = 0xfe;
const RGBA: u8 = 0xff;

/// Pixels seen before, each at a place that its color tells.
struct Seen([Pixel; 64]);

impl Seen {
    fn new() -> Self {
        Self([[0; 4]; 64])
    }

    fn place(pixel: Pixel) -> usize {
        let [r, g, b, a] = pixel.map(usize::from);
        (r * 3 + g * 5 + b * 7 + a * 11) % 64
    }

    fn keep(&mut self, pixel: Pixel) {
        self.0[Self::place(pixel)] = pixel;
    }
}

/// Whether a file starts as one of this format.
pub(crate) fn is_qoi(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// An image as a file.
pub(crate) fn encode(image: &RgbaImage) -> Vec<u8> {
    let mut rest = image.as_raw().as_chunks::<4>().0;
    let mut out = Vec::with_capacity(HEADER + rest.len() / 2 + END.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&image.width().to_be_bytes());
    out.extend_from_slice(&image.height().to_be_bytes());
    out.extend_from_slice(&[if is_opaque(image) { 3 } else { 4 }, 0]);
    let (mut seen, mut last) = (Seen::new(), BLACK);
    while let Some((&pixel, more)) = rest.split_first() {
        if pixel == last {
            let count = alike(rest, last);
            rest = &rest[count..];
            let (whole, left) = (count / LONGEST_RUN, count % LONGEST_RUN);
            out.extend(std::iter::repeat_n(RUN | (LONGEST_RUN - 1) as u8, whole));
            out.extend((left > 0).then(|| RUN | (left - 1) as u8));
            continue;
        }
        rest = more;
        let place = Seen::place(pixel);
        if seen.0[place] == pixel {
            out.push(INDEX | place as u8);
        } else {
            seen.0[place] = pixel;
            push(&mut out, pixel, last);
        }
        last = pixel;
    }
    out.extend_from_slice(&END);
    out
}

/// How many pixels at the beginning are this one.
fn alike(pixels: &[Pixel], pixel: Pixel) -> usize {
    const AT_ONCE: usize = 16;
    let (chunks, _) = pixels.as_chunks::<AT_ONCE>();
    let whole = AT_ONCE * chunks.iter().take_while(|chunk| **chunk == [pixel; AT_ONCE]).count();
    whole + pixels[whole..].iter().take_while(|other| **other == pixel).count()
}

/// A pixel by its difference from the one before, as shortly as that can be told.
fn push(out: &mut Vec<u8>, pixel: Pixel, last: Pixel) {
    let [r, g, b, a] = pixel;
    if a != last[3] {
        return out.extend_from_slice(&[RGBA, r, g, b, a]);
    }
    let [dr, dg, db] = [0, 1, 2].map(|i| pixel[i].wrapping_sub(last[i]));
    let small = [dr, dg, db].map(|d| d.wrapping_add(2));
    if small.iter().all(|d| *d < 4) {
        return out.push(DIFFERENCE | small[0] << 4 | small[1] << 2 | small[2]);
    }
    let green = dg.wrapping_add(32);
    let [red, blue] = [dr, db].map(|d| d.wrapping_sub(dg).wrapping_add(8));
    if green < 64 && red < 16 && blue < 16 {
        return out.extend_from_slice(&[LUMA | green, red << 4 | blue]);
    }
    out.extend_from_slice(&[RGB, r, g, b]);
}

/// The image in a file whose edges are at most `largest` pixels long.
pub(crate) fn decode(bytes: &[u8], largest: u32) -> Result<RgbaImage, String> {
    let short = || "the file ends too early".to_owned();
    let (header, data) = bytes.split_at_checked(HEADER).ok_or_else(short)?;
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (width, height) = (number(4), number(8));
    let fits = |edge: u32| (1..=largest).contains(&edge);
    if !is_qoi(header) || !fits(width) || !fits(height) {
        return Err(format!("expected a QOI image of at most {largest} × {largest} pixels"));
    }
    let mut pixels = vec![[0; 4]; width as usize * height as usize];
    fill(&mut pixels, data).ok_or_else(short)?;
    RgbaImage::from_raw(width, height, pixels.into_flattened()).ok_or_else(short)
}

/// Writes all pixels; `None` if the data ends before.
fn fill(pixels: &mut [Pixel], mut data: &[u8]) -> Option<()> {
    let (mut seen, mut last) = (Seen::new(), BLACK);
    let mut at = 0;
    while at < pixels.len() {
        let (&tag, more) = data.split_first()?;
        data = more;
        match tag {
            RGB => {
                let (&[r, g, b], more) = data.split_first_chunk()?;
                (last, data) = ([r, g, b, last[3]], more);
                seen.keep(last);
            }
            RGBA => {
                let (&pixel, more) = data.split_first_chunk()?;
                (last, data) = (pixel, more);
                seen.keep(last);
            }
            ..DIFFERENCE => last = seen.0[usize::from(tag)],
            DIFFERENCE..LUMA => {
                let step = |x: u8, shift: u8| x.wrapping_add(tag >> shift & 3).wrapping_sub(2);
                last = [step(last[0], 4), step(last[1], 2), step(last[2], 0), last[3]];
                seen.keep(last);
            }
            LUMA..RUN => {
                let (&others, more) = data.split_first()?;
                data = more;
                let green = (tag & 63).wrapping_sub(32);
                let step = |x: u8, d: u8| x.wrapping_add(green).wrapping_sub(8).wrapping_add(d);
                last = [
                    step(last[0], others >> 4),
                    last[1].wrapping_add(green),
                    step(last[2], others & 15),
                    last[3],
                ];
                seen.keep(last);
            }
            RUN.. => {
                let end = pixels.len().min(at + usize::from(tag & 63) + 1);
                pixels[at..end].fill(last);
                at = end;
                continue;
            }
        }
        pixels[at] = last;
        at += 1;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    #[test]
    fn each_way_of_telling_a_pixel_is_the_formats() {
        let pixels = [
            [0, 0, 0, 255],
            [1, 255, 0, 255],
            [9, 10, 3, 255],
            [200, 9, 3, 255],
            [1, 255, 0, 255],
            [5, 6, 7, 8],
        ];
        let image = RgbaImage::from_raw(6, 1, pixels.as_flattened().to_vec()).unwrap();
        let bytes = encode(&image);
        let told = [
            0xc0, // A run of one.
            0x40 | 3 << 4 | 1 << 2 | 2,
            0x80 | 43, // Green goes up by 11, red by 3 less, blue by 8 less.
            5 << 4,
            0xfe,
            200,
            9,
            3,
            (3 + 255 * 5 + 255 * 11) as u8 % 64,
            0xff,
            5,
            6,
            7,
            8,
        ];
        assert_eq!(bytes[..14], *b"qoif\0\0\0\x06\0\0\0\x01\x04\0");
        assert_eq!(bytes[14..], [&told[..], &END].concat());
        assert_eq!(decode(&bytes, 100).unwrap(), image);
    }

    #[test]
    fn long_runs_and_pictures_come_back() {
        for (width, height) in [(1, 1), (61, 1), (62, 1), (63, 2), (300, 200)] {
            let flat = RgbaImage::from_pixel(width, height, Rgba([255; 4]));
            let busy = RgbaImage::from_fn(width, height, |x, y| {
                Rgba([(x * y) as u8, (x / 3) as u8, y as u8, (x + y) as u8])
            });
            for image in [flat, busy] {
                assert_eq!(decode(&encode(&image), 300).unwrap(), image);
            }
        }
    }

    #[test]
    fn damaged_files_are_errors_or_pictures() {
        let image = RgbaImage::from_fn(40, 30, |x, y| Rgba([x as u8 * 6, y as u8 * 8, 90, (x * 6) as u8]));
        let whole = encode(&image);
        for end in 0..whole.len() - END.len() {
            assert!(decode(&whole[..end], 100).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xa5;
            let _ = decode(&bytes, 100);
        }
        assert!(decode(&whole, 39).unwrap_err().contains("39 × 39"));
    }
}
