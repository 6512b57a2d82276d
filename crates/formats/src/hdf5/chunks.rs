//! Chunk indexes of all kinds, except those of arrays that can grow.

use super::file::File;
use super::parser::{Hdf5Error, invalid, unsupported};

/// Deepest B-tree.
const MAX_DEPTH: u32 = 16;
/// Most chunks of an array.
const MAX_CHUNKS: u64 = 1 << 26;

/// A chunk in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Its coordinates in the grid of chunks.
    pub index: Vec<u64>,
    pub address: u64,
    /// Size in the file.
    pub bytes: u64,
    /// Bits of the filters that were not applied.
    pub mask: u32,
}

/// How chunks are found.
#[derive(Clone, Debug)]
pub(super) enum Index {
    /// Version 1 B-tree.
    Tree,
    /// A single chunk; with filters, its size and mask.
    Single(Option<(u64, u32)>),
    /// Consecutive chunks without an index.
    Implicit,
    /// A fixed array; bits of the number of entries per page.
    Fixed(u8),
}

/// The grid of chunks over an array.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Values of a chunk along each axis.
    pub chunk: Vec<u64>,
    /// Chunks along each axis.
    pub counts: Vec<u64>,
    /// Bytes of a chunk before filters.
    pub bytes: u64,
    pub filtered: bool,
}

impl Grid {
    fn total(&self) -> Result<u64, Hdf5Error> {
        let total = self.counts.iter().try_fold(1_u64, |n, c| n.checked_mul(*c)).filter(|n| *n <= MAX_CHUNKS);
        total.ok_or_else(|| invalid(format!("more than {MAX_CHUNKS} chunks")))
    }

    /// The coordinates of a chunk by its number in C order.
    fn chunk_index(&self, mut number: u64) -> Vec<u64> {
        let mut place = vec![0; self.counts.len()];
        for (axis, count) in self.counts.iter().enumerate().rev() {
            place[axis] = number % count;
            number /= count;
        }
        place
    }
}

/// All chunks that were written, sorted by coordinates.
pub(super) fn list(file: &File, index: &Index, address: u64, grid: &Grid) -> Result<Vec<Chunk>, Hdf5Error> {
    if address == file.undefined_address() || grid.counts.contains(&0) {
        return Ok(Vec::new());
    }
    let plain = |number: u64, address: u64| Chunk {
        index: grid.chunk_index(number),
        address,
        bytes: grid.bytes,
        mask: 0,
    };
    let mut chunks = match index {
        Index::Tree => {
            let mut found = Vec::new();
            tree(file, address, grid, MAX_DEPTH, &mut found)?;
            found
        }
        Index::Single(None) => vec![plain(0, address)],
        Index::Single(Some((bytes, mask))) => vec![Chunk { bytes: *bytes, mask: *mask, ..plain(0, address) }],
        Index::Implicit => {
            let at = |n: u64| {
                address.checked_add(n * grid.bytes).ok_or_else(|| invalid("an address overflows".to_owned()))
            };
            (0..grid.total()?).map(|n| Ok(plain(n, at(n)?))).collect::<Result<_, Hdf5Error>>()?
        }
        Index::Fixed(page_bits) => table(file, address, *page_bits, grid)?,
    };
    for chunk in &chunks {
        file.check(chunk.address, chunk.bytes)?;
        if chunk.index.iter().zip(&grid.counts).any(|(place, count)| place >= count) {
            return Err(invalid(format!("a chunk at {:?} of {:?}", chunk.index, grid.counts)));
        }
    }
    chunks.sort_by(|a, b| a.index.cmp(&b.index));
    Ok(chunks)
}

fn tree(file: &File, address: u64, grid: &Grid, depth: u32, found: &mut Vec<Chunk>) -> Result<(), Hdf5Error> {
    if depth == 0 {
        return Err(invalid(format!("a tree of more than {MAX_DEPTH} levels")));
    }
    let axes = grid.chunk.len();
    let head = file.block(address, 8)?;
    let mut parser = file.parser(&head);
    parser.expect_signature(b"TREE")?;
    if parser.u8()? != 1 {
        return Err(invalid("expected a tree of chunks".to_owned()));
    }
    let level = parser.u8()?;
    let entries = u64::from(parser.u16()?);
    let entry = 8 + 8 * (axes as u64 + 1) + file.offset_size as u64;
    let body = file.block(address + 8 + 2 * file.offset_size as u64, entries * entry)?;
    let mut parser = file.parser(&body);
    for _ in 0..entries {
        let (bytes, mask) = (u64::from(parser.u32()?), parser.u32()?);
        let mut place = Vec::with_capacity(axes);
        for size in &grid.chunk {
            // The tree has offsets in elements.
            place.push(parser.uint(8)? / size);
        }
        parser.skip(8)?;
        let child = parser.offset()?;
        if level > 0 {
            tree(file, child, grid, depth - 1, found)?;
        } else if found.len() as u64 >= MAX_CHUNKS {
            return Err(invalid(format!("more than {MAX_CHUNKS} chunks")));
        } else {
            found.push(Chunk { index: place, address: child, bytes, mask });
        }
    }
    Ok(())
}

/// Reads a fixed array index: a header, then entries, on pages if there are many.
fn table(file: &File, address: u64, page_bits: u8, grid: &Grid) -> Result<Vec<Chunk>, Hdf5Error> {
    let sizes = file.length_size + file.offset_size;
    let head = file.block(address, 8 + sizes as u64)?;
    let mut parser = file.parser(&head);
    parser.expect_signature(b"FAHD")?;
    parser.skip(2)?;
    let entry_bytes = usize::from(parser.u8()?);
    parser.skip(1)?;
    let (count, block) = (parser.length()?, parser.offset()?);
    if block == file.undefined_address() {
        return Ok(Vec::new());
    }
    // Checked before `1 << page_bits`, which would overflow.
    if page_bits > 32 || count > MAX_CHUNKS {
        return Err(invalid(format!("a table of {count} chunks with pages of 2^{page_bits}")));
    }
    let size_bytes = entry_bytes.checked_sub(file.offset_size + 4).filter(|n| *n <= 8);
    if grid.filtered && size_bytes.is_none() {
        return Err(invalid(format!("entries of {entry_bytes} bytes")));
    }
    let page = 1_u64 << page_bits;
    let pages = if count > page { count.div_ceil(page) } else { 0 };
    let start = 6 + file.offset_size as u64;
    // Pages come after a bitmap and its checksum; each page ends with a checksum, which is not verified.
    let mut at = block + start + if pages > 0 { pages.div_ceil(8) + 4 } else { 0 };
    file.parser(&file.block(block, 4)?).expect_signature(b"FADB")?;
    let total = grid.total()?.min(count);
    let mut found = Vec::new();
    let mut number = 0;
    while number < total {
        let here = if pages > 0 { page.min(count - number) } else { count };
        let body = file.block(at, here * entry_bytes as u64)?;
        at += here * entry_bytes as u64 + 4;
        let mut parser = file.parser(&body);
        for n in number..(number + here).min(total) {
            let address = parser.offset()?;
            let (bytes, mask) = match size_bytes {
                Some(size) if grid.filtered => (parser.uint(size)?, parser.u32()?),
                _ => (grid.bytes, 0),
            };
            if address != file.undefined_address() {
                found.push(Chunk { index: grid.chunk_index(n), address, bytes, mask });
            }
        }
        number += here;
    }
    Ok(found)
}

/// The error for an unsupported kind of index.
pub(super) fn unsupported_index(kind: u8) -> Hdf5Error {
    unsupported(format!("chunk index {kind} (arrays that may grow)"))
}
