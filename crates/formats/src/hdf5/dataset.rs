//! An array in a file, read by rows.

use std::sync::{Arc, OnceLock};

use super::chunks::{self, Chunk, Grid, Index};
use super::datatype::Type;
use super::file::File;
use super::object::{DATASPACE, DATATYPE, FILL, FILTERS, LAYOUT, Message, find, messages};
use super::parse::{ALWAYS_ALLOWED, Fault, Parser, invalid, unsupported};
use super::{filter, global_heap};
use crate::FormatError;
use crate::array::{Array, bytes_of};

/// Most axes of an array.
const MOST_AXES: usize = 32;
/// Largest chunk, in bytes.
const LARGEST_CHUNK: u64 = 1 << 30;
/// No filter compresses better than this ratio.
const TIGHTEST: u64 = 1100;

/// An array.
#[derive(Debug)]
pub struct Dataset {
    file: Arc<File>,
    name: String,
    values: Type,
    /// Bytes of a value in the file.
    value_bytes: usize,
    shape: Vec<usize>,
    layout: Layout,
    filters: Vec<u16>,
    fill: Vec<u8>,
    chunks: OnceLock<Vec<Chunk>>,
}

#[derive(Debug)]
enum Layout {
    Compact(Vec<u8>),
    Contiguous(u64),
    Chunked { grid: Grid, index: Index, address: u64 },
}

impl File {
    /// The array called `name`, with `/` between groups.
    ///
    /// # Errors
    /// If there is no such array, or it is damaged or of an unsupported kind.
    pub fn dataset(self: &Arc<Self>, name: &str) -> Result<Dataset, FormatError> {
        let opened = self.find(name).and_then(|address| Dataset::open(self, name, address));
        opened.map_err(|fault| self.error(&fault))
    }
}

impl Dataset {
    fn open(file: &Arc<File>, name: &str, address: u64) -> Result<Self, Fault> {
        let messages = messages(file, address)?;
        let need = |kind, what: &str| {
            find(&messages, kind).ok_or_else(|| invalid(format!("{name:?} is no array: it has no {what}")))
        };
        let shape = dataspace(file, need(DATASPACE, "dataspace")?)?;
        let (values, value_bytes) = Type::parse(&need(DATATYPE, "type")?.data)?;
        let filters = find(&messages, FILTERS).map(filter::parse).transpose()?.unwrap_or_default();
        let fill = find(&messages, FILL).map(|m| fill_value(&m.data)).transpose()?.unwrap_or_default();
        let bytes =
            bytes_of(&shape, value_bytes).ok_or_else(|| invalid(format!("shape {shape:?} is too large")));
        let bytes = match &shape[..] {
            // Of a large array only rows are read.
            [_, row @ ..] => {
                bytes_of(row, value_bytes).ok_or_else(|| invalid(format!("shape {shape:?} is too large")))?
            }
            [] => bytes?,
        };
        let rows = shape.first().copied().unwrap_or(1) as u64;
        let whole =
            bytes.checked_mul(rows).ok_or_else(|| invalid(format!("shape {shape:?} is too large")))?;
        let layout = layout(file, need(LAYOUT, "layout")?, &shape, !filters.is_empty())?;
        match &layout {
            Layout::Compact(data) if (data.len() as u64) < whole => {
                return Err(invalid(format!("{name:?} needs {whole} bytes, found {}", data.len())));
            }
            Layout::Contiguous(address) if *address != file.nowhere() => file.check(*address, whole)?,
            _ if whole > file.length().saturating_mul(TIGHTEST).saturating_add(ALWAYS_ALLOWED) => {
                return Err(invalid(format!(
                    "{name:?} is said to hold {whole} bytes in a file of {}",
                    file.length()
                )));
            }
            _ => {}
        }
        let (name, chunks) = (name.to_owned(), OnceLock::new());
        Ok(Self { file: Arc::clone(file), name, values, value_bytes, shape, layout, filters, fill, chunks })
    }

    /// Sizes of its axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Type of its elements.
    pub fn values(&self) -> Type {
        self.values
    }

    /// The whole array. Variable-length strings become strings of the length of the longest.
    ///
    /// # Errors
    /// If reading fails, or the file is damaged.
    pub fn read(&self) -> Result<Array, FormatError> {
        self.read_rows(0, self.shape.first().copied().unwrap_or(1))
    }

    /// Rows along the first axis, `[count, …]`.
    ///
    /// # Errors
    /// If there are fewer rows, reading fails, or the file is damaged.
    pub fn read_rows(&self, first: usize, count: usize) -> Result<Array, FormatError> {
        let read = self.rows(first, count).map_err(|fault| match fault {
            Fault::Invalid(message) => Fault::Invalid(format!("{:?}: {message}", self.name)),
            Fault::Unsupported(what) => Fault::Unsupported(format!("{what} (of {:?})", self.name)),
            other => other,
        });
        read.map_err(|fault| self.file.error(&fault))
    }

    fn rows(&self, first: usize, count: usize) -> Result<Array, Fault> {
        let rows = self.shape.first().copied().unwrap_or(1);
        if first.checked_add(count).is_none_or(|end| end > rows) {
            return Err(invalid(format!("rows {first} to {} of {rows}", first.saturating_add(count))));
        }
        let mut shape = self.shape.clone();
        if let Some(axis) = shape.first_mut() {
            *axis = count;
        }
        let bytes = bytes_of(&shape, self.value_bytes)
            .ok_or_else(|| invalid(format!("{shape:?} is too much")))? as usize;
        let mut data = vec![0; bytes];
        let row_bytes = bytes.checked_div(count).unwrap_or(0);
        match &self.layout {
            Layout::Compact(all) => data.copy_from_slice(&all[first * row_bytes..][..bytes]),
            Layout::Contiguous(address) if *address == self.file.nowhere() => self.blank(&mut data),
            Layout::Contiguous(address) => self.file.fill(address + (first * row_bytes) as u64, &mut data)?,
            Layout::Chunked { grid, index, address } => {
                self.blank(&mut data);
                let chunks = match self.chunks.get() {
                    Some(chunks) => chunks,
                    None => {
                        let listed = chunks::list(&self.file, index, *address, grid)?;
                        self.chunks.get_or_init(|| listed)
                    }
                };
                self.copy_chunks(grid, chunks, (first, count), &mut data)?;
            }
        }
        match self.values {
            Type::Plain(dtype) => Array::new(dtype, shape, data).map_err(invalid),
            Type::Text => global_heap::texts(&self.file, &data, self.value_bytes, shape),
        }
    }

    /// Fills in the value of elements that were never written.
    fn blank(&self, data: &mut [u8]) {
        if self.fill.len() == self.value_bytes && self.fill.iter().any(|byte| *byte != 0) {
            data.chunks_exact_mut(self.value_bytes).for_each(|value| value.copy_from_slice(&self.fill));
        }
    }

    /// Copies what chunks hold of some rows.
    fn copy_chunks(
        &self,
        grid: &Grid,
        chunks: &[Chunk],
        (first, count): (usize, usize),
        data: &mut [u8],
    ) -> Result<(), Fault> {
        let tall = grid.chunk[0];
        let from = chunks.partition_point(|chunk| (chunk.place[0] + 1) * tall <= first as u64);
        let last = (first + count) as u64;
        for chunk in chunks[from..].iter().take_while(|chunk| chunk.place[0] * tall < last) {
            let mut raw =
                vec![0; usize::try_from(chunk.bytes).map_err(|_| invalid("a huge chunk".to_owned()))?];
            self.file.fill(chunk.address, &mut raw)?;
            let content =
                filter::undo(&self.filters, chunk.mask, raw, self.value_bytes, grid.bytes as usize)?;
            self.place(grid, chunk, &content, (first, count), data);
        }
        Ok(())
    }

    /// Copies a chunk's lines along the last axis to their places in the rows.
    fn place(
        &self,
        grid: &Grid,
        chunk: &Chunk,
        content: &[u8],
        (first, count): (usize, usize),
        data: &mut [u8],
    ) {
        let axes = self.shape.len();
        let size: Vec<usize> = grid.chunk.iter().map(|n| *n as usize).collect();
        let start: Vec<usize> = chunk.place.iter().zip(&size).map(|(p, n)| *p as usize * n).collect();
        let line =
            size[axes - 1].min(self.shape[axes - 1].saturating_sub(start[axes - 1])) * self.value_bytes;
        let lines: usize = size[..axes - 1].iter().product();
        let mut index = vec![0; axes - 1];
        for number in 0..lines {
            let at: Vec<usize> = index.iter().zip(&start).map(|(i, s)| i + s).collect();
            let row = if axes == 1 { start[0] } else { at[0] };
            let inside = at.iter().zip(&self.shape).all(|(a, n)| a < n);
            if axes == 1 {
                // One axis: the line itself is cut to the rows.
                let (low, high) = (first.max(row), (first + count).min(row + line / self.value_bytes));
                if low < high {
                    let (from, to) = ((low - row) * self.value_bytes, (high - row) * self.value_bytes);
                    let target = (low - first) * self.value_bytes;
                    data[target..target + (to - from)].copy_from_slice(&content[from..to]);
                }
            } else if inside && (first..first + count).contains(&row) {
                let mut target = row - first;
                for axis in 1..axes {
                    target = target * self.shape[axis] + if axis < axes - 1 { at[axis] } else { start[axis] };
                }
                let (from, to) = (number * size[axes - 1] * self.value_bytes, target * self.value_bytes);
                data[to..to + line].copy_from_slice(&content[from..from + line]);
            }
            for axis in (0..axes - 1).rev() {
                index[axis] += 1;
                if index[axis] < size[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
    }
}

fn dataspace(file: &File, message: &Message) -> Result<Vec<usize>, Fault> {
    let mut parser = file.parser(&message.data);
    let (version, axes) = (parser.u8()?, usize::from(parser.u8()?));
    parser.skip(match version {
        1 => 6,
        2 => 2,
        _ => return Err(unsupported(format!("dataspace version {version}"))),
    })?;
    if axes > MOST_AXES {
        return Err(invalid(format!("{axes} axes")));
    }
    let size = |n: u64| usize::try_from(n).map_err(|_| invalid(format!("an axis of {n}")));
    (0..axes).map(|_| size(parser.length()?)).collect()
}

/// The value of elements that were never written; empty if it is zero or not given.
fn fill_value(data: &[u8]) -> Result<Vec<u8>, Fault> {
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
    Ok(parser.take(size.min(parser.left()))?.to_vec())
}

fn layout(file: &File, message: &Message, shape: &[usize], filtered: bool) -> Result<Layout, Fault> {
    let mut parser = file.parser(&message.data);
    let version = parser.u8()?;
    let (class, axes) = match version {
        1 | 2 => {
            let axes = usize::from(parser.u8()?);
            let class = parser.u8()?;
            parser.skip(5)?;
            (class, Some(axes))
        }
        // Version 5 differs from 4 in the width of sizes only, which tables tell themselves.
        3..=5 => (parser.u8()?, None),
        _ => return Err(unsupported(format!("layout version {version}"))),
    };
    match (class, axes) {
        (0, None) => {
            let bytes = usize::from(parser.u16()?);
            Ok(Layout::Compact(parser.take(bytes)?.to_vec()))
        }
        (0, Some(axes)) => {
            parser.skip(4 * axes)?;
            let bytes = parser.u32()? as usize;
            Ok(Layout::Compact(parser.take(bytes)?.to_vec()))
        }
        (1, _) => Ok(Layout::Contiguous(parser.offset()?)),
        (2, Some(axes)) => {
            let address = parser.offset()?;
            let sizes = chunk_sizes(&mut parser, axes, 4)?;
            let grid = grid(&sizes, shape, filtered)?;
            Ok(Layout::Chunked { grid, index: Index::Tree, address })
        }
        (2, None) if version == 3 => {
            let axes = usize::from(parser.u8()?);
            let address = parser.offset()?;
            let sizes = chunk_sizes(&mut parser, axes, 4)?;
            Ok(Layout::Chunked { grid: grid(&sizes, shape, filtered)?, index: Index::Tree, address })
        }
        (2, None) => newest(&mut parser, shape, filtered),
        _ => Err(unsupported(format!("layout class {class}"))),
    }
}

/// Chunks as version 4 of the message describes them.
fn newest(parser: &mut Parser, shape: &[usize], filtered: bool) -> Result<Layout, Fault> {
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

fn chunk_sizes(parser: &mut Parser, axes: usize, width: usize) -> Result<Vec<u64>, Fault> {
    (0..axes).map(|_| parser.uint(width)).collect()
}

/// The grid of chunks with these sizes; the last size is that of a value.
fn grid(sizes: &[u64], shape: &[usize], filtered: bool) -> Result<Grid, Fault> {
    let (chunk, value) = match sizes.split_last() {
        Some((value, chunk)) if chunk.len() == shape.len() && !shape.is_empty() && !chunk.contains(&0) => {
            (chunk, *value)
        }
        _ => return Err(invalid(format!("chunks of {sizes:?} in an array of {shape:?}"))),
    };
    let bytes = chunk.iter().try_fold(value, |n, c| n.checked_mul(*c)).filter(|n| *n <= LARGEST_CHUNK);
    Ok(Grid {
        counts: shape.iter().zip(chunk).map(|(n, c)| (*n as u64).div_ceil(*c)).collect(),
        bytes: bytes.ok_or_else(|| invalid(format!("chunks of {sizes:?} are too large")))?,
        chunk: chunk.to_vec(),
        filtered,
    })
}
