//! Matrix products of numbers rounded to `bf16`, with sums in `f32`: on the tile unit (AMX) or with the dot products of AVX-512-BF16.
//!
//! Both read the same packed operands, so a matrix that is used often, as a weight, is packed once.

use std::sync::OnceLock;

use crate::blocks::{BlockResult, Tile};
#[cfg(target_arch = "x86_64")]
use crate::{
    SimdLevel,
    tiles::{ConfiguredTiles, TileUnit},
};

#[cfg(target_arch = "x86_64")]
mod amx;
mod elementwise;
#[cfg(target_arch = "x86_64")]
mod elementwise_x86;
mod pack;
#[cfg(target_arch = "x86_64")]
mod pack_x86;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vectors;

pub use elementwise::{Activation, finish, scale_rows, softmax};
pub use pack::{PackedMatrix, pack_columns, pack_result, pack_rows};

/// Tiles of a block of an operand: 32 rows or columns by a depth of 32.
pub const TILES: usize = 2;

/// Instructions of this machine that multiply `bf16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bf16Unit(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
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

    /// Prepares the calling thread, until the result is dropped.
    pub fn configure(self) -> Bf16Thread {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Tiles(unit) => Bf16Thread::Tiles(unit.configure()),
            #[cfg(target_arch = "x86_64")]
            Kind::Vectors => Bf16Thread::Vectors,
            Kind::Portable => Bf16Thread::Portable,
        }
    }
}

/// A unit that the calling thread may use.
#[derive(Debug)]
pub enum Bf16Thread {
    /// The tile unit, configured.
    #[cfg(target_arch = "x86_64")]
    Tiles(ConfiguredTiles),
    /// AVX-512-BF16.
    #[cfg(target_arch = "x86_64")]
    Vectors,
    /// Plain loops.
    Portable,
}

impl Bf16Thread {
    /// The product of 32 packed rows and 32 packed columns of the same depth; `adds` adds it to `out`.
    pub fn multiply(&self, rows: &[Tile], columns: &[Tile], out: &mut BlockResult, adds: bool) {
        assert!(rows.len() == columns.len() && rows.len().is_multiple_of(TILES));
        if rows.is_empty() {
            if !adds {
                out.0 = BlockResult::ZERO.0;
            }
            return;
        }
        match self {
            // SAFETY: the unit is configured, both operands have at least one block, and `out` has room for four tiles.
            #[cfg(target_arch = "x86_64")]
            Self::Tiles(_) => unsafe {
                amx::multiply(rows.as_ptr(), columns.as_ptr(), rows.len() / TILES, out, adds);
            },
            // SAFETY: `Bf16Unit::available` lists vectors only where the machine has them.
            #[cfg(target_arch = "x86_64")]
            Self::Vectors => unsafe { vectors::multiply(rows, columns, out, adds) },
            Self::Portable => portable::multiply(rows, columns, out, adds),
        }
    }
}

/// Asks for tiles that will be needed soon, without waiting for them.
pub fn prefetch(tiles: &[Tile]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        let start: *const i8 = tiles.as_ptr().cast();
        for line in (0..std::mem::size_of_val(tiles)).step_by(64) {
            // SAFETY: a hint, which accesses no memory as far as the program can tell.
            unsafe { _mm_prefetch::<_MM_HINT_T1>(start.wrapping_add(line)) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = tiles;
}
