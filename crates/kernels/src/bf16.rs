//! Matrix products of numbers rounded to `bf16`, with sums in `f32`: on the tile unit (AMX) or with the dot products of AVX-512-BF16.
//!
//! Both read the same packed operands, so a matrix that is used often, as a weight, is packed once.

use std::arch::asm;
use std::sync::OnceLock;

use super::SimdLevel;
use super::tiles::{BlockResult, ConfiguredTiles, Tile, TileUnit};

mod elementwise;
mod pack;
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
    Tiles(TileUnit),
    Vectors,
}

impl Bf16Unit {
    /// The fastest one of this machine, if there is any.
    pub fn detect() -> Option<Self> {
        static UNIT: OnceLock<Option<Bf16Unit>> = OnceLock::new();
        *UNIT.get_or_init(|| Self::available().first().copied())
    }

    /// All of this machine, the fastest first.
    pub fn available() -> Vec<Self> {
        if SimdLevel::detect() != SimdLevel::Avx512 || !is_x86_feature_detected!("avx512bf16") {
            return Vec::new();
        }
        let tiles = TileUnit::detect().map(|unit| Self(Kind::Tiles(unit)));
        tiles.into_iter().chain([Self(Kind::Vectors)]).collect()
    }

    /// Its name: `AMX-BF16` or `AVX512-BF16`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Tiles(_) => "AMX-BF16",
            Kind::Vectors => "AVX512-BF16",
        }
    }

    /// Prepares the calling thread, until the result is dropped.
    pub fn configure(self) -> Bf16Thread {
        Bf16Thread(match self.0 {
            Kind::Tiles(unit) => Some(unit.configure()),
            Kind::Vectors => None,
        })
    }
}

/// A unit that the calling thread may use.
#[derive(Debug)]
pub struct Bf16Thread(Option<ConfiguredTiles>);

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
        match self.0 {
            // SAFETY: the unit is configured, both operands have at least one block, and `out` has room for four tiles.
            Some(_) => unsafe { multiply(rows.as_ptr(), columns.as_ptr(), rows.len() / TILES, out, adds) },
            // SAFETY: `Bf16Unit::available` lists vectors only where the machine has them.
            None => unsafe { vectors::multiply(rows, columns, out, adds) },
        }
    }
}

/// Fetches the 512 bytes from `a` plus a distance on.
macro_rules! prefetch {
    ($distance:literal) => {
        concat!(
            prefetch!($distance, "0"),
            prefetch!($distance, "64"),
            prefetch!($distance, "128"),
            prefetch!($distance, "192"),
            prefetch!($distance, "256"),
            prefetch!($distance, "320"),
            prefetch!($distance, "384"),
            prefetch!($distance, "448"),
        )
    };
    ($distance:literal, $line:literal) => {
        concat!("prefetcht0 [{a} + ", $distance, " + ", $line, "]\n")
    };
}

/// Accumulators are `tmm0` to `tmm3`; `tmm4` and `tmm5` hold rows, `tmm6` and `tmm7` columns.
/// Rows come from beyond the first cache, which is too small for them: the tiles of the step after the next are fetched early.
macro_rules! multiply {
    ($start:literal, $start_2:literal, $rows:ident, $columns:ident, $blocks:ident, $out:ident) => {
        asm!(
            $start, $start_2,
            "2:",
            "tileloadd tmm6, [{b} + {s}]", "tileloadd tmm4, [{a} + {s}]",
            prefetch!("4096"),
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b} + {s} + 1024]",
            prefetch!("4608"),
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm5, [{a} + {s} + 1024]",
            prefetch!("5120"),
            "tdpbf16ps tmm2, tmm5, tmm6",
            prefetch!("5632"),
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a}, 2048",
            "add {b}, 2048",
            "dec {n}",
            "jnz 2b",
            "tilestored [{c} + {t}], tmm0", "tilestored [{c} + {t} + 64], tmm1",
            "tilestored [{c} + {t} + 2048], tmm2", "tilestored [{c} + {t} + 2112], tmm3",
            a = inout(reg) $rows => _,
            b = inout(reg) $columns => _,
            n = inout(reg) $blocks => _,
            c = in(reg) $out,
            s = in(reg) 64_usize,
            t = in(reg) 128_usize,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        )
    };
}

/// `out = rows · columns`, or `out += rows · columns`.
#[inline]
unsafe fn multiply(
    rows: *const Tile,
    columns: *const Tile,
    blocks: usize,
    out: *mut BlockResult,
    adds: bool,
) {
    if adds {
        // SAFETY: the caller's.
        unsafe {
            multiply!(
                "tileloadd tmm0, [{c} + {t}]\ntileloadd tmm1, [{c} + {t} + 64]",
                "tileloadd tmm2, [{c} + {t} + 2048]\ntileloadd tmm3, [{c} + {t} + 2112]",
                rows,
                columns,
                blocks,
                out
            );
        }
    } else {
        // SAFETY: as above.
        unsafe {
            multiply!(
                "tilezero tmm0\ntilezero tmm1",
                "tilezero tmm2\ntilezero tmm3",
                rows,
                columns,
                blocks,
                out
            );
        }
    }
}
