//! Arrays of numbers and strings as NumPy and HDF5 files hold them.

use std::fmt;

use half::slice::HalfFloatSliceExt as _;
use half::{bf16, f16};

/// Kind of the elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IEEE 754 floating point.
    Float,
    /// Signed integers, two's complement.
    Signed,
    /// Unsigned integers and booleans.
    Unsigned,
    /// Bytes padded with zeros.
    Bytes,
    /// UTF-32 padded with zeros.
    Unicode,
}

/// The type of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dtype {
    /// Kind of number or string.
    pub kind: Kind,
    /// Size in bytes.
    pub size: usize,
    /// Whether bytes are in big-endian order.
    pub big_endian: bool,
}

/// Most elements of an array.
pub(crate) const MAX_VALUES: u64 = 1 << 31;
/// Longest string in an array, in bytes.
const MAX_STRING_BYTES: usize = 1 << 16;

impl Dtype {
    /// Parses a NumPy type string: `f2`, `<f4`, `|u1`, `>i8`, `<U12`, `|S5` …
    ///
    /// ```
    /// use lexiform_formats::array::{Dtype, Kind};
    ///
    /// let dtype = Dtype::parse(">i2").expect("a supported type");
    /// assert_eq!((dtype.kind, dtype.size, dtype.big_endian), (Kind::Signed, 2, true));
    /// assert_eq!(dtype.decode_i64(&[0xFF, 0xFE]), -2);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (big_endian, rest) = match text.as_bytes().first()? {
            b'>' => (true, &text[1..]),
            b'<' | b'=' | b'|' => (false, &text[1..]),
            _ => (false, text),
        };
        let (kind, size) = (rest.get(..1)?, rest.get(1..)?.parse::<usize>().ok()?);
        let (kind, size) = match (kind, size) {
            ("f", 2 | 4 | 8) => (Kind::Float, size),
            ("i", 1 | 2 | 4 | 8) => (Kind::Signed, size),
            ("u", 1 | 2 | 4 | 8) | ("b", 1) => (Kind::Unsigned, size),
            ("S", 0..=MAX_STRING_BYTES) => (Kind::Bytes, size),
            ("U", 0..=MAX_STRING_BYTES) => (Kind::Unicode, size * 4),
            _ => return None,
        };
        Some(Self { kind, size, big_endian })
    }

    /// Whether elements are numbers, not strings.
    pub fn is_number(self) -> bool {
        !matches!(self.kind, Kind::Bytes | Kind::Unicode)
    }

    /// Decodes the number in the first bytes; NaN for strings.
    #[inline]
    pub fn decode_f64(self, bytes: &[u8]) -> f64 {
        match (self.kind, self.size) {
            (Kind::Float, 2) => f16::from_bits(self.bits(bytes) as u16).to_f64(),
            (Kind::Float, 4) => f64::from(f32::from_bits(self.bits(bytes) as u32)),
            (Kind::Float, _) => f64::from_bits(self.bits(bytes)),
            (Kind::Bytes | Kind::Unicode, _) => f64::NAN,
            (Kind::Unsigned, _) => self.bits(bytes) as f64,
            (Kind::Signed, _) => self.decode_i64(bytes) as f64,
        }
    }

    /// Decodes the integer in the first bytes; floating-point numbers are truncated, strings give 0.
    #[inline]
    pub fn decode_i64(self, bytes: &[u8]) -> i64 {
        match self.kind {
            Kind::Signed => {
                // Sign extension: shifts the sign bit to the top and back.
                let unused = 64 - 8 * self.size.clamp(1, 8) as u32;
                (self.bits(bytes) << unused) as i64 >> unused
            }
            Kind::Unsigned => self.bits(bytes) as i64,
            Kind::Float => self.decode_f64(bytes) as i64,
            Kind::Bytes | Kind::Unicode => 0,
        }
    }

    /// Decodes the string in the first bytes; numbers are formatted.
    pub fn decode_string(self, bytes: &[u8]) -> String {
        let bytes = bytes.get(..self.size).unwrap_or(bytes);
        match self.kind {
            Kind::Bytes => String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned(),
            Kind::Unicode => {
                let code = |c: &[u8]| {
                    let raw = [c[0], c[1], c[2], c[3]];
                    let code =
                        if self.big_endian { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) };
                    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
                };
                bytes.chunks_exact(4).map(code).collect::<String>().trim_end_matches('\0').to_owned()
            }
            Kind::Float => self.decode_f64(bytes).to_string(),
            Kind::Signed | Kind::Unsigned => self.decode_i64(bytes).to_string(),
        }
    }

    #[inline]
    fn bits(self, bytes: &[u8]) -> u64 {
        let size = self.size.min(8).min(bytes.len());
        let mut little = [0; 8];
        for (i, slot) in little.iter_mut().enumerate().take(size) {
            *slot = if self.big_endian { bytes[size - 1 - i] } else { bytes[i] };
        }
        u64::from_le_bytes(little)
    }
}

/// The NumPy type string.
impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = match self.kind {
            Kind::Float => 'f',
            Kind::Signed => 'i',
            Kind::Unsigned => 'u',
            Kind::Bytes => 'S',
            Kind::Unicode => 'U',
        };
        let order = match self.size {
            _ if self.big_endian => '>',
            1 => '|',
            _ => '<',
        };
        let size = if self.kind == Kind::Unicode { self.size / 4 } else { self.size };
        write!(f, "{order}{letter}{size}")
    }
}

/// A little-endian floating-point type, of arrays that are read in parts or not from NumPy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatType {
    /// IEEE 754, 16 bits.
    F16,
    /// The first 16 bits of [`F32`](Self::F32), as in `.safetensors`; NumPy has no such type.
    Bf16,
    /// IEEE 754, 32 bits.
    F32,
    /// IEEE 754, 64 bits.
    F64,
}

impl FloatType {
    /// The type of an array's elements; `None` if they are not little-endian floats.
    pub fn of(dtype: Dtype) -> Option<Self> {
        match (dtype.kind, dtype.size, dtype.big_endian) {
            (Kind::Float, 2, false) => Some(Self::F16),
            (Kind::Float, 4, false) => Some(Self::F32),
            (Kind::Float, 8, false) => Some(Self::F64),
            _ => None,
        }
    }

    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// All numbers in `bytes`, as `f32`; bytes after the last whole number are ignored.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Self::Bf16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            Self::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Self::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        }
    }
}

/// An array in C order.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Type of its elements.
    pub dtype: Dtype,
    /// Sizes of its axes.
    pub shape: Vec<usize>,
    /// Bytes of its elements, as many as type and shape require.
    pub data: Vec<u8>,
}

impl Array {
    /// An array from its bytes.
    ///
    /// # Errors
    /// If type and shape require another number of bytes, or more than the limit.
    pub fn new(dtype: Dtype, shape: Vec<usize>, data: Vec<u8>) -> Result<Self, String> {
        let need = byte_len(&shape, dtype.size).ok_or_else(|| format!("shape {shape:?} is too large"))?;
        if need != data.len() as u64 {
            let (size, found) = (dtype.size, data.len());
            return Err(format!("shape {shape:?} of {size} bytes a value needs {need} bytes, found {found}"));
        }
        Ok(Self { dtype, shape, data })
    }

    /// An array of values rounded to 16-bit floats, `[rows, columns]`.
    pub fn from_f16(rows: usize, columns: usize, values: impl Iterator<Item = f32>) -> Self {
        let values: Vec<f32> = values.collect();
        let mut halves = vec![f16::ZERO; values.len()];
        halves.convert_from_f32_slice(&values);
        let mut data = vec![0; 2 * halves.len()];
        for (bytes, half) in data.as_chunks_mut().0.iter_mut().zip(halves) {
            *bytes = half.to_le_bytes();
        }
        Self {
            dtype: Dtype { kind: Kind::Float, size: 2, big_endian: false },
            shape: vec![rows, columns],
            data,
        }
    }

    /// An array of 32-bit floats of any shape, which must have as many elements as there are values.
    pub fn from_f32(shape: &[usize], values: &[f32]) -> Self {
        let data = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { dtype: Dtype { kind: Kind::Float, size: 4, big_endian: false }, shape: shape.to_vec(), data }
    }

    /// All elements, converted to `f32`.
    pub fn to_f32_vec(&self) -> Vec<f32> {
        // Most arrays are of these types, and some have hundreds of millions of values.
        match (self.dtype.kind, self.dtype.size, self.dtype.big_endian) {
            (Kind::Float, 2, false) => {
                let bytes = self.data.as_chunks().0;
                let halves: Vec<f16> = bytes.iter().map(|b| f16::from_le_bytes(*b)).collect();
                return halves.to_f32_vec();
            }
            (Kind::Float, 4, false) => {
                return self.data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            }
            _ => {}
        }
        self.values().map(|bytes| self.dtype.decode_f64(bytes) as f32).collect()
    }

    /// All elements, converted to `i64`.
    pub fn to_i64_vec(&self) -> Vec<i64> {
        self.values().map(|bytes| self.dtype.decode_i64(bytes)).collect()
    }

    /// All elements, converted to strings.
    pub fn to_strings(&self) -> Vec<String> {
        self.values().map(|bytes| self.dtype.decode_string(bytes)).collect()
    }

    /// Length of the first axis; 1 for a scalar.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }

    /// The subarray at an index of the first axis.
    pub fn row(&self, index: usize) -> Option<Self> {
        let shape = self.shape.get(1..)?.to_vec();
        let bytes = byte_len(&shape, self.dtype.size)? as usize;
        let data = self.data.get(index * bytes..(index + 1) * bytes)?.to_vec();
        Some(Self { dtype: self.dtype, shape, data })
    }

    fn values(&self) -> impl Iterator<Item = &[u8]> {
        self.data.chunks_exact(self.dtype.size.max(1))
    }
}

/// Size of an array in bytes; `None` beyond the limit.
pub(crate) fn byte_len(shape: &[usize], size: usize) -> Option<u64> {
    let values = shape.iter().try_fold(1_u64, |n, s| n.checked_mul(*s as u64))?;
    let bytes = values.checked_mul(size as u64)?;
    (values <= MAX_VALUES && bytes <= 8 * MAX_VALUES).then_some(bytes)
}

/// Rearranges elements from Fortran order to C order.
pub(crate) fn c_order(data: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len());
    let mut index = vec![0; shape.len()];
    // `index` counts through the array like an odometer, last axis fastest.
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
    fn orders_and_types() {
        assert_eq!(c_order(&[1, 4, 2, 5, 3, 6], &[2, 3], 1), [1, 2, 3, 4, 5, 6]);
        let big = Dtype::parse(">i2").unwrap();
        assert_eq!((big.decode_i64(&[0xFF, 0xFE]), big.decode_f64(&[0x01, 0x00])), (-2, 256.0));
        assert_eq!(Dtype::parse("<u8").unwrap().decode_f64(&[0xFF; 8]), u64::MAX as f64);
        assert_eq!(
            Dtype::parse("<U3").unwrap().decode_string(&[b'a', 0, 0, 0, b'b', 0, 0, 0, 0, 0, 0, 0]),
            "ab"
        );
        assert!(Dtype::parse("<c8").is_none() && Dtype::parse("").is_none() && Dtype::parse("é").is_none());
        for name in ["<f2", ">f8", "|u1", "|i1", "<i4", "<U12", "|S1", "<S5"] {
            assert_eq!(Dtype::parse(name).unwrap().to_string(), name);
        }
        assert_eq!(Array::from_f16(1, 2, [0.5, -2.0].into_iter()).to_f32_vec(), [0.5, -2.0]);
        assert!(Array::new(big, vec![2, 2], vec![0; 6]).unwrap_err().contains("needs 8 bytes, found 6"));
    }
}
