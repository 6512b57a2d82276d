//! Contact sheets: a grid of images with captions.

mod font;

use image::{Rgba, RgbaImage, imageops};

/// Pixels between cells and around the sheet.
const GAP: u32 = 8;
/// Pixels between an image and its caption, and between lines.
const LEADING: u32 = 3;
const BACKGROUND: Rgba<u8> = Rgba([255, 255, 255, 255]);
const TEXT_COLOR: Rgba<u8> = Rgba([40, 40, 40, 255]);
/// Longest edge of a sheet in pixels; cells beyond are left out.
const MAX_EDGE: u32 = 32_768;

/// An image with its caption. Lines of the caption are truncated to the width of the cell.
#[derive(Clone, Debug)]
pub struct SheetCell {
    /// The image, straight alpha.
    pub image: RgbaImage,
    /// Text below the image: any number of lines, ASCII.
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
            let baseline = top + highest + LEADING + line * (font::HEIGHT + LEADING);
            write_line(&mut sheet, &truncate_line(text, widest), left, baseline);
        }
    }
    sheet
}

/// A line truncated to a width in pixels, with dots at the end if it was longer.
fn truncate_line(text: &str, width: u32) -> String {
    let room = (width / font::ADVANCE) as usize;
    if text.chars().count() <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(2)).chain("..".chars()).take(room).collect()
}

fn write_line(sheet: &mut RgbaImage, text: &str, left: u32, top: u32) {
    for (letter, i) in text.chars().zip(0..) {
        for y in 0..font::HEIGHT {
            for x in (0..font::ADVANCE).filter(|&x| font::is_set(letter, x, y)) {
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
        assert_eq!(sheet.dimensions(), (2 * 58 + 8, 2 * (50 + 20 + 8) + 8));
        assert_eq!(sheet.get_pixel(8, 8).0, [255, 0, 0, 255]);
        assert_eq!(sheet.get_pixel(66, 8).0, [255; 4]);
        assert_eq!(sheet.get_pixel(66 + 10, 8 + 10).0, [255, 0, 0, 255]);
        let inked = |x: std::ops::Range<u32>, y: std::ops::Range<u32>| {
            y.flat_map(|y| x.clone().map(move |x| (x, y))).any(|(x, y)| *sheet.get_pixel(x, y) == TEXT_COLOR)
        };
        assert!(inked(8..58, 58..78) && inked(66..116, 68..78) && !inked(8..58, 136..160));
    }

    #[test]
    fn long_captions_are_cut() {
        assert_eq!(truncate_line("a chair with armrests", 60), "a chair ..");
        assert_eq!(truncate_line("chair", 0), "");
        assert_eq!(contact_sheet(&[], 3).dimensions(), (16, 8));
        contact_sheet(&[cell(9, "Gr\u{fc}\u{df}e \u{1f600} and more")], 0);
    }
}
