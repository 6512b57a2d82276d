//! Blocks of 32 × 32 on the tile unit.

use std::arch::asm;

use crate::blocks::{BlockResult, Tile};

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
pub(super) unsafe fn multiply(
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
