//! Precision of inference.

use std::fmt;
use std::str::FromStr;

use lexiform_kernels::bf16::Bf16Unit;

/// Numbers of a weight from which [`ComputePrecision::Auto`] rounds it: smaller ones stay in the cache, and take little time.
const MIN_ELEMENTS: usize = 1 << 17;

/// Precision of the products of linear layers and attention in inference on the CPU. Sums, norms, softmax and the residual stream
/// are in `f32` in any case, so that embeddings of all precisions are in one space: their cosine is above 0.9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputePrecision {
    /// `bf16` for large weights where the processor has a tile unit for it (AMX), `f32` otherwise.
    Auto,
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the exponent of `f32`, where the processor multiplies it (AMX or AVX-512-BF16).
    Bf16,
}

impl ComputePrecision {
    const NAMES: [(&'static str, Self); 3] = [("auto", Self::Auto), ("f32", Self::F32), ("bf16", Self::Bf16)];

    /// The precision of a model with everyday language, if it has: its scores were calibrated in `f32`, and it is small.
    pub(crate) fn with_language(self, has_language: bool) -> Self {
        if has_language && self == Self::Auto { Self::F32 } else { self }
    }

    /// What multiplies by a weight of this shape, in words: `f32`, or `bf16 (AMX-BF16)`.
    pub(crate) fn describe(self, shape: [usize; 2]) -> String {
        self.unit(shape).map_or_else(|| "f32".to_owned(), |unit| format!("bf16 ({})", unit.name()))
    }

    /// Whether a weight of this shape is rounded where the processor multiplies `bf16`.
    pub(crate) fn rounds(self, shape: [usize; 2]) -> bool {
        match self {
            Self::F32 => false,
            Self::Auto => shape[0] * shape[1] >= MIN_ELEMENTS,
            Self::Bf16 => true,
        }
    }

    /// The unit that multiplies by a weight of this shape, unless that is done in `f32`.
    pub(crate) fn unit(self, shape: [usize; 2]) -> Option<Bf16Unit> {
        let unit = if self.rounds(shape) { Bf16Unit::detect() } else { None };
        unit.filter(|unit| self != Self::Auto || unit.is_fast())
    }
}

/// Precision of the weights of a language model on the CPU. Decoding reads all of them for each token, so half the bytes are twice
/// the tokens; sums, norms, softmax, attention and the residual stream are in `f32` in any case. Keys and values are cached in
/// `bf16` unless weights are `f32`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeightPrecision {
    /// `bf16` for large weights, `f32` for others.
    Auto,
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the exponent of `f32`.
    Bf16,
    /// 8 bits and a factor for each output ([arXiv 2206.01861](https://arxiv.org/abs/2206.01861), section 3); token embeddings that
    /// are not the output layer too are in `bf16`.
    Int8,
}

/// How a weight is rounded and ordered when it is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// For a unit that multiplies `bf16`.
    Bf16(Bf16Unit),
    /// In bytes.
    Int8,
}

impl WeightPrecision {
    const NAMES: [(&'static str, Self); 4] =
        [("auto", Self::Auto), ("f32", Self::F32), ("bf16", Self::Bf16), ("int8", Self::Int8)];

    /// How a weight of this shape is packed, unless it stays in `f32`.
    pub(crate) fn packing(self, shape: [usize; 2]) -> Option<Packing> {
        let bf16 = || Packing::Bf16(Bf16Unit::detect().unwrap_or(Bf16Unit::portable()));
        match self {
            Self::F32 => None,
            Self::Auto => (shape[0] * shape[1] >= MIN_ELEMENTS).then(bf16),
            Self::Bf16 => Some(bf16()),
            Self::Int8 => Some(Packing::Int8),
        }
    }
}

impl fmt::Display for WeightPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(&Self::NAMES, *self))
    }
}

impl FromStr for WeightPrecision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        named(&Self::NAMES, name)
    }
}

impl fmt::Display for ComputePrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name_of(&Self::NAMES, *self))
    }
}

impl FromStr for ComputePrecision {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        named(&Self::NAMES, name)
    }
}

fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: T) -> &'static str {
    names.iter().find(|(_, known)| *known == value).map_or("", |(name, _)| name)
}

fn named<T: Copy>(names: &[(&'static str, T)], name: &str) -> Result<T, String> {
    let found = names.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(|(known, _)| *known).collect();
        let (last, others) = known.split_last().unwrap_or((&"", &[]));
        format!("expected {} or {last}", others.join(", "))
    })
}
