//! Messages that describe an array: dataspace, fill value and layout.

use super::chunks::{self, Grid, Index};
use super::file::File;
use super::object_header::Message;
use super::parser::{Hdf5Error, Parser, invalid, unsupported};

/// Most axes of an array.
const MAX_RANK: usize = 32;
/// Largest chunk, in bytes.
const MAX_CHUNK_BYTES: u64 = 1 << 30;

/// Storage of the elements.
#[derive(Debug)]
pub(super) enum Layout {
    /// In the object header.
    Compact(Vec<u8>),
    /// Contiguous at an address.
    Contiguous(u64),
    /// In chunks, listed by an index at an address.
    Chunked { grid: Grid, index: Index, address: u64 },
}

impl Layout {
    /// Parses a message.
    pub(super) fn parse(
        file: &File,
        message: &Message,
        shape: &[usize],
        filtered: bool,
    ) -> Result<Self, Hdf5Error> {
        let mut parser = file.parser(&message.data);
        let version = parser.u8()?;
        let (class, axes) = match version {
            1 | 2 => {
                let axes = usize::from(parser.u8()?);
                let class = parser.u8()?;
                parser.skip(5)?;
                (class, Some(axes))
            }
            // Version 5 differs from 4 only in the width of sizes, which indexes declare themselves.
            3..=5 => (parser.u8()?, None),
            _ => return Err(unsupported(format!("layout version {version}"))),
        };
        match (class, axes) {
            (0, None) => {
                let bytes = usize::from(parser.u16()?);
                Ok(Self::Compact(parser.take(bytes)?.to_vec()))
            }
            (0, Some(axes)) => {
                parser.skip(4 * axes)?;
                let bytes = parser.u32()? as usize;
                Ok(Self::Compact(parser.take(bytes)?.to_vec()))
            }
            (1, _) => Ok(Self::Contiguous(parser.offset()?)),
            (2, Some(axes)) => {
                let address = parser.offset()?;
                let sizes = chunk_sizes(&mut parser, axes, 4)?;
                let grid = grid(&sizes, shape, filtered)?;
                Ok(Self::Chunked { grid, index: Index::Tree, address })
            }
            (2, None) if version == 3 => {
                let axes = usize::from(parser.u8()?);
                let address = parser.offset()?;
                let sizes = chunk_sizes(&mut parser, axes, 4)?;
                Ok(Self::Chunked { grid: grid(&sizes, shape, filtered)?, index: Index::Tree, address })
            }
            (2, None) => chunked_v4(&mut parser, shape, filtered),
            _ => Err(unsupported(format!("layout class {class}"))),
        }
    }
}

/// Sizes of the axes.
pub(super) fn dataspace(file: &File, message: &Message) -> Result<Vec<usize>, Hdf5Error> {
    let mut parser = file.parser(&message.data);
    let (version, axes) = (parser.u8()?, usize::from(parser.u8()?));
    parser.skip(match version {
        1 => 6,
        2 => 2,
        _ => return Err(unsupported(format!("dataspace version {version}"))),
    })?;
    if axes > MAX_RANK {
        return Err(invalid(format!("{axes} axes")));
    }
    let size = |n: u64| usize::try_from(n).map_err(|_| invalid(format!("an axis of {n}")));
    (0..axes).map(|_| size(parser.length()?)).collect()
}

/// The fill value; empty if it is zero or undefined.
pub(super) fn fill_value(data: &[u8]) -> Result<Vec<u8>, Hdf5Error> {
    let mut parser = Parser::new(data, 8, 8);
    let said = match parser.u8()? {
        1 => {
            parser.skip(3)?;
            true
        }
        2 => {
            parser.skip(2)?;
            parser.u8()? != 0
        }
        3 => parser.u8()? & 0x20 != 0,
        _ => false,
    };
    if !said {
        return Ok(Vec::new());
    }
    let size = parser.u32()? as usize;
    Ok(parser.take(size.min(parser.remaining()))?.to_vec())
}

/// Chunked layout in version 4 of the message.
fn chunked_v4(parser: &mut Parser, shape: &[usize], filtered: bool) -> Result<Layout, Hdf5Error> {
    let flags = parser.u8()?;
    let axes = usize::from(parser.u8()?);
    let width = usize::from(parser.u8()?);
    let sizes = chunk_sizes(parser, axes, width)?;
    let index = match parser.u8()? {
        1 if flags & 2 != 0 => Index::Single(Some((parser.length()?, parser.u32()?))),
        1 => Index::Single(None),
        2 => Index::Implicit,
        3 => Index::Fixed(parser.u8()?),
        other => return Err(chunks::unsupported_index(other)),
    };
    let address = parser.offset()?;
    Ok(Layout::Chunked { grid: grid(&sizes, shape, filtered)?, index, address })
}

fn chunk_sizes(parser: &mut Parser, axes: usize, width: usize) -> Result<Vec<u64>, Hdf5Error> {
    (0..axes).map(|_| parser.uint(width)).collect()
}

/// The grid of chunks of these sizes; the last is the size of a value.
fn grid(sizes: &[u64], shape: &[usize], filtered: bool) -> Result<Grid, Hdf5Error> {
    let (chunk, value) = match sizes.split_last() {
        Some((value, chunk)) if chunk.len() == shape.len() && !shape.is_empty() && !chunk.contains(&0) => {
            (chunk, *value)
        }
        _ => return Err(invalid(format!("chunks of {sizes:?} in an array of {shape:?}"))),
    };
    let bytes = chunk.iter().try_fold(value, |n, c| n.checked_mul(*c)).filter(|n| *n <= MAX_CHUNK_BYTES);
    Ok(Grid {
        counts: shape.iter().zip(chunk).map(|(n, c)| (*n as u64).div_ceil(*c)).collect(),
        bytes: bytes.ok_or_else(|| invalid(format!("chunks of {sizes:?} are too large")))?,
        chunk: chunk.to_vec(),
        filtered,
    })
}
