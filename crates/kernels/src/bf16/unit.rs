//! What multiplies `bf16` on this machine.

use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use crate::{SimdLevel, tiles::TileUnit};

/// Instructions of this machine that multiply `bf16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bf16Unit(pub(super) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The tile unit.
    #[cfg(target_arch = "x86_64")]
    Tiles(TileUnit),
    /// AVX-512-BF16.
    #[cfg(target_arch = "x86_64")]
    Vectors,
    /// Plain loops.
    Portable,
}

impl Bf16Unit {
    /// The fastest one of this machine, if there is any.
    pub fn detect() -> Option<Self> {
        static UNIT: OnceLock<Option<Bf16Unit>> = OnceLock::new();
        *UNIT.get_or_init(|| Self::available().first().copied())
    }

    /// All of this machine, the fastest first.
    pub fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        if SimdLevel::detect() == SimdLevel::Avx512 && is_x86_feature_detected!("avx512bf16") {
            let tiles = TileUnit::detect().map(|unit| Self(Kind::Tiles(unit)));
            return tiles.into_iter().chain([Self(Kind::Vectors)]).collect();
        }
        Vec::new()
    }

    /// The same results in plain loops, which are slow: what the units are tested against.
    pub fn portable() -> Self {
        Self(Kind::Portable)
    }

    /// Whether it is faster than products in `f32`: dot products of vectors are not on every processor that has them.
    pub fn is_fast(self) -> bool {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Tiles(_) => true,
            _ => false,
        }
    }

    /// Its name: `AMX-BF16`, `AVX512-BF16` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Tiles(_) => "AMX-BF16",
            #[cfg(target_arch = "x86_64")]
            Kind::Vectors => "AVX512-BF16",
            Kind::Portable => "portable",
        }
    }
}
