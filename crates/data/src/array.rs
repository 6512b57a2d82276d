//! Arrays of numbers as NumPy and HDF5 files hold them, and the `.npy` format itself.

use half::f16;
use half::slice::HalfFloatSliceExt as _;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IEEE 754.
    Float,
    /// Two's complement.
    Signed,
    /// Unsigned, truth values too.
    Unsigned,
    /// Bytes padded with zeros.
    Bytes,
    /// UTF-32 padded with zeros.
    Unicode,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dtype {
    /// What it is.
    pub kind: Kind,
    /// Bytes of a value.
    pub size: usize,
    /// Whether the highest byte comes first.
    pub big: bool,
}

/// Most values of an array that is read whole.
pub(crate) const MOST_VALUES: u64 = 1 << 31;
/// Longest string in an array, in bytes.
const LONGEST_STRING: usize = 1 << 16;

impl Dtype {
    /// `f2`, `<f4`, `|u1`, `>i8`, `<U12`, `|S5` …
    pub fn parse(text: &str) -> Option<Self> {
        let (big, rest) = match text.as_bytes().first()? {
            b'>' => (true, &text[1..]),
            b'<' | b'=' | b'|' => (false, &text[1..]),
            _ => (false, text),
        };
        let (kind, size) = (rest.get(..1)?, rest.get(1..)?.parse::<usize>().ok()?);
        let (kind, size) = match (kind, size) {
            ("f", 2 | 4 | 8) => (Kind::Float, size),
            ("i", 1 | 2 | 4 | 8) => (Kind::Signed, size),
            ("u", 1 | 2 | 4 | 8) | ("b", 1) => (Kind::Unsigned, size),
            ("S", 0..=LONGEST_STRING) => (Kind::Bytes, size),
            ("U", 0..=LONGEST_STRING) => (Kind::Unicode, size * 4),
            _ => return None,
        };
        Some(Self { kind, size, big })
    }

    /// The number in the first bytes; strings are NaN.
    pub fn number(self, bytes: &[u8]) -> f64 {
        match (self.kind, self.size) {
            (Kind::Float, 2) => f16::from_bits(self.bits(bytes) as u16).to_f64(),
            (Kind::Float, 4) => f64::from(f32::from_bits(self.bits(bytes) as u32)),
            (Kind::Float, _) => f64::from_bits(self.bits(bytes)),
            (Kind::Bytes | Kind::Unicode, _) => f64::NAN,
            _ => self.whole(bytes) as f64,
        }
    }

    /// The whole number in the first bytes; other kinds are rounded, strings 0.
    pub fn whole(self, bytes: &[u8]) -> i64 {
        match self.kind {
            Kind::Signed => {
                let unused = 64 - 8 * self.size.clamp(1, 8) as u32;
                (self.bits(bytes) << unused) as i64 >> unused
            }
            Kind::Unsigned => self.bits(bytes) as i64,
            Kind::Float => self.number(bytes) as i64,
            Kind::Bytes | Kind::Unicode => 0,
        }
    }

    /// The text in the first bytes; numbers are written out.
    pub fn text(self, bytes: &[u8]) -> String {
        let bytes = bytes.get(..self.size).unwrap_or(bytes);
        match self.kind {
            Kind::Bytes => String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned(),
            Kind::Unicode => {
                let code = |c: &[u8]| {
                    let raw = [c[0], c[1], c[2], c[3]];
                    let code = if self.big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) };
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                };
                bytes.chunks_exact(4).map(code).collect::<String>().trim_end_matches('\0').to_owned()
            }
            Kind::Float => self.number(bytes).to_string(),
            Kind::Signed | Kind::Unsigned => self.whole(bytes).to_string(),
        }
    }

    fn bits(self, bytes: &[u8]) -> u64 {
        let size = self.size.min(8).min(bytes.len());
        let mut little = [0; 8];
        for (i, slot) in little.iter_mut().enumerate().take(size) {
            *slot = if self.big { bytes[size - 1 - i] } else { bytes[i] };
        }
        u64::from_le_bytes(little)
    }
}

/// An array in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Type of its values.
    pub dtype: Dtype,
    /// Sizes of its axes.
    pub shape: Vec<usize>,
    /// Its values' bytes: as many as type and shape say.
    pub data: Vec<u8>,
}

impl Array {
    /// Checks that there are as many bytes as type and shape say.
    pub fn new(dtype: Dtype, shape: Vec<usize>, data: Vec<u8>) -> Result<Self, String> {
        let need = bytes_of(&shape, dtype.size).ok_or_else(|| format!("shape {shape:?} is too large"))?;
        match need == data.len() as u64 {
            true => Ok(Self { dtype, shape, data }),
            false => Err(format!(
                "shape {shape:?} of {} bytes a value needs {need} bytes, found {}",
                dtype.size,
                data.len()
            )),
        }
    }

    /// Halves, `[rows, columns]`.
    pub fn halves(rows: usize, columns: usize, values: impl Iterator<Item = f32>) -> Self {
        let values: Vec<f32> = values.collect();
        let mut halves = vec![f16::ZERO; values.len()];
        halves.convert_from_f32_slice(&values);
        let mut data = vec![0; 2 * halves.len()];
        for (bytes, half) in data.as_chunks_mut().0.iter_mut().zip(halves) {
            *bytes = half.to_le_bytes();
        }
        Self { dtype: Dtype { kind: Kind::Float, size: 2, big: false }, shape: vec![rows, columns], data }
    }

    /// Single precision, any shape; there must be as many values as it says.
    pub fn singles(shape: &[usize], values: &[f32]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { dtype: Dtype { kind: Kind::Float, size: 4, big: false }, shape: shape.to_vec(), data }
    }

    /// All values as numbers.
    pub fn numbers(&self) -> Vec<f32> {
        self.values().map(|bytes| self.dtype.number(bytes) as f32).collect()
    }

    /// All values as whole numbers.
    pub fn wholes(&self) -> Vec<i64> {
        self.values().map(|bytes| self.dtype.whole(bytes)).collect()
    }

    /// All values as text.
    pub fn texts(&self) -> Vec<String> {
        self.values().map(|bytes| self.dtype.text(bytes)).collect()
    }

    /// Length of the first axis; 1 for a single value.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// One of the first axis: an array with one axis less.
    pub fn row(&self, index: usize) -> Option<Self> {
        let shape = self.shape.get(1..)?.to_vec();
        let bytes = bytes_of(&shape, self.dtype.size)? as usize;
        let data = self.data.get(index * bytes..(index + 1) * bytes)?.to_vec();
        Some(Self { dtype: self.dtype, shape, data })
    }

    fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.data.chunks_exact(self.dtype.size.max(1))
    }

    /// As a `.npy` file, version 1.
    pub fn to_npy(&self) -> Vec<u8> {
        let letter = match self.dtype.kind {
            Kind::Float => 'f',
            Kind::Signed => 'i',
            Kind::Unsigned => 'u',
            Kind::Bytes => 'S',
            Kind::Unicode => 'U',
        };
        let order = if self.dtype.big {
            '>'
        } else if self.dtype.size == 1 {
            '|'
        } else {
            '<'
        };
        let size = if self.dtype.kind == Kind::Unicode { self.dtype.size / 4 } else { self.dtype.size };
        let sizes: String = self.shape.iter().map(|n| format!("{n}, ")).collect();
        let sizes = if self.shape.len() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
        let mut header =
            format!("{{'descr': '{order}{letter}{size}', 'fortran_order': False, 'shape': ({sizes}), }}");
        // Magic, version and length take 10 bytes; the whole is a multiple of 64, as NumPy makes it.
        let padding = 63 - (10 + header.len()) % 64;
        header.push_str(&" ".repeat(padding));
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(&self.data);
        bytes
    }
}

/// Bytes of an array, if they are bearable.
pub(crate) fn bytes_of(shape: &[usize], size: usize) -> Option<u64> {
    let values = shape.iter().try_fold(1_u64, |n, s| n.checked_mul(*s as u64))?;
    let bytes = values.checked_mul(size as u64)?;
    (values <= MOST_VALUES && bytes <= 8 * MOST_VALUES).then_some(bytes)
}

/// What a `.npy` file holds.
#[derive(Debug)]
pub enum Npy {
    /// Numbers or strings.
    Array(Array),
    /// Python objects of this shape, pickled.
    Pickled(Vec<usize>, Vec<u8>),
}

/// Reads a `.npy` file. Nothing in it is executed.
pub fn read_npy(bytes: &[u8]) -> Result<Npy, String> {
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("expected the magic \"\\x93NUMPY\"")?;
    let (start, length): (usize, usize) = match *rest {
        [1, _, a, b, ..] => (4, u16::from_le_bytes([a, b]) as usize),
        [2 | 3, _, a, b, c, d, ..] => (6, u32::from_le_bytes([a, b, c, d]) as usize),
        _ => return Err("the header is cut off".to_owned()),
    };
    let header = rest.get(start..start.saturating_add(length)).ok_or("the header is cut off")?;
    let header = std::str::from_utf8(header).map_err(|_| "the header is not text")?;
    let data = &rest[start + length..];
    let wrong = |what: &str| {
        format!("header: expected {what}, found {:?}", header.chars().take(120).collect::<String>())
    };
    let descr = entry(header, "descr").ok_or_else(|| wrong("'descr'"))?;
    let shape = entry(header, "shape").and_then(|v| v.strip_prefix('(')).ok_or_else(|| wrong("'shape'"))?;
    let sizes =
        shape.split(')').next().unwrap_or_default().split(',').map(str::trim).filter(|s| !s.is_empty());
    let shape: Vec<usize> = sizes
        .map(|s| s.trim_end_matches('L').parse())
        .collect::<Result<_, _>>()
        .map_err(|_| wrong("whole numbers"))?;
    if shape.len() > 8 {
        return Err(wrong("at most 8 axes"));
    }
    let name = descr.trim_start_matches(['\'', '"']).split(['\'', '"']).next().unwrap_or_default();
    if matches!(name, "|O" | "O") {
        return Ok(Npy::Pickled(shape, data.to_vec()));
    }
    let dtype = Dtype::parse(name).ok_or_else(|| format!("arrays of type {name:?} are not read"))?;
    let need = bytes_of(&shape, dtype.size).ok_or_else(|| format!("shape {shape:?} is too large"))?;
    let data = data.get(..need as usize);
    let data = data.ok_or_else(|| {
        format!(
            "values of shape {shape:?} need {need} bytes, the file has {} left",
            rest.len() - start - length
        )
    })?;
    let fortran = entry(header, "fortran_order").is_some_and(|v| v.starts_with("True"));
    let data = if fortran { c_order(data, &shape, dtype.size) } else { data.to_vec() };
    Array::new(dtype, shape, data).map(Npy::Array)
}

/// The value behind a key of the header's dictionary.
fn entry<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let rest = &header[header.find(key)? + key.len()..];
    Some(rest.trim_start_matches(['\'', '"']).trim_start().strip_prefix(':')?.trim_start())
}

/// Values whose first axis is the closest, in C order.
pub(crate) fn c_order(data: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut index = vec![0; shape.len()];
    for _ in 0..data.len() / size.max(1) {
        let (mut at, mut stride) = (0, 1);
        for (i, n) in index.iter().zip(shape) {
            at += i * stride;
            stride *= n;
        }
        out.extend_from_slice(&data[at * size..(at + 1) * size]);
        for axis in (0..shape.len()).rev() {
            index[axis] += 1;
            if index[axis] < shape[axis] {
                break;
            }
            index[axis] = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_go_to_npy_and_back() {
        let array = Array::singles(&[2, 3], &[1.0, 2.0, 3.0, -4.0, 5.5, 6.0]);
        let bytes = array.to_npy();
        assert_eq!((bytes.len() - 24) % 64, 0);
        let Ok(Npy::Array(back)) = read_npy(&bytes) else { panic!("not an array") };
        assert_eq!(back, array);
        assert_eq!(back.row(1).unwrap().numbers(), [-4.0, 5.5, 6.0]);
        assert_eq!(Array::halves(1, 2, [0.5, -2.0].into_iter()).numbers(), [0.5, -2.0]);
        let one = Array::singles(&[3], &[1.0, 2.0, 3.0]).to_npy();
        assert!(String::from_utf8_lossy(&one).contains("'shape': (3,), }"));
    }

    #[test]
    fn orders_and_types() {
        assert_eq!(c_order(&[1, 4, 2, 5, 3, 6], &[2, 3], 1), [1, 2, 3, 4, 5, 6]);
        let big = Dtype::parse(">i2").unwrap();
        assert_eq!((big.whole(&[0xFF, 0xFE]), big.number(&[0x01, 0x00])), (-2, 256.0));
        assert_eq!(Dtype::parse("<U3").unwrap().text(&[b'a', 0, 0, 0, b'b', 0, 0, 0, 0, 0, 0, 0]), "ab");
        assert!(Dtype::parse("<c8").is_none() && Dtype::parse("").is_none() && Dtype::parse("é").is_none());
    }

    #[test]
    fn impossible_shapes_are_refused() {
        let with = |shape: &str| {
            let mut bytes = Array::singles(&[1], &[0.0]).to_npy();
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
