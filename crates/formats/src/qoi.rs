//! The "Quite OK Image" format (<https://qoiformat.org>, version 1.0): lossless, and several times as fast to decode as PNG, because
//! each pixel is one to five bytes without entropy coding. Runs of equal pixels, such as backgrounds, are processed at once.

use image::RgbaImage;

use crate::rgba::is_opaque;

/// A pixel: red, green, blue, alpha.
type Pixel = [u8; 4];

const MAGIC: &[u8] = b"qoif";
/// Magic, width, height, channels, color space.
const HEADER: usize = 14;
const END: [u8; 8] = [0, 0, 0, 0, 0, 0, 0, 1];
/// The pixel before the first.
const INITIAL_PIXEL: Pixel = [0, 0, 0, 255];
/// Longest run in one byte; the two tags after it are `OP_RGB` and `OP_RGBA`.
const MAX_RUN: usize = 62;

const OP_INDEX: u8 = 0x00;
const OP_DIFF: u8 = 0x40;
const OP_LUMA: u8 = 0x80;
const OP_RUN: u8 = 0xc0;
const OP_RGB: u8 = 0xfe;
const OP_RGBA: u8 = 0xff;

/// By tag, without its first bit: what a difference adds to red, green and blue, as a packed pixel; for [`OP_LUMA`] the part that
/// follows from green.
const DIFF_DELTAS: [u32; 128] = {
    let mut steps = [0; 128];
    let mut tag = 0;
    while tag < steps.len() {
        let byte = tag as u8;
        let green = byte.wrapping_sub(32);
        let step = match byte {
            ..64 => [green.wrapping_sub(8), green, green.wrapping_sub(8), 0],
            _ => [
                (byte >> 4 & 3).wrapping_sub(2),
                (byte >> 2 & 3).wrapping_sub(2),
                (byte & 3).wrapping_sub(2),
                0,
            ],
        };
        steps[tag] = u32::from_le_bytes(step);
        tag += 1;
    }
    steps
};

/// By the byte after [`OP_LUMA`]: what it adds to red and blue beyond the difference of green.
const LUMA_DELTAS: [u32; 256] = {
    let mut steps = [0; 256];
    let mut byte = 0;
    while byte < steps.len() {
        steps[byte] = u32::from_le_bytes([byte as u8 >> 4, 0, byte as u8 & 15, 0]);
        byte += 1;
    }
    steps
};

/// The index of a pixel in the table of those seen before: `3 r + 5 g + 7 b + 11 a`, modulo 64.
#[inline]
fn hash_index(pixel: u32) -> usize {
    // Channels are spread out so that one multiplication computes all four products; their sum is the top byte.
    let pixel = u64::from(pixel);
    let apart = (pixel & 0xff00_ff00) << 32 | pixel & 0x00ff_00ff;
    (apart.wrapping_mul(3 << 56 | 7 << 40 | 5 << 16 | 11) >> 56 & 63) as usize
}

/// Adds four bytes at once, each modulo 256.
#[inline]
fn add_bytes(a: u32, b: u32) -> u32 {
    // Adds the low seven bits, so that no carry crosses bytes, and the top bits by exclusive or.
    const LOW: u32 = 0x7f7f_7f7f;
    ((a & LOW) + (b & LOW)) ^ ((a ^ b) & !LOW)
}

/// Whether a file starts with the magic of this format.
pub(crate) fn is_qoi(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Encodes an image.
pub(crate) fn encode(image: &RgbaImage) -> Vec<u8> {
    let mut rest = image.as_raw().as_chunks::<4>().0;
    let mut out = Vec::with_capacity(HEADER + rest.len() / 2 + END.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&image.width().to_be_bytes());
    out.extend_from_slice(&image.height().to_be_bytes());
    out.extend_from_slice(&[if is_opaque(image) { 3 } else { 4 }, 0]);
    let (mut seen, mut last) = ([[0; 4]; 64], INITIAL_PIXEL);
    while let Some((&pixel, more)) = rest.split_first() {
        // A run may be longer than one byte can say.
        if pixel == last {
            let count = run_length(rest, last);
            rest = &rest[count..];
            let (whole, left) = (count / MAX_RUN, count % MAX_RUN);
            out.extend(std::iter::repeat_n(OP_RUN | (MAX_RUN - 1) as u8, whole));
            out.extend((left > 0).then(|| OP_RUN | (left - 1) as u8));
            continue;
        }
        rest = more;
        let slot = hash_index(u32::from_le_bytes(pixel));
        if seen[slot] == pixel {
            out.push(OP_INDEX | slot as u8);
        } else {
            seen[slot] = pixel;
            push(&mut out, pixel, last);
        }
        last = pixel;
    }
    out.extend_from_slice(&END);
    out
}

/// Number of pixels at the start that equal this one.
fn run_length(pixels: &[Pixel], pixel: Pixel) -> usize {
    const AT_ONCE: usize = 16;
    let (chunks, _) = pixels.as_chunks::<AT_ONCE>();
    let whole = AT_ONCE * chunks.iter().take_while(|chunk| **chunk == [pixel; AT_ONCE]).count();
    whole + pixels[whole..].iter().take_while(|other| **other == pixel).count()
}

/// Encodes a pixel by its difference from the previous one, in the shortest form that can hold it.
fn push(out: &mut Vec<u8>, pixel: Pixel, last: Pixel) {
    let [r, g, b, a] = pixel;
    if a != last[3] {
        return out.extend_from_slice(&[OP_RGBA, r, g, b, a]);
    }
    let [dr, dg, db] = [0, 1, 2].map(|i| pixel[i].wrapping_sub(last[i]));
    // The forms from shortest to longest; red and blue of OP_LUMA are relative to green.
    let small = [dr, dg, db].map(|d| d.wrapping_add(2));
    if small.iter().all(|d| *d < 4) {
        return out.push(OP_DIFF | small[0] << 4 | small[1] << 2 | small[2]);
    }
    let green = dg.wrapping_add(32);
    let [red, blue] = [dr, db].map(|d| d.wrapping_sub(dg).wrapping_add(8));
    if green < 64 && red < 16 && blue < 16 {
        return out.extend_from_slice(&[OP_LUMA | green, red << 4 | blue]);
    }
    out.extend_from_slice(&[OP_RGB, r, g, b]);
}

/// Width, height and the encoded pixels of a file whose edges are at most `largest` pixels.
fn header(bytes: &[u8], largest: u32) -> Result<([u32; 2], &[u8]), String> {
    let (header, data) = bytes.split_at_checked(HEADER).ok_or_else(truncated)?;
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let (width, height) = (number(4), number(8));
    let fits = |edge: u32| (1..=largest).contains(&edge);
    if !is_qoi(header) || !fits(width) || !fits(height) {
        return Err(format!("expected a QOI image of at most {largest} × {largest} pixels"));
    }
    Ok(([width, height], data))
}

fn truncated() -> String {
    "the file is truncated".to_owned()
}

/// Decodes a file whose edges are at most `largest` pixels into `image`, whose memory is reused.
pub(crate) fn decode_into(bytes: &[u8], largest: u32, image: &mut RgbaImage) -> Result<(), String> {
    let ([width, height], data) = header(bytes, largest)?;
    let mut raw = std::mem::take(image).into_raw();
    raw.resize(Pixel::default().len() * width as usize * height as usize, 0);
    fill(raw.as_chunks_mut().0, data, |pixel| pixel).ok_or_else(truncated)?;
    *image = RgbaImage::from_raw(width, height, raw).ok_or_else(truncated)?;
    Ok(())
}

/// Decodes a file into the place that `place` returns for its width and height, each pixel converted to three bytes.
pub(crate) fn decode_rgb<'a>(
    bytes: &[u8],
    largest: u32,
    convert: impl Fn(Pixel) -> [u8; 3],
    place: impl FnOnce([u32; 2]) -> Result<&'a mut [[u8; 3]], String>,
) -> Result<(), String> {
    let (size, data) = header(bytes, largest)?;
    fill(place(size)?, data, convert).ok_or_else(truncated)
}

/// A decoded pixel.
trait Decoded: Copy {
    fn fill(run: &mut [Self], value: Self);
}

impl Decoded for Pixel {
    fn fill(run: &mut [Self], value: Self) {
        run.fill(value);
    }
}

impl Decoded for [u8; 3] {
    fn fill(run: &mut [Self], value: Self) {
        // Three bytes at a time are slow; long runs are backgrounds, of one byte.
        match value {
            [r, g, b] if r == g && g == b => run.as_flattened_mut().fill(r),
            _ => run.fill(value),
        }
    }
}

/// Decodes all pixels; `None` if the data ends before. Between runs the only branch is on the kind of operation.
fn fill<P: Decoded>(pixels: &mut [P], mut data: &[u8], convert: impl Fn(Pixel) -> P) -> Option<()> {
    let (mut seen, mut last) = ([0; 64], u32::from_le_bytes(INITIAL_PIXEL));
    let mut at = 0;
    while at < pixels.len() {
        // The end marker is as long as a window, so the last pixel has one too.
        let window = u64::from_le_bytes(*data.first_chunk()?);
        let tag = window as u8;
        if (OP_RUN..OP_RGB).contains(&tag) {
            let runs = data.iter().take_while(|tag| (OP_RUN..OP_RGB).contains(tag));
            let (bytes, count) = runs.fold((0, 0), |(n, sum), tag| (n + 1, sum + usize::from(tag & 63) + 1));
            let end = pixels.len().min(at + count);
            P::fill(&mut pixels[at..end], convert(last.to_le_bytes()));
            (at, data) = (end, &data[bytes..]);
            continue;
        }
        let bytes = match tag {
            ..OP_DIFF => {
                last = seen[usize::from(tag & 63)];
                1
            }
            OP_DIFF..OP_RUN => {
                let is_luma = tag >> 7;
                let others =
                    LUMA_DELTAS[usize::from((window >> 8) as u8)] & u32::from(is_luma).wrapping_neg();
                last = add_bytes(add_bytes(last, DIFF_DELTAS[usize::from(tag & 127)]), others);
                1 + usize::from(is_luma)
            }
            OP_RUN..OP_RGBA => {
                last = (window >> 8) as u32 & 0x00ff_ffff | last & 0xff00_0000;
                4
            }
            OP_RGBA => {
                last = (window >> 8) as u32;
                5
            }
        };
        // Pixels from the table are written there again, which saves a branch.
        seen[hash_index(last)] = last;
        pixels[at] = convert(last.to_le_bytes());
        at += 1;
        data = &data[bytes..];
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    fn decode(bytes: &[u8], largest: u32) -> Result<RgbaImage, String> {
        let mut image = RgbaImage::default();
        decode_into(bytes, largest, &mut image).map(|()| image)
    }

    #[test]
    fn each_form_of_a_pixel_is_the_formats() {
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
        let expected = [
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
        assert_eq!(bytes[14..], [&expected[..], &END].concat());
        assert_eq!(decode(&bytes, 100).unwrap(), image);
    }

    #[test]
    fn tables_are_the_formats() {
        for pixel in [[0, 0, 0, 0], [255; 4], [1, 2, 3, 4], [250, 17, 99, 255], [7, 255, 0, 128]] {
            let [r, g, b, a] = pixel.map(usize::from);
            assert_eq!(hash_index(u32::from_le_bytes(pixel)), (3 * r + 5 * g + 7 * b + 11 * a) % 64);
            for other in [[0, 0, 0, 0], [255, 1, 128, 0], [2, 254, 127, 129]] {
                let sum: Pixel = std::array::from_fn(|i| pixel[i].wrapping_add(other[i]));
                assert_eq!(
                    add_bytes(u32::from_le_bytes(pixel), u32::from_le_bytes(other)),
                    u32::from_le_bytes(sum)
                );
            }
        }
    }

    #[test]
    fn what_an_image_held_before_does_not_matter() {
        let small = RgbaImage::from_fn(7, 3, |x, y| Rgba([x as u8, y as u8, 1, 255]));
        let large = RgbaImage::from_fn(64, 9, |x, y| Rgba([x as u8 * 3, y as u8, 9, 255]));
        let mut image = RgbaImage::default();
        for expected in [&small, &large, &small, &large] {
            decode_into(&encode(expected), 100, &mut image).unwrap();
            assert_eq!(image, *expected);
        }
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
