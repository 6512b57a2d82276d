//! A writer of simple HDF5 files: a few contiguous arrays of numbers or strings in the root group, as h5py writes them by default. Arrays
//! are streamed, so they may be larger than memory.

use std::io::{BufWriter, IntoInnerError, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::file::SIGNATURE;
use crate::array::{Dtype, Kind};
use crate::{FileWriter, FormatError};

/// Size of the superblock with the root's symbol table entry.
const START: u64 = 96;
/// Half of the names per leaf of the B-tree, as declared in the superblock.
const LEAF_K: u16 = 4;
/// Half of the children per node of the B-tree, as declared in the superblock.
const NODE_K: u16 = 16;
/// The address that means "not allocated".
const UNDEFINED_ADDRESS: u64 = u64::MAX;

/// Writes a file array by array. The file gets its name when it is complete.
///
/// ```
/// use lexiform_formats::array::Dtype;
/// use lexiform_formats::hdf5::{File, Writer};
///
/// let path = std::env::temp_dir().join(format!("lexiform-hdf5-{}.h5", std::process::id()));
/// let mut writer = Writer::create(&path)?;
/// writer.begin_array("labels", Dtype::parse("u1").expect("a supported type"), &[3])?;
/// writer.write(&[7, 8, 9])?;
/// writer.finish()?;
/// assert_eq!(File::open(&path)?.dataset("labels")?.read()?.to_i64_vec(), [7, 8, 9]);
/// std::fs::remove_file(&path)?;
/// # Ok::<(), lexiform_formats::FormatError>(())
/// ```
pub struct Writer {
    path: PathBuf,
    file: BufWriter<FileWriter>,
    at: u64,
    arrays: Vec<ArrayInfo>,
}

struct ArrayInfo {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    address: u64,
    bytes: u64,
}

impl Writer {
    /// Creates the temporary file for `path`.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(path: &Path) -> Result<Self, FormatError> {
        let mut file = BufWriter::with_capacity(1 << 20, FileWriter::create(path)?);
        file.write_all(&[0; START as usize])?;
        Ok(Self { path: path.to_owned(), file, at: START, arrays: Vec::new() })
    }

    /// Starts an array of numbers, or of UTF-8 strings of a fixed size. Write its bytes with [`Writer::write`]: little-endian, in C order, as many as its type and
    /// shape require. At most eight arrays, whose names have no `/`.
    ///
    /// # Errors
    /// If the array is of another kind, the previous one is not complete, or writing fails.
    pub fn begin_array(&mut self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<(), FormatError> {
        let is_supported = match dtype.kind {
            Kind::Bytes => dtype.size > 0,
            Kind::Unicode => false,
            Kind::Float | Kind::Signed | Kind::Unsigned => matches!(dtype.size, 1 | 2 | 4 | 8),
        };
        if self.arrays.len() >= 2 * usize::from(LEAF_K)
            || name.contains('/')
            || name.is_empty()
            || !is_supported
            || dtype.big_endian
        {
            return Err(self.error(format!("no array {name:?} of this kind can be added")));
        }
        self.check_last()?;
        self.pad()?;
        let written =
            ArrayInfo { name: name.to_owned(), dtype, shape: shape.to_vec(), address: self.at, bytes: 0 };
        self.arrays.push(written);
        Ok(())
    }

    /// Adds bytes to the last array.
    ///
    /// # Errors
    /// If writing fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.file.write_all(bytes)?;
        self.at += bytes.len() as u64;
        if let Some(last) = self.arrays.last_mut() {
            last.bytes += bytes.len() as u64;
        }
        Ok(())
    }

    /// Writes the metadata, flushes the file to disk and gives it its name.
    ///
    /// # Errors
    /// If the last array is not complete, or writing fails.
    pub fn finish(mut self) -> Result<(), FormatError> {
        self.check_last()?;
        // Symbol tables are searched by name, so entries must be sorted.
        self.arrays.sort_by(|a, b| a.name.cmp(&b.name));
        self.pad()?;
        let mut headers = Vec::new();
        for array in &self.arrays {
            headers.push(self.at + headers_so_far(&headers));
            headers.push(header_of(array).len() as u64);
        }
        let mut tail: Vec<u8> = self.arrays.iter().flat_map(header_of).collect();
        let heap_at = self.at + tail.len() as u64;
        let (heap, names) = self.heap(heap_at);
        tail.extend(heap);
        let leaf_at = self.at + tail.len() as u64;
        tail.extend(leaf(&names, &headers));
        let node_at = self.at + tail.len() as u64;
        tail.extend(node(leaf_at, names.last().copied().unwrap_or(0)));
        let root_at = self.at + tail.len() as u64;
        tail.extend(object(&[(0x11, [node_at.to_le_bytes(), heap_at.to_le_bytes()].concat())]));
        self.file.write_all(&tail)?;
        let end = self.at + tail.len() as u64;
        // The superblock last: it has the addresses of everything else.
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&superblock(end, root_at, node_at, heap_at))?;
        self.file.into_inner().map_err(IntoInnerError::into_error)?.commit()?;
        Ok(())
    }

    /// The local heap of names, each at a multiple of 8, and their offsets.
    fn heap(&self, at: u64) -> (Vec<u8>, Vec<u64>) {
        let mut text = vec![0; 8];
        let mut names = Vec::new();
        for array in &self.arrays {
            names.push(text.len() as u64);
            text.extend(array.name.as_bytes());
            text.resize((text.len() + 1).next_multiple_of(8), 0);
        }
        let mut heap = b"HEAP\0\0\0\0".to_vec();
        // 1 means no free space.
        for number in [text.len() as u64, 1, at + 32] {
            heap.extend(number.to_le_bytes());
        }
        heap.extend(text);
        (heap, names)
    }

    fn pad(&mut self) -> Result<(), FormatError> {
        let gap = self.at.next_multiple_of(8) - self.at;
        self.file.write_all(&[0; 8][..gap as usize])?;
        self.at += gap;
        Ok(())
    }

    fn check_last(&self) -> Result<(), FormatError> {
        let Some(last) = self.arrays.last() else { return Ok(()) };
        let need = last.shape.iter().map(|n| *n as u64).product::<u64>() * last.dtype.size as u64;
        if last.bytes == need {
            Ok(())
        } else {
            Err(self.error(format!("array {:?} needs {need} bytes, {} were written", last.name, last.bytes)))
        }
    }

    fn error(&self, message: String) -> FormatError {
        FormatError::invalid(&self.path, message)
    }
}

/// Size of all headers, given addresses and sizes in turn.
fn headers_so_far(headers: &[u64]) -> u64 {
    headers.chunks_exact(2).map(|pair| pair[1]).sum()
}

/// An object header of version 1 around messages.
fn object(messages: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (kind, data) in messages {
        let size = data.len().next_multiple_of(8);
        body.extend(kind.to_le_bytes());
        body.extend((size as u16).to_le_bytes());
        body.extend([0; 4]);
        body.extend(data);
        body.resize(body.len() + size - data.len(), 0);
    }
    let mut header = vec![1, 0];
    header.extend((messages.len() as u16).to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    header.extend((body.len() as u32).to_le_bytes());
    header.extend([0; 4]);
    header.extend(body);
    header
}

fn header_of(array: &ArrayInfo) -> Vec<u8> {
    let mut space = vec![1, array.shape.len() as u8, 0, 0, 0, 0, 0, 0];
    array.shape.iter().for_each(|n| space.extend((*n as u64).to_le_bytes()));
    // Late allocation, written if set, defined, of no bytes: zero.
    let fill = vec![2, 2, 2, 1, 0, 0, 0, 0];
    let mut layout = vec![3, 1];
    layout.extend(array.address.to_le_bytes());
    layout.extend(array.bytes.to_le_bytes());
    object(&[(0x01, space), (0x03, datatype_message(array.dtype)), (0x05, fill), (0x08, layout)])
}

/// Class and version, flags, size, and the properties of the class.
fn datatype_message(dtype: Dtype) -> Vec<u8> {
    let (flags, properties) = match dtype.kind {
        // Padded with zeros, UTF-8.
        Kind::Bytes => ([0x13, 0x11, 0, 0], vec![]),
        Kind::Float => float_properties(dtype),
        // The first bit and the number of bits.
        Kind::Signed => ([0x10, 0x08, 0, 0], vec![0, 0, 8 * dtype.size as u8, 0]),
        _ => ([0x10, 0, 0, 0], vec![0, 0, 8 * dtype.size as u8, 0]),
    };
    [&flags[..], &(dtype.size as u32).to_le_bytes(), &properties].concat()
}

fn float_properties(dtype: Dtype) -> ([u8; 4], Vec<u8>) {
    let bits = 8 * dtype.size as u8;
    let (exponent_at, exponent, bias) = match dtype.size {
        2 => (10, 5, 15_u32),
        4 => (23, 8, 127),
        _ => (52, 11, 1023),
    };
    // Normalized with an implied highest bit; the sign is the last bit.
    let flags = [0x11, 0x20, bits - 1, 0];
    // The first bit and the number of bits; positions and sizes of exponent and mantissa; the exponent's bias.
    let numbers = [0, 0, bits, 0, exponent_at, exponent, 0, exponent_at];
    (flags, [&numbers[..], &bias.to_le_bytes()].concat())
}

/// The leaf with every name's entry, given addresses and sizes of headers in turn.
fn leaf(names: &[u64], headers: &[u64]) -> Vec<u8> {
    let mut leaf = b"SNOD\x01\0".to_vec();
    leaf.extend((names.len() as u16).to_le_bytes());
    for (name, header) in names.iter().zip(headers.chunks_exact(2)) {
        leaf.extend(name.to_le_bytes());
        leaf.extend(header[0].to_le_bytes());
        leaf.extend([0; 24]);
    }
    leaf.resize(8 + 2 * usize::from(LEAF_K) * 40, 0);
    leaf
}

fn node(leaf_at: u64, last_name: u64) -> Vec<u8> {
    let mut node = b"TREE\0\0\x01\0".to_vec();
    for number in [UNDEFINED_ADDRESS, UNDEFINED_ADDRESS, 0, leaf_at, last_name] {
        node.extend(number.to_le_bytes());
    }
    node.resize(24 + (4 * usize::from(NODE_K) + 1) * 8, 0);
    node
}

fn superblock(end: u64, root_at: u64, node_at: u64, heap_at: u64) -> Vec<u8> {
    let mut block = SIGNATURE.to_vec();
    block.extend([0, 0, 0, 0, 0, 8, 8, 0]);
    block.extend(LEAF_K.to_le_bytes());
    block.extend(NODE_K.to_le_bytes());
    block.extend([0; 4]);
    for number in [0, UNDEFINED_ADDRESS, end, UNDEFINED_ADDRESS, 0, root_at] {
        block.extend(number.to_le_bytes());
    }
    // The root's entry repeats the addresses of its tree and names.
    block.extend(1_u32.to_le_bytes());
    block.extend([0; 4]);
    block.extend(node_at.to_le_bytes());
    block.extend(heap_at.to_le_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::array::Array;
    use crate::hdf5::File;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.h5");
        let arrays = [
            ("shape_feat", Array::from_f16(3, 2, [1.0, 2.0, -3.0, 0.5, 0.25, 9.0].into_iter())),
            (
                "imgs",
                Array { dtype: Dtype::parse("u1").unwrap(), shape: vec![2, 3], data: vec![1, 2, 3, 4, 5, 6] },
            ),
            ("f", Array::from_f32(&[4], &[1.5, 2.5, 3.5, 4.5])),
            (
                "names",
                Array {
                    dtype: Dtype::parse("S3").unwrap(),
                    shape: vec![2],
                    data: b"a\0\0\xc3\xbcb".to_vec(),
                },
            ),
        ];
        let mut writer = Writer::create(&path).unwrap();
        for (name, array) in &arrays {
            writer.begin_array(name, array.dtype, &array.shape).unwrap();
            array.data.chunks(2).for_each(|bytes| writer.write(bytes).unwrap());
        }
        writer.finish().unwrap();
        let file = File::open(&path).unwrap();
        assert_eq!(file.names("").unwrap(), ["f", "imgs", "names", "shape_feat"]);
        assert_eq!(file.dataset("names").unwrap().read().unwrap().to_strings(), ["a", "üb"]);
        for (name, array) in &arrays {
            let dataset = file.dataset(name).unwrap();
            assert_eq!(dataset.read().unwrap(), *array, "{name}");
            assert_eq!(dataset.read_rows(1, 1).unwrap().data, array.row(1).map_or(vec![], |row| row.data));
        }
        assert!(file.dataset("g").is_err());
    }

    #[test]
    fn every_type_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "S1", "S300"] {
            let (path, dtype) = (folder.path().join(name), Dtype::parse(name).unwrap());
            let array =
                Array { dtype, shape: vec![3], data: (1..=3).flat_map(|n| vec![n; dtype.size]).collect() };
            let mut writer = Writer::create(&path).unwrap();
            writer.begin_array("a", dtype, &array.shape).unwrap();
            writer.write(&array.data).unwrap();
            writer.finish().unwrap();
            assert_eq!(File::open(&path).unwrap().dataset("a").unwrap().read().unwrap(), array, "{name}");
        }
        let message = |name: &str| datatype_message(Dtype::parse(name).unwrap());
        let float = [0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];
        assert_eq!(message("f4"), float);
        assert_eq!(message("i8"), [0x10, 8, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0]);
        assert_eq!(message("S300"), [0x13, 0x11, 0, 0, 44, 1, 0, 0]);
    }
}
