//! Precision of inference.

use std::fmt;

use lexiform_kernels::bf16::Bf16Unit;

/// Numbers of a weight from which [`ComputePrecision::Auto`] rounds it: smaller ones stay in the cache, and take little time.
const MIN_ELEMENTS: usize = 1 << 17;

/// Precision of the products of linear layers and attention in inference on the CPU. Sums, norms, softmax and the residual stream
/// are in `f32` in any case, so that embeddings of all precisions are in one space: their cosine is above 0.9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputePrecision {
    /// `bf16` for large weights where the processor multiplies it, `f32` otherwise.
    Auto,
    /// 32 bits.
    #[default]
    F32,
    /// 16 bits with the exponent of `f32`, where the processor multiplies it (AMX or AVX-512-BF16).
    Bf16,
}

impl ComputePrecision {
    /// The unit that multiplies by a weight of this shape, unless that is done in `f32`.
    pub(crate) fn unit(self, shape: [usize; 2]) -> Option<Bf16Unit> {
        let is_rounded = match self {
            Self::F32 => false,
            Self::Auto => shape[0] * shape[1] >= MIN_ELEMENTS,
            Self::Bf16 => true,
        };
        if is_rounded { Bf16Unit::detect() } else { None }
    }
}

impl fmt::Display for ComputePrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}
