//! Products of packed blocks.

#[cfg(target_arch = "x86_64")]
use super::amx;
use super::portable;
use super::unit::{Bf16Unit, Kind};
#[cfg(target_arch = "x86_64")]
use super::vectors;
use crate::blocks::{BF16_TILES as TILES, BlockResult, Tile};
#[cfg(target_arch = "x86_64")]
use crate::tiles::ConfiguredTiles;

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

impl Bf16Unit {
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
