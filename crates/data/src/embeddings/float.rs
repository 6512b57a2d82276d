//! Floating-point types of arrays in files.

use half::{bf16, f16};
use lexiform_formats::array::{Dtype, Kind};

/// A little-endian floating-point type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FloatType {
    F16,
    Bf16,
    F32,
    F64,
}

impl FloatType {
    /// The type of an array; `None` if it is not a supported one of floats.
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

    /// All numbers, as `f32`.
    pub fn decode(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Self::Bf16 => bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            Self::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Self::F64 => bytes.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
        }
    }
}
