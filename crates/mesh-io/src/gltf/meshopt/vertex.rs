//! Mode ATTRIBUTES, versions 0 and 1: blocks of vertices, as bytewise differences to the vertex before.

use super::cursor::{Cursor, check_end, truncated};
use crate::gltf::error::{GltfError, invalid};

/// Bytes of one block of vertices, and vertices in it, at most.
const BLOCK_BYTES: usize = 8192;
const BLOCK_VERTICES: usize = 256;
/// Values that share one width in bits.
const GROUP: usize = 16;
/// The smallest tail, for either version; it lets decoders read ahead without a check.
const TAIL_BYTES: [usize; 2] = [32, 24];
/// Widths that a two-bit header means: version 0, then version 1 with control 0 and 1.
const WIDTHS: [[u32; 4]; 3] = [[0, 2, 4, 8], [0, 1, 2, 4], [1, 2, 4, 8]];

/// Decodes `count` vertices of `stride` bytes (a multiple of 4, at most 256).
pub(super) fn decode(source: &[u8], count: usize, stride: usize) -> Result<Vec<u8>, GltfError> {
    let (&header, body) = source.split_first().ok_or_else(truncated)?;
    let version = usize::from(header & 15);
    if header & 0xf0 != 0xa0 || version > 1 {
        return Err(invalid(format!(
            "meshopt: expected a vertex header of 0xa0 or 0xa1, found {header:#04x}"
        )));
    }
    let tail = stride + version * (stride / 4);
    let padded = tail.max(TAIL_BYTES[version]);
    let end = body.len().checked_sub(padded).ok_or_else(truncated)?;
    let (last, channels) = body[body.len() - tail..].split_at(stride);
    let mut stream = Cursor(&body[..end]);
    let mut decoder = Decoder { version, stride, channels, last: last.to_vec() };
    let block = (BLOCK_BYTES / stride / GROUP * GROUP).min(BLOCK_VERTICES);
    // The output grows with the input, so that a false count costs nothing.
    let mut vertices = Vec::new();
    let mut left = count;
    while left > 0 {
        let now = left.min(block);
        decoder.block(&mut stream, now, &mut vertices)?;
        left -= now;
    }
    check_end(stream.0.len())?;
    Ok(vertices)
}

struct Decoder<'a> {
    version: usize,
    stride: usize,
    /// How each run of four bytes is put together; none in version 0.
    channels: &'a [u8],
    /// The vertex before.
    last: Vec<u8>,
}

impl Decoder<'_> {
    /// Appends `count` vertices.
    fn block(&mut self, stream: &mut Cursor, count: usize, vertices: &mut Vec<u8>) -> Result<(), GltfError> {
        let controls = if self.version == 0 { &[][..] } else { stream.take(self.stride / 4)? };
        let start = vertices.len();
        vertices.resize(start + count * self.stride, 0);
        let out = &mut vertices[start..];
        let mut planes = [[0_u8; BLOCK_VERTICES]; 4];
        for quad in 0..self.stride / 4 {
            let control = controls.get(quad).copied().unwrap_or(0);
            for (byte, plane) in planes.iter_mut().enumerate() {
                let control = usize::from(control >> (2 * byte) & 3);
                self.plane(stream, control, &mut plane[..count.next_multiple_of(GROUP)], count)?;
            }
            let channel = self.channels.get(quad).copied().unwrap_or(0);
            let last = [0, 1, 2, 3].map(|byte| self.last[4 * quad + byte]);
            let values = (0..count).map(|i| planes.map(|plane| plane[i]));
            let rows = out.chunks_exact_mut(self.stride).map(|row| &mut row[4 * quad..4 * quad + 4]);
            undo_differences(channel, last, values, rows)?;
        }
        self.last.copy_from_slice(&out[(count - 1) * self.stride..]);
        Ok(())
    }

    /// One byte of each vertex; `plane` is `count` rounded up to whole groups.
    fn plane(
        &self,
        stream: &mut Cursor,
        control: usize,
        plane: &mut [u8],
        count: usize,
    ) -> Result<(), GltfError> {
        match control {
            3 => plane[..count].copy_from_slice(stream.take(count)?),
            2 => plane.fill(0),
            control => {
                let headers = stream.take(plane.len().div_ceil(4 * GROUP))?;
                for (index, group) in plane.chunks_exact_mut(GROUP).enumerate() {
                    let header = headers[index / 4] >> (2 * (index % 4)) & 3;
                    read_group(stream, WIDTHS[self.version + control][usize::from(header)], group)?;
                }
            }
        }
        Ok(())
    }
}

/// Sixteen values of `width` bits. The largest value is a mark: the byte itself follows after the sixteen.
fn read_group(stream: &mut Cursor, width: u32, group: &mut [u8]) -> Result<(), GltfError> {
    match width {
        0 => group.fill(0),
        8 => group.copy_from_slice(stream.take(GROUP)?),
        width => {
            let packed = stream.take(GROUP * width as usize / 8)?;
            let per_byte = 8 / width as usize;
            let mark = (1_u8 << width) - 1;
            for (index, value) in group.iter_mut().enumerate() {
                let place = (index % per_byte) as u32 * width;
                // Single bits start at the lowest, wider values at the highest.
                let shift = if width == 1 { place } else { 8 - width - place };
                let bits = packed[index / per_byte] >> shift & mark;
                *value = if bits == mark { stream.byte()? } else { bits };
            }
        }
    }
    Ok(())
}

/// Differences → values, by the kind of number the channel says the four bytes are.
fn undo_differences<'o>(
    channel: u8,
    last: [u8; 4],
    values: impl Iterator<Item = [u8; 4]>,
    rows: impl Iterator<Item = &'o mut [u8]>,
) -> Result<(), GltfError> {
    let unzigzag = |v: u8| (v >> 1) ^ (v & 1).wrapping_neg();
    let unzigzag_16 = |v: u16| (v >> 1) ^ (v & 1).wrapping_neg();
    let mut before = last;
    for (value, row) in values.zip(rows) {
        before = match channel & 3 {
            0 => std::array::from_fn(|i| unzigzag(value[i]).wrapping_add(before[i])),
            1 => {
                let [a, b, c, d] = value;
                let [e, f, g, h] = before;
                let sum = |v: [u8; 2], p: [u8; 2]| {
                    unzigzag_16(u16::from_le_bytes(v)).wrapping_add(u16::from_le_bytes(p)).to_le_bytes()
                };
                let ([a, b], [c, d]) = (sum([a, b], [e, f]), sum([c, d], [g, h]));
                [a, b, c, d]
            }
            2 => {
                let turned = u32::from_le_bytes(value).rotate_right(u32::from(channel >> 4));
                (turned ^ u32::from_le_bytes(before)).to_le_bytes()
            }
            _ => return Err(invalid(format!("meshopt: unknown channel {channel:#04x}"))),
        };
        row.copy_from_slice(&before);
    }
    Ok(())
}
