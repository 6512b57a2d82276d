//! Contact sheets: a grid of images with captions.

mod accents;
mod font;

use image::{Rgba, RgbaImage, imageops};

/// Pixels between cells and around the sheet.
const GAP: u32 = 8;
/// Pixels between an image and its caption, and between lines.
const LEADING: u32 = 1;
const BACKGROUND: Rgba<u8> = Rgba([255, 255, 255, 255]);
const TEXT_COLOR: Rgba<u8> = Rgba([40, 40, 40, 255]);
/// Longest edge of a sheet in pixels; cells beyond are left out.
const MAX_EDGE: u32 = 32_768;

/// An image with its caption. Lines of the caption that are wider than the cell are shortened in the middle.
#[derive(Clone, Debug)]
pub struct SheetCell {
    /// The image, straight alpha.
    pub image: RgbaImage,
    /// Text below the image: any number of lines, in Latin letters.
    pub caption: String,
}

/// A grid of captioned images on white, `columns` per row (at least one), in reading order. Cells are as large as the
/// largest image; smaller images are centered.
///
/// ```
/// use image::{Rgba, RgbaImage};
/// use lexiform_render::{SheetCell, contact_sheet};
///
/// let image = RgbaImage::from_pixel(50, 50, Rgba([255, 0, 0, 255]));
/// let cell = SheetCell { image, caption: "chair".to_owned() };
/// let sheet = contact_sheet(&[cell.clone(), cell], 2);
/// assert!(sheet.width() > 100 && sheet.height() > 50);
/// ```
pub fn contact_sheet(cells: &[SheetCell], columns: usize) -> RgbaImage {
    let columns = columns.clamp(1, cells.len().max(1)) as u32;
    let widest = cells.iter().map(|c| c.image.width()).max().unwrap_or(0);
    let highest = cells.iter().map(|c| c.image.height()).max().unwrap_or(0);
    let lines = cells.iter().map(|c| c.caption.lines().count()).max().unwrap_or(0) as u32;
    let (width, height) = (widest + GAP, highest + lines * (font::HEIGHT + LEADING) + GAP);
    let rows = (cells.len() as u32).div_ceil(columns);
    let edge = |count: u32, cell: u32| (count.saturating_mul(cell)).saturating_add(GAP).min(MAX_EDGE);
    let mut sheet = RgbaImage::from_pixel(edge(columns, width), edge(rows, height), BACKGROUND);
    for (cell, i) in cells.iter().zip(0..) {
        let (left, top) = (GAP + i % columns * width, GAP + i / columns * height);
        let inset = ((widest - cell.image.width()) / 2, (highest - cell.image.height()) / 2);
        imageops::overlay(&mut sheet, &cell.image, i64::from(left + inset.0), i64::from(top + inset.1));
        for (line, text) in (0..).zip(cell.caption.lines()) {
            let line_top = top + highest + LEADING + line * (font::HEIGHT + LEADING);
            write_line(&mut sheet, &shorten_line(text, widest), left, line_top);
        }
    }
    sheet
}

/// A line shortened to a width in pixels: names differ at their ends as often as at their beginnings.
fn shorten_line(text: &str, width: u32) -> String {
    let room = (width / font::ADVANCE) as usize;
    let count = text.chars().count();
    if count <= room {
        return text.to_owned();
    }
    let kept = room.saturating_sub(1);
    let (head, tail) = (kept.div_ceil(2), kept / 2);
    let ends = text.chars().take(head).chain(['…']).chain(text.chars().skip(count - tail));
    ends.take(room).collect()
}

fn write_line(sheet: &mut RgbaImage, text: &str, left: u32, top: u32) {
    for (glyph, i) in font::glyphs(text).into_iter().zip(0..) {
        for (row, y) in glyph.into_iter().zip(0..) {
            for x in (0..font::ADVANCE - 1).filter(|x| row >> (4 - x) & 1 == 1) {
                if let Some(pixel) = sheet.get_pixel_mut_checked(left + i * font::ADVANCE + x, top + y) {
                    *pixel = TEXT_COLOR;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(edge: u32, caption: &str) -> SheetCell {
        SheetCell {
            image: RgbaImage::from_pixel(edge, edge, Rgba([255, 0, 0, 255])),
            caption: caption.to_owned(),
        }
    }

    #[test]
    fn cells_are_in_rows_with_their_captions() {
        let sheet = contact_sheet(&[cell(50, "one"), cell(30, "two\nlines"), cell(50, "")], 2);
        assert_eq!(sheet.dimensions(), (2 * 58 + 8, 2 * (50 + 24 + 8) + 8));
        assert_eq!(sheet.get_pixel(8, 8).0, [255, 0, 0, 255]);
        assert_eq!(sheet.get_pixel(66, 8).0, [255; 4]);
        assert_eq!(sheet.get_pixel(66 + 10, 8 + 10).0, [255, 0, 0, 255]);
        let inked = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
            y.flat_map(|y| x.clone().map(move |x| (x, y))).any(|(x, y)| *sheet.get_pixel(x, y) == TEXT_COLOR)
        };
        assert!(inked(8..58, 58..82) && inked(66..116, 70..82) && !inked(8..58, 140..164));
    }

    #[test]
    fn long_captions_are_cut() {
        assert_eq!(shorten_line("a chair with armrests", 60), "a cha…ests");
        assert_eq!(shorten_line("model_12.gltf", 5 * font::ADVANCE), "mo…tf");
        assert_eq!(shorten_line("chair", font::ADVANCE), "…");
        assert_eq!(shorten_line("chair", 0), "");
        assert_eq!(contact_sheet(&[], 3).dimensions(), (16, 8));
        contact_sheet(&[cell(9, "Gr\u{fc}\u{df}e \u{1f600} and more")], 0);
    }

    #[test]
    fn accents_and_descenders_are_drawn() {
        assert_eq!(font::glyphs("u\u{308}"), font::glyphs("\u{fc}"));
        assert_eq!(font::glyphs("\u{308}").len(), 1);
        assert_ne!(font::glyphs("\u{fc}"), font::glyphs("u"));
        let below = |text: &str| font::glyphs(text).iter().all(|glyph| glyph[9] != 0);
        assert!(below("gjpqy") && font::glyphs("Aaz").iter().all(|glyph| glyph[9] == 0));
        assert_eq!(font::glyphs("\u{6905}"), font::glyphs("?"));
    }
}
