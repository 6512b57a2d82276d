//! The loops in plain Rust, compiled for each level.

use super::int8::INT8_COLUMNS;
use super::rows::Rows;
use crate::blocks::{BF16_TILES as TILES, BLOCK, EDGE, Tile};
use crate::{Kernel, SimdLevel};

/// `a · b + sum`, in one instruction where there is one.
#[inline(always)]
fn add_product<const FUSED: bool>(a: f32, b: f32, sum: f32) -> f32 {
    if FUSED { a.mul_add(b, sum) } else { a * b + sum }
}

/// Adds products with columns of a matrix `[depth, stride]` to `out`, `[rows, width]`.
pub(super) fn f32_columns(
    level: SimdLevel,
    rows: Rows<'_>,
    weight: &[f32],
    [width, stride]: [usize; 2],
    out: &mut [f32],
) {
    let kernel = F32Columns::<true> { rows, weight, width, stride, out };
    match level.fuses() {
        true => level.run(kernel),
        false => level.run(F32Columns::<false> { rows, weight, width, stride, out: kernel.out }),
    }
}

/// Products with a block of tiles, `[rows, 32]`.
pub(super) fn bf16_block(level: SimdLevel, rows: Rows<'_>, tiles: &[Tile], out: &mut [f32]) {
    match level.fuses() {
        true => level.run(Bf16Block::<true> { rows, tiles, out }),
        false => level.run(Bf16Block::<false> { rows, tiles, out }),
    }
}

/// Products with a block of bytes, `[rows, 64]`.
pub(super) fn int8_block(level: SimdLevel, rows: Rows<'_>, bytes: &[i8], out: &mut [f32]) {
    match level.fuses() {
        true => level.run(Int8Block::<true> { rows, bytes, out }),
        false => level.run(Int8Block::<false> { rows, bytes, out }),
    }
}

struct F32Columns<'a, const FUSED: bool> {
    rows: Rows<'a>,
    weight: &'a [f32],
    width: usize,
    stride: usize,
    out: &'a mut [f32],
}

impl<const FUSED: bool> Kernel for F32Columns<'_, FUSED> {
    #[inline(always)]
    fn run(self) {
        for (row, out) in
            self.rows.values.chunks_exact(self.rows.depth).zip(self.out.chunks_exact_mut(self.width))
        {
            for (x, weight) in row.iter().zip(self.weight.chunks(self.stride)) {
                for (sum, weight) in out.iter_mut().zip(weight) {
                    *sum = add_product::<FUSED>(*x, *weight, *sum);
                }
            }
        }
    }
}

struct Bf16Block<'a, const FUSED: bool> {
    rows: Rows<'a>,
    tiles: &'a [Tile],
    out: &'a mut [f32],
}

impl<const FUSED: bool> Kernel for Bf16Block<'_, FUSED> {
    #[inline(always)]
    fn run(self) {
        for (row, out) in self.rows.values.chunks_exact(self.rows.depth).zip(self.out.chunks_exact_mut(BLOCK))
        {
            let mut sums = [[[0.0_f32; EDGE]; 2]; TILES];
            for (x, tiles) in row.chunks(BLOCK).zip(self.tiles.chunks_exact(TILES)) {
                for (pair, x) in x.chunks(2).enumerate() {
                    let (even, odd) = (x[0], x.get(1).copied().unwrap_or(0.0));
                    for (tile, [evens, odds]) in tiles.iter().zip(&mut sums) {
                        let weights = tile.0[pair * EDGE..].iter();
                        for ((bits, evens), odds) in weights.zip(evens).zip(odds) {
                            *evens = add_product::<FUSED>(even, f32::from_bits(bits << 16), *evens);
                            *odds = add_product::<FUSED>(odd, f32::from_bits(bits & 0xffff_0000), *odds);
                        }
                    }
                }
            }
            for (out, [evens, odds]) in out.chunks_exact_mut(EDGE).zip(sums) {
                for (out, (even, odd)) in out.iter_mut().zip(evens.into_iter().zip(odds)) {
                    *out = even + odd;
                }
            }
        }
    }
}

struct Int8Block<'a, const FUSED: bool> {
    rows: Rows<'a>,
    bytes: &'a [i8],
    out: &'a mut [f32],
}

impl<const FUSED: bool> Kernel for Int8Block<'_, FUSED> {
    #[inline(always)]
    fn run(self) {
        for (row, out) in
            self.rows.values.chunks_exact(self.rows.depth).zip(self.out.chunks_exact_mut(INT8_COLUMNS))
        {
            let mut sums = [0.0_f32; INT8_COLUMNS];
            for (x, bytes) in row.iter().zip(self.bytes.as_chunks::<INT8_COLUMNS>().0) {
                for (sum, byte) in sums.iter_mut().zip(bytes) {
                    *sum = add_product::<FUSED>(*x, f32::from(*byte), *sum);
                }
            }
            out.copy_from_slice(&sums);
        }
    }
}
