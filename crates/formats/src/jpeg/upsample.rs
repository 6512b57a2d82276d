//! Subsampled components at full size, as libjpeg's "fancy" upsampling: a triangle filter for factors of two, copies otherwise.

/// Samples of a component.
pub(super) struct Plane {
    pub samples: Vec<u8>,
    /// Samples in a row, with the padding to whole blocks.
    pub stride: usize,
    /// Columns and rows without padding.
    pub size: [usize; 2],
}

/// Fewest columns that the triangle filter is applied to.
const MIN_COLUMNS: usize = 3;

/// The plane at the size of the image; `ratio` is how many pixels a sample covers in each direction.
pub(super) fn upsample(plane: &Plane, ratio: [usize; 2], [width, height]: [usize; 2]) -> Vec<u8> {
    let [columns, rows] = plane.size;
    let is_smooth = columns >= MIN_COLUMNS;
    let row = |i: usize| &plane.samples[i * plane.stride..][..columns];
    let mut pixels = Vec::with_capacity(width * height);
    let mut line = vec![0; columns * ratio[0]];
    for y in 0..height {
        let at = (y / ratio[1]).min(rows - 1);
        // The row that a pixel is next to; beyond the edge the row itself.
        let near = if y % 2 == 0 { at.saturating_sub(1) } else { (at + 1).min(rows - 1) };
        match ratio {
            [1, 1] => line.copy_from_slice(row(at)),
            [2, 1] if is_smooth => horizontal(row(at), &mut line),
            [1, 2] => vertical(row(at), row(near), y % 2, &mut line),
            [2, 2] if is_smooth => both(row(at), row(near), &mut line),
            [across, _] => {
                line.chunks_mut(across).zip(row(at)).for_each(|(copies, value)| copies.fill(*value));
            }
        }
        pixels.extend_from_slice(&line[..width]);
    }
    pixels
}

fn horizontal(row: &[u8], line: &mut [u8]) {
    let at = |i: usize| u16::from(row[i]);
    let last = row.len() - 1;
    for (i, pair) in line.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let left = if i == 0 { at(0) } else { (3 * at(i) + at(i - 1) + 1) >> 2 };
        let right = if i == last { at(last) } else { (3 * at(i) + at(i + 1) + 2) >> 2 };
        *pair = [left as u8, right as u8];
    }
}

fn vertical(row: &[u8], near: &[u8], parity: usize, line: &mut [u8]) {
    let bias = if parity == 0 { 1 } else { 2 };
    for ((value, &a), &b) in line.iter_mut().zip(row).zip(near) {
        *value = ((3 * u16::from(a) + u16::from(b) + bias) >> 2) as u8;
    }
}

fn both(row: &[u8], near: &[u8], line: &mut [u8]) {
    let sum = |i: usize| 3 * u16::from(row[i]) + u16::from(near[i]);
    let last = row.len() - 1;
    for (i, pair) in line.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let left = if i == 0 { 4 * sum(0) + 8 } else { 3 * sum(i) + sum(i - 1) + 8 };
        let right = if i == last { 4 * sum(last) + 7 } else { 3 * sum(i) + sum(i + 1) + 7 };
        *pair = [(left >> 4) as u8, (right >> 4) as u8];
    }
}
