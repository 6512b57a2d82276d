//! Matrix products of `f32` on the tile unit of Intel processors (AMX), which multiplies only 16-bit and 8-bit numbers.
//!
//! A number in `f32` is exactly the sum of three in `bf16`: its 24 bits in parts of 8. Of the nine products of parts, the six
//! largest are computed and summed in `f32`; the others are below 2⁻²⁶ of the result of a multiplication, while rounding a
//! product to `f32` loses up to 2⁻²⁴. The unit is sixteen times as fast as vectors of `f32`, so that six products for one are
//! still worthwhile (Henry, Tang and Heinecke, [arXiv 1904.06376](https://arxiv.org/abs/1904.06376)).

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::OnceLock;

use super::blocks::{BlockResult, Tile};
use super::{SimdLevel, SimdLimit};

mod pack;

pub use pack::{NotFinite, Operand, Side};
pub(crate) use pack::{first_lanes, load, transpose};

/// Tiles of a block of an operand: three parts of two tiles.
pub const TILES_PER_BLOCK: usize = 6;

/// The tile unit of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileUnit(());

impl TileUnit {
    /// The unit, if the processor has one and the operating system lets this process use it.
    pub fn detect() -> Option<Self> {
        static FOUND: OnceLock<bool> = OnceLock::new();
        FOUND.get_or_init(|| has_unit() && request_permission()).then_some(Self(()))
    }

    /// Configures the unit for the calling thread until the result is dropped.
    pub fn configure(self) -> ConfiguredTiles {
        let config = TileConfig::default();
        // SAFETY: the unit exists, this process may use it, and the configuration is a valid one.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &raw const config, options(nostack, readonly, preserves_flags))
        };
        ConfiguredTiles { thread_bound: std::marker::PhantomData }
    }
}

/// The unit configured for this thread.
#[derive(Debug)]
pub struct ConfiguredTiles {
    /// The configuration belongs to a thread, so the value must not leave it.
    thread_bound: std::marker::PhantomData<*const ()>,
}

impl Drop for ConfiguredTiles {
    fn drop(&mut self) {
        // SAFETY: the unit is configured.
        unsafe { asm!("tilerelease", options(nomem, nostack, preserves_flags)) };
    }
}

impl ConfiguredTiles {
    /// The product of 32 packed rows and 32 packed columns of the same depth.
    pub fn multiply(&self, rows: &[Tile], columns: &[Tile], out: &mut BlockResult) {
        assert!(rows.len() == columns.len() && rows.len().is_multiple_of(TILES_PER_BLOCK));
        if rows.is_empty() {
            out.0 = BlockResult::ZERO.0;
            return;
        }
        // SAFETY: the unit is configured, both operands have as many blocks as the loop counts, at least one, and `out` has
        // room for four tiles.
        unsafe { multiply(rows.as_ptr(), columns.as_ptr(), rows.len() / TILES_PER_BLOCK, out) };
    }
}

/// Accumulators are `tmm0` to `tmm3`; `tmm4` and `tmm5` hold rows, `tmm6` and `tmm7` columns. Small products come first, those of
/// the high parts in a second pass: added to a large sum, each of the six would be rounded at the sum's last digit. In the
/// first pass the order of parts is one in which each step loads only rows or only columns.
#[inline]
unsafe fn multiply(rows: *const Tile, columns: *const Tile, blocks: usize, out: &mut BlockResult) {
    // SAFETY: the caller's.
    unsafe {
        asm!(
            "tilezero tmm0", "tilezero tmm1", "tilezero tmm2", "tilezero tmm3",
            "mov {n}, {blocks}",
            "2:",
            // low · high
            "tileloadd tmm4, [{a} + {s} + 4096]", "tileloadd tmm6, [{b} + {s}]",
            "tileloadd tmm7, [{b} + {s} + 1024]", "tileloadd tmm5, [{a} + {s} + 5120]",
            "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm4, [{a} + {s} + 2048]",
            "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm5, [{a} + {s} + 3072]",
            // middle · high
            "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm2, tmm5, tmm6",
            "tileloadd tmm6, [{b} + {s} + 2048]",
            "tdpbf16ps tmm1, tmm4, tmm7", "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm7, [{b} + {s} + 3072]",
            // middle · middle
            "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
            "tileloadd tmm4, [{a} + {s}]",
            "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm5, [{a} + {s} + 1024]",
            // high · middle
            "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm2, tmm5, tmm6",
            "tileloadd tmm6, [{b} + {s} + 4096]",
            "tdpbf16ps tmm1, tmm4, tmm7", "tdpbf16ps tmm3, tmm5, tmm7",
            "tileloadd tmm7, [{b} + {s} + 5120]",
            // high · low
            "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm1, tmm4, tmm7", "tdpbf16ps tmm3, tmm5, tmm7",
            "add {a}, 6144",
            "add {b}, 6144",
            "dec {n}",
            "jnz 2b",
            "mov {n}, {blocks}",
            // high · high, from the last block to the first, which the caches are more likely to hold.
            "3:",
            "sub {a}, 6144",
            "sub {b}, 6144",
            "tileloadd tmm4, [{a} + {s}]", "tileloadd tmm6, [{b} + {s}]",
            "tileloadd tmm7, [{b} + {s} + 1024]", "tileloadd tmm5, [{a} + {s} + 1024]",
            "tdpbf16ps tmm0, tmm4, tmm6", "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6", "tdpbf16ps tmm3, tmm5, tmm7",
            "dec {n}",
            "jnz 3b",
            "tilestored [{c} + {t}], tmm0", "tilestored [{c} + {t} + 64], tmm1",
            "tilestored [{c} + {t} + 2048], tmm2", "tilestored [{c} + {t} + 2112], tmm3",
            a = inout(reg) rows => _,
            b = inout(reg) columns => _,
            n = out(reg) _,
            blocks = in(reg) blocks,
            c = in(reg) &raw mut *out,
            s = in(reg) 64_usize,
            t = in(reg) 128_usize,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}

/// What `ldtilecfg` reads: eight tiles of 16 rows of 64 bytes.
#[repr(C, align(64))]
struct TileConfig([u8; 64]);

impl Default for TileConfig {
    fn default() -> Self {
        let mut bytes = [0; 64];
        // The palette; then the bytes of a row of each tile, in 16 bits, from 16 on; then its rows, from 48 on.
        bytes[0] = 1;
        for tile in 0..8 {
            bytes[16 + 2 * tile] = 64;
            bytes[48 + tile] = 16;
        }
        Self(bytes)
    }
}

/// Whether the processor has tiles that multiply `bf16`, and the vector instructions that packing needs.
fn has_unit() -> bool {
    if SimdLimit::current() < SimdLimit::Amx {
        return false;
    }
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;
    let features = __cpuid_count(7, 0).edx;
    SimdLevel::detect() == SimdLevel::Avx512 && features & AMX_BF16 != 0 && features & AMX_TILE != 0
}

/// Asks Linux for the 8 KiB of state that each thread needs for tiles; without it, the first use would end the process.
#[cfg(target_os = "linux")]
fn request_permission() -> bool {
    const ARCH_PRCTL: usize = 158;
    const ARCH_REQ_XCOMP_PERM: usize = 0x1023;
    const XFEATURE_XTILEDATA: usize = 18;
    let result: isize;
    // SAFETY: a system call that reads and writes no memory of this process.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") ARCH_REQ_XCOMP_PERM,
            in("rsi") XFEATURE_XTILEDATA,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

/// Only Linux was tried.
#[cfg(not(target_os = "linux"))]
fn request_permission() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::super::blocks::BLOCK;
    use super::*;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(|_| next()).collect()
    }

    fn packed(
        operand: Operand<'_>,
        unit: TileUnit,
        side: Side,
        corner: [usize; 2],
        blocks: usize,
    ) -> Vec<Tile> {
        let mut tiles = vec![Tile::ZERO; blocks * TILES_PER_BLOCK];
        operand.pack(unit, side, corner, &mut tiles).unwrap();
        tiles
    }

    /// Machines without the unit have nothing to test.
    #[test]
    fn products_of_blocks_match_sums_in_64_bits() {
        let Some(unit) = TileUnit::detect() else { return };
        let (rows, columns, depth) = (50, 45, 70);
        let (left, right) = (numbers(rows * depth, 1), numbers(columns * depth, 2));
        for left_strides in [[depth, 1], [1, rows]] {
            for right_strides in [[depth, 1], [1, columns]] {
                let a = Operand::new(&left, [rows, depth], left_strides).unwrap();
                let b = Operand::new(&right, [columns, depth], right_strides).unwrap();
                // The second block has 18 rows and 13 columns, and its last step a depth of 6.
                let (a, b) =
                    (packed(a, unit, Side::Left, [32, 0], 3), packed(b, unit, Side::Right, [32, 0], 3));
                let mut out = BlockResult::ZERO;
                unit.configure().multiply(&a, &b, &mut out);
                for (row, column) in (0..BLOCK).flat_map(|row| (0..BLOCK).map(move |column| (row, column))) {
                    let term = |l: usize| {
                        let at = |i: usize, strides: [usize; 2]| (32 + i) * strides[0] + l * strides[1];
                        f64::from(left[at(row, left_strides)]) * f64::from(right[at(column, right_strides)])
                    };
                    let inside = row < rows - 32 && column < columns - 32;
                    let expected: f64 = if inside { (0..depth).map(term).sum() } else { 0.0 };
                    let off = (f64::from(out.0[row][column]) - expected).abs();
                    assert!(off < 3e-6, "{row} {column}: {off:e}");
                }
            }
        }
    }

    /// A product of two numbers has all 24 bits of `f32`.
    #[test]
    fn parts_add_up() {
        let Some(unit) = TileUnit::detect() else { return };
        let (x, ones) = (numbers(32 * 32, 3), vec![1.0; 32 * 32]);
        // One number in each row, times 1.
        let x: Vec<f32> = x.iter().enumerate().map(|(at, x)| if at % 33 == 0 { *x } else { 0.0 }).collect();
        let a = packed(Operand::new(&x, [32, 32], [32, 1]).unwrap(), unit, Side::Left, [0, 0], 1);
        let b = packed(Operand::new(&ones, [32, 32], [32, 1]).unwrap(), unit, Side::Right, [0, 0], 1);
        let mut out = BlockResult::ZERO;
        unit.configure().multiply(&a, &b, &mut out);
        for (row, values) in out.0.iter().enumerate() {
            assert!(values.iter().all(|value| value.to_bits() == x[row * 33].to_bits()), "{row}");
        }
    }

    #[test]
    fn numbers_without_parts_are_refused() {
        let Some(unit) = TileUnit::detect() else { return };
        for wrong in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX] {
            let mut values = vec![1.0; 100];
            values[57] = wrong;
            for strides in [[10, 1], [1, 10]] {
                let operand = Operand::new(&values, [10, 10], strides).unwrap();
                let mut tiles = [Tile::ZERO; TILES_PER_BLOCK];
                for side in [Side::Left, Side::Right] {
                    assert_eq!(operand.pack(unit, side, [0, 0], &mut tiles), Err(NotFinite));
                }
            }
        }
        assert!(Operand::new(&[1.0; 100], [5, 5], [20, 2]).is_none());
    }
}
