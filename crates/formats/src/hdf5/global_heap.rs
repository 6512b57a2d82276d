//! Variable-length strings, which are stored in global heap collections.

use std::collections::HashMap;

use super::file::File;
use super::parser::{ALWAYS_ALLOWED_BYTES, Hdf5Error, invalid};
use crate::array::{Array, Dtype, Kind, byte_len};

/// Longest string, in bytes.
const MAX_STRING_BYTES: usize = 1 << 20;
/// Collections kept in memory.
const MAX_CACHED_COLLECTIONS: usize = 64;

/// Resolves references to strings, and pads them to one length.
pub(super) fn texts(
    file: &File,
    data: &[u8],
    value_bytes: usize,
    shape: Vec<usize>,
) -> Result<Array, Hdf5Error> {
    let mut heaps = GlobalHeaps::new(file);
    let texts: Vec<Vec<u8>> =
        data.chunks_exact(value_bytes.max(1)).map(|value| heaps.text(value)).collect::<Result<_, _>>()?;
    let longest = texts.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let need = byte_len(&shape, longest)
        .filter(|bytes| *bytes <= file.length().saturating_mul(64).saturating_add(ALWAYS_ALLOWED_BYTES));
    if need.is_none() {
        return Err(invalid(format!("strings of up to {longest} bytes are too long for {shape:?}")));
    }
    let mut padded = Vec::with_capacity(texts.len() * longest);
    for text in &texts {
        padded.extend(text);
        padded.resize(padded.len() + longest - text.len(), 0);
    }
    Array::new(Dtype { kind: Kind::Bytes, size: longest, big_endian: false }, shape, padded).map_err(invalid)
}

/// A cache of collections.
struct GlobalHeaps<'f> {
    file: &'f File,
    read: HashMap<u64, HashMap<u32, Vec<u8>>>,
}

impl<'f> GlobalHeaps<'f> {
    fn new(file: &'f File) -> Self {
        Self { file, read: HashMap::new() }
    }

    /// The string that a value refers to: length, address of the collection, index in it.
    fn text(&mut self, value: &[u8]) -> Result<Vec<u8>, Hdf5Error> {
        let mut parser = self.file.parser(value);
        let length = parser.u32()? as usize;
        let (address, number) = (parser.offset()?, parser.u32()?);
        if length == 0 || address == 0 || address == self.file.undefined_address() {
            return Ok(Vec::new());
        }
        if !self.read.contains_key(&address) {
            // Values usually refer to collections in order, so starting over costs little.
            if self.read.len() >= MAX_CACHED_COLLECTIONS {
                self.read.clear();
            }
            self.read.insert(address, collection(self.file, address)?);
        }
        let text = self.read.get(&address).and_then(|objects| objects.get(&number)?.get(..length));
        let text = text.filter(|text| text.len() <= MAX_STRING_BYTES);
        text.map(<[u8]>::to_vec)
            .ok_or_else(|| invalid(format!("a string points to nothing: object {number} at {address}")))
    }
}

fn collection(file: &File, address: u64) -> Result<HashMap<u32, Vec<u8>>, Hdf5Error> {
    let head = file.block(address, 8 + file.length_size as u64)?;
    let mut parser = file.parser(&head);
    parser.expect_signature(b"GCOL")?;
    parser.skip(4)?;
    let bytes = parser.length()?;
    let body = file.block(address, bytes)?;
    let mut parser = file.parser(&body);
    parser.skip(8 + file.length_size)?;
    let mut objects = HashMap::new();
    while parser.remaining() >= 8 + file.length_size {
        let number = u32::from(parser.u16()?);
        parser.skip(6)?;
        let size = parser.length()?;
        // Object 0 is the free space at the end.
        if number == 0 {
            break;
        }
        let content = parser.take(usize::try_from(size).unwrap_or(usize::MAX))?;
        objects.insert(number, content.to_vec());
        parser.align()?;
    }
    Ok(objects)
}
