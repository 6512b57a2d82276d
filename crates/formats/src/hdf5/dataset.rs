//! An array in a file, read by rows.

use std::sync::{Arc, OnceLock};

use super::chunks::{self, Chunk, Grid};
use super::datatype::Datatype;
use super::file::File;
use super::layout::{Layout, dataspace, fill_value};
use super::object_header::{DATASPACE, DATATYPE, FILL, FILTERS, LAYOUT, find, messages};
use super::parser::{ALWAYS_ALLOWED_BYTES, Hdf5Error, invalid};
use super::{filter, global_heap};
use crate::FormatError;
use crate::array::{Array, byte_len};

/// No filter compresses better than this ratio.
const MAX_COMPRESSION_RATIO: u64 = 1100;

/// An array.
#[derive(Debug)]
pub struct Dataset {
    file: Arc<File>,
    name: String,
    datatype: Datatype,
    /// Bytes of a value in the file.
    value_bytes: usize,
    shape: Vec<usize>,
    layout: Layout,
    filters: Vec<u16>,
    fill: Vec<u8>,
    chunks: OnceLock<Vec<Chunk>>,
}

impl File {
    /// The array called `name`, with `/` between groups.
    ///
    /// # Errors
    /// If there is no such array, or it is damaged or of an unsupported kind.
    pub fn dataset(self: &Arc<Self>, name: &str) -> Result<Dataset, FormatError> {
        let opened = self.find(name).and_then(|address| Dataset::open(self, name, address));
        opened.map_err(|error| self.error(&error))
    }
}

impl Dataset {
    fn open(file: &Arc<File>, name: &str, address: u64) -> Result<Self, Hdf5Error> {
        let messages = messages(file, address)?;
        let need = |kind, what: &str| {
            find(&messages, kind)
                .ok_or_else(|| invalid(format!("{name:?} is not an array: it has no {what}")))
        };
        let shape = dataspace(file, need(DATASPACE, "dataspace")?)?;
        let (datatype, value_bytes) = Datatype::parse(&need(DATATYPE, "type")?.data)?;
        let filters = find(&messages, FILTERS).map(filter::parse).transpose()?.unwrap_or_default();
        let fill = find(&messages, FILL).map(|m| fill_value(&m.data)).transpose()?.unwrap_or_default();
        let whole = size_of_all(&shape, value_bytes)
            .ok_or_else(|| invalid(format!("shape {shape:?} is too large")))?;
        let layout = Layout::parse(file, need(LAYOUT, "layout")?, &shape, !filters.is_empty())?;
        match &layout {
            Layout::Compact(data) if (data.len() as u64) < whole => {
                return Err(invalid(format!("{name:?} needs {whole} bytes, found {}", data.len())));
            }
            Layout::Contiguous(address) if *address != file.undefined_address() => {
                file.check(*address, whole)?
            }
            _ if whole
                > file
                    .length()
                    .saturating_mul(MAX_COMPRESSION_RATIO)
                    .saturating_add(ALWAYS_ALLOWED_BYTES) =>
            {
                return Err(invalid(format!(
                    "{name:?} declares {whole} bytes in a file of {}",
                    file.length()
                )));
            }
            _ => {}
        }
        let (name, chunks) = (name.to_owned(), OnceLock::new());
        Ok(Self { file: Arc::clone(file), name, datatype, value_bytes, shape, layout, filters, fill, chunks })
    }

    /// Sizes of its axes.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Type of its elements.
    pub fn datatype(&self) -> Datatype {
        self.datatype
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
        let read = self.rows(first, count).map_err(|error| match error {
            Hdf5Error::Invalid(message) => Hdf5Error::Invalid(format!("{:?}: {message}", self.name)),
            Hdf5Error::Unsupported(what) => Hdf5Error::Unsupported(format!("{what} (of {:?})", self.name)),
            other => other,
        });
        read.map_err(|error| self.file.error(&error))
    }

    fn rows(&self, first: usize, count: usize) -> Result<Array, Hdf5Error> {
        // A scalar counts as one row.
        let rows = self.shape.first().copied().unwrap_or(1);
        if first.checked_add(count).is_none_or(|end| end > rows) {
            return Err(invalid(format!("rows {first} to {} of {rows}", first.saturating_add(count))));
        }
        let mut shape = self.shape.clone();
        if let Some(axis) = shape.first_mut() {
            *axis = count;
        }
        let bytes = byte_len(&shape, self.value_bytes)
            .ok_or_else(|| invalid(format!("{shape:?} is too much")))? as usize;
        let mut data = vec![0; bytes];
        let row_bytes = bytes.checked_div(count).unwrap_or(0);
        match &self.layout {
            Layout::Compact(all) => data.copy_from_slice(&all[first * row_bytes..][..bytes]),
            Layout::Contiguous(address) if *address == self.file.undefined_address() => {
                self.write_fill_value(&mut data)
            }
            Layout::Contiguous(address) => self.file.fill(address + (first * row_bytes) as u64, &mut data)?,
            Layout::Chunked { grid, index, address } => {
                self.write_fill_value(&mut data);
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
        // Strings are references into the global heap until here.
        match self.datatype {
            Datatype::Plain(dtype) => Array::new(dtype, shape, data).map_err(invalid),
            Datatype::VarLenString => global_heap::texts(&self.file, &data, self.value_bytes, shape),
        }
    }

    /// Fills in the value of elements that were never written.
    fn write_fill_value(&self, data: &mut [u8]) {
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
    ) -> Result<(), Hdf5Error> {
        let tall = grid.chunk[0];
        let from = chunks.partition_point(|chunk| (chunk.index[0] + 1) * tall <= first as u64);
        let last = (first + count) as u64;
        for chunk in chunks[from..].iter().take_while(|chunk| chunk.index[0] * tall < last) {
            let mut raw =
                vec![0; usize::try_from(chunk.bytes).map_err(|_| invalid("a huge chunk".to_owned()))?];
            self.file.fill(chunk.address, &mut raw)?;
            let content =
                filter::decode(&self.filters, chunk.mask, raw, self.value_bytes, grid.bytes as usize)?;
            self.copy_chunk(grid, chunk, &content, (first, count), data);
        }
        Ok(())
    }

    /// Copies a chunk's lines along the last axis to their places in the rows.
    fn copy_chunk(
        &self,
        grid: &Grid,
        chunk: &Chunk,
        content: &[u8],
        (first, count): (usize, usize),
        data: &mut [u8],
    ) {
        let axes = self.shape.len();
        let size: Vec<usize> = grid.chunk.iter().map(|n| *n as usize).collect();
        let start: Vec<usize> = chunk.index.iter().zip(&size).map(|(p, n)| *p as usize * n).collect();
        // Chunks at the border reach past the array: their lines are clipped.
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

/// Size of all rows in bytes. Rows are read in parts, so only one of them must be of a size that is read at once.
fn size_of_all(shape: &[usize], value_bytes: usize) -> Option<u64> {
    match shape {
        [rows, row @ ..] => byte_len(row, value_bytes)?.checked_mul(*rows as u64),
        [] => byte_len(shape, value_bytes),
    }
}
