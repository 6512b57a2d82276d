//! NumPy's [`.npy` format], versions 1 to 3.
//!
//! [`.npy` format]: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

use crate::array::{Array, Dtype, byte_len, c_order};

/// The first bytes of every file.
pub const MAGIC: &[u8] = b"\x93NUMPY";
/// Most axes of an array.
const MAX_RANK: usize = 8;
/// Data starts at a multiple of this, as NumPy aligns it.
const ALIGNMENT: usize = 64;
/// Characters of a header that an error shows.
const EXCERPT_CHARS: usize = 120;

/// The header of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// NumPy type string of the elements, such as `<f4`.
    pub descr: String,
    /// Whether the first axis varies fastest.
    pub fortran_order: bool,
    /// Sizes of the axes.
    pub shape: Vec<usize>,
    /// Offset of the elements in the file.
    pub data_start: usize,
}

/// Why a header cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not a `.npy` file.
    #[error("expected the magic \"\\x93NUMPY\"")]
    Magic,
    /// A version that does not exist.
    #[error("expected format version 1, 2 or 3, found {0}")]
    Version(u8),
    /// The file ends before the header does.
    #[error("the header is truncated")]
    CutOff,
    /// The header is not UTF-8.
    #[error("the header is not UTF-8")]
    Encoding,
    /// An entry is missing or malformed.
    #[error("header: expected {expected}, found {found:?}")]
    Entry {
        /// What was expected.
        expected: &'static str,
        /// The beginning of the header.
        found: String,
    },
    /// Elements are records of named fields.
    #[error("arrays of records are not supported")]
    Records,
}

impl Header {
    /// Parses the header at the start of a file.
    ///
    /// ```
    /// use lexiform_formats::array::Array;
    /// use lexiform_formats::npy::Header;
    ///
    /// let header = Header::parse(&Array::from_f32(&[3], &[1.0, 2.0, 3.0]).to_npy())?;
    /// assert_eq!((header.descr.as_str(), header.shape), ("<f4", vec![3]));
    /// # Ok::<(), lexiform_formats::npy::HeaderError>(())
    /// ```
    ///
    ///
    /// # Errors
    /// If it is not the header of an array of plain elements.
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(HeaderError::Magic)?;
        let (start, length): (usize, usize) = match *rest {
            [1, _, a, b, ..] => (4, usize::from(u16::from_le_bytes([a, b]))),
            [2 | 3, _, a, b, c, d, ..] => (6, u32::from_le_bytes([a, b, c, d]) as usize),
            [] | [1..=3, ..] => return Err(HeaderError::CutOff),
            [version, ..] => return Err(HeaderError::Version(version)),
        };
        let text = rest.get(start..start.saturating_add(length)).ok_or(HeaderError::CutOff)?;
        let text = std::str::from_utf8(text).map_err(|_| HeaderError::Encoding)?;
        let malformed = |expected| {
            move || HeaderError::Entry { expected, found: text.chars().take(EXCERPT_CHARS).collect() }
        };
        let descr = header_value(text, "descr").ok_or_else(malformed("'descr'"))?;
        let descr = descr.strip_prefix(['\'', '"']).ok_or(HeaderError::Records)?;
        let descr = descr.split(['\'', '"']).next().unwrap_or_default().to_owned();
        let fortran_order =
            header_value(text, "fortran_order").is_some_and(|value| value.starts_with("True"));
        let shape = header_value(text, "shape").and_then(|value| value.strip_prefix('('));
        let shape = shape.ok_or_else(malformed("'shape'"))?.split(')').next().unwrap_or_default();
        let sizes = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
        // Python 2 wrote long integers as `3L`.
        let sizes = sizes.map(|size| size.trim_end_matches('L').parse()).collect::<Result<Vec<_>, _>>();
        let shape = sizes.map_err(|_| malformed("a shape of whole numbers")())?;
        if shape.len() > MAX_RANK {
            return Err(malformed("at most 8 axes")());
        }
        Ok(Self { descr, fortran_order, shape, data_start: MAGIC.len() + start + length })
    }

    /// Type of the elements; `None` if it is not supported.
    pub fn dtype(&self) -> Option<Dtype> {
        Dtype::parse(&self.descr)
    }

    /// Whether elements are pickled Python objects.
    pub fn is_pickled(&self) -> bool {
        matches!(self.descr.as_str(), "|O" | "O")
    }
}

/// The text after a key of the header's dictionary and its colon.
fn header_value<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    const QUOTES: [char; 2] = ['\'', '"'];
    // The dictionary is not parsed: a quoted key that a colon follows is enough, and nothing is evaluated.
    header.match_indices(key).find_map(|(at, _)| {
        let rest = &header[at + key.len()..];
        let is_quoted = header[..at].ends_with(QUOTES) && rest.starts_with(QUOTES);
        let value = rest.get(1..).filter(|_| is_quoted)?.trim_start().strip_prefix(':')?;
        Some(value.trim_start())
    })
}

/// The content of a `.npy` file.
#[derive(Debug)]
pub enum Npy {
    /// Numbers or strings.
    Array(Array),
    /// The shape and the pickle of an array of Python objects.
    Pickled(Vec<usize>, Vec<u8>),
}

/// Reads a `.npy` file. Pickled objects are returned as bytes; nothing is executed.
///
/// # Errors
/// If the header cannot be read, the type is not supported, or there are fewer bytes than the shape requires.
pub fn read_npy(bytes: &[u8]) -> Result<Npy, String> {
    let header = Header::parse(bytes).map_err(|error| error.to_string())?;
    let data = &bytes[header.data_start..];
    if header.is_pickled() {
        return Ok(Npy::Pickled(header.shape, data.to_vec()));
    }
    let dtype = header.dtype().ok_or_else(|| format!("unsupported array type {:?}", header.descr))?;
    let shape = header.shape;
    let need = byte_len(&shape, dtype.size).ok_or_else(|| format!("shape {shape:?} is too large"))?;
    let left = data.len();
    let data = data
        .get(..need as usize)
        .ok_or_else(|| format!("values of shape {shape:?} need {need} bytes, the file has {left} left"))?;
    let data = if header.fortran_order { c_order(data, &shape, dtype.size) } else { data.to_vec() };
    Array::new(dtype, shape, data).map(Npy::Array)
}

/// Encodes a file of version 1.
pub(crate) fn write_npy(descr: &str, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let mut bytes = header(descr, shape);
    bytes.extend_from_slice(data);
    bytes
}

/// The beginning of a file of version 1, which the elements follow in C order.
pub fn header(descr: &str, shape: &[usize]) -> Vec<u8> {
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let sizes = if shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    // Magic, version and length before the header; its line break after it.
    let before = MAGIC.len() + 4;
    let length = (before + header.len() + 1).next_multiple_of(ALIGNMENT) - before;
    let mut bytes = Vec::with_capacity(before + length);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    // Arrays of up to 32 axes, of at most 22 characters each: far below the format's limit of 65,535.
    bytes.extend_from_slice(&(length as u16).to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(before + length - 1, b' ');
    bytes.push(b'\n');
    bytes
}

impl Array {
    /// The array as a `.npy` file, version 1.
    pub fn to_npy(&self) -> Vec<u8> {
        write_npy(&self.dtype.to_string(), &self.shape, &self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_go_to_npy_and_back() {
        let array = Array::from_f32(&[2, 3], &[1.0, 2.0, 3.0, -4.0, 5.5, 6.0]);
        let bytes = array.to_npy();
        assert_eq!((bytes.len() - 24) % 64, 0);
        let Ok(Npy::Array(back)) = read_npy(&bytes) else { panic!("not an array") };
        assert_eq!(back, array);
        assert_eq!(back.row(1).unwrap().to_f32_vec(), [-4.0, 5.5, 6.0]);
        let one = Array::from_f32(&[3], &[1.0, 2.0, 3.0]).to_npy();
        assert!(String::from_utf8_lossy(&one).contains("'shape': (3,), }"));
    }

    #[test]
    fn the_header_is_aligned_and_the_data_follows() {
        for axes in 0..9 {
            let bytes = write_npy("<f4", &vec![12; axes], &[1, 2, 3, 4, 5, 6, 7, 8]);
            assert_eq!((bytes.len() - 8) % 64, 0);
            assert_eq!(&bytes[bytes.len() - 9..], b"\n\x01\x02\x03\x04\x05\x06\x07\x08");
            let header = Header::parse(&bytes).unwrap();
            assert_eq!((header.shape, header.data_start), (vec![12; axes], bytes.len() - 8));
        }
        let text = write_npy("<f4", &[1, 2], &[]);
        assert!(String::from_utf8_lossy(&text).contains("'shape': (1, 2), }"));
    }

    #[test]
    fn headers_of_other_writers() {
        let parse = |header: &str| {
            let length = (header.len() as u16).to_le_bytes();
            Header::parse(&[MAGIC, b"\x01\x00", &length, header.as_bytes()].concat())
        };
        let header = parse("{\"shape\": (2L, 3L), \"fortran_order\":True,'descr' : \">f8\"}").unwrap();
        assert_eq!((header.descr.as_str(), header.fortran_order, header.shape), (">f8", true, vec![2, 3]));
        // A field of a record may be called as an entry is.
        let records =
            parse("{'descr': [('shape', '<f4'), ('y', '<f4')], 'fortran_order': False, 'shape': (2,)}");
        assert_eq!(records, Err(HeaderError::Records));
        let error = parse("{'descr': '<f4'}").unwrap_err().to_string();
        assert_eq!(error, "header: expected 'shape', found \"{'descr': '<f4'}\"");
        assert_eq!(Header::parse(b"\x93NUMPY\x07\x00\x00\x00"), Err(HeaderError::Version(7)));
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let with = |shape: &str| {
            let mut bytes = Array::from_f32(&[1], &[0.0]).to_npy();
            let at = bytes.windows(4).position(|w| w == b"(1,)").unwrap();
            bytes.splice(at..at + 4, shape.bytes());
            let length = bytes.iter().position(|b| *b == b'\n').unwrap() + 1 - 10;
            bytes[8..10].copy_from_slice(&(length as u16).to_le_bytes());
            read_npy(&bytes)
        };
        assert!(with("(1,)").is_ok());
        for shape in ["(99999999999,)", "(2,)", "(65536, 65536, 65536, 65536, 65536)", "(-1,)", "(x,)"] {
            assert!(with(shape).is_err(), "{shape}");
        }
        for bytes in [&b""[..], b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{}", b"PK\x03\x04"] {
            assert!(read_npy(bytes).is_err());
        }
    }
}
