//! Products of a few rows with a large matrix, as in decoding with a language model, where each weight is used once per token: the
//! time is that of reading the weights from memory. Rows stay in `f32`; weights are in `f32`, `bf16` or bytes.

mod int8;
mod portable;
mod rows;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use int8::{INT8_COLUMNS, Int8Matrix, pack_int8};
use rows::ROWS;
pub use rows::Rows;

use crate::SimdLevel;
use crate::bf16::PackedMatrix;
use crate::blocks::BLOCK;

/// `out[row][column] = Σ rows[row][l] · weight[l][column]` for columns `first..first + width` of a matrix `[depth, stride]`; `out` is
/// `[rows, width]`.
pub fn multiply_f32(rows: Rows<'_>, weight: &[f32], [first, width, stride]: [usize; 3], out: &mut [f32]) {
    assert!(
        first + width <= stride && weight.len() >= rows.depth * stride && out.len() == rows.count() * width
    );
    if width == 0 {
        return;
    }
    out.fill(0.0);
    for (rows, out) in rows.groups().zip(out.chunks_mut(ROWS * width)) {
        match SimdLevel::detect() {
            // SAFETY: the level says that the machine has AVX-512; sizes were compared above.
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx512 => unsafe { x86::f32_columns(rows, &weight[first..], [width, stride], out) },
            level => portable::f32_columns(level, rows, &weight[first..], [width, stride], out),
        }
    }
}

/// Products with the 32 columns of a block of a packed matrix, `[rows, 32]`.
pub fn multiply_bf16(rows: Rows<'_>, matrix: &PackedMatrix, block: usize, out: &mut [f32]) {
    assert!(rows.depth == matrix.shape()[0] && out.len() == rows.count() * BLOCK);
    let tiles = matrix.block(block);
    for (rows, out) in rows.groups().zip(out.chunks_mut(ROWS * BLOCK)) {
        match SimdLevel::detect() {
            // SAFETY: the level says that the machine has AVX-512; a block has tiles for the depth of the rows.
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx512 => unsafe { x86::bf16_block(rows, tiles, out) },
            level => portable::bf16_block(level, rows, tiles, out),
        }
    }
}

/// Products with the 64 columns of a block of a matrix in bytes, `[rows, 64]`.
pub fn multiply_int8(rows: Rows<'_>, matrix: &Int8Matrix, block: usize, out: &mut [f32]) {
    assert!(rows.depth == matrix.shape()[0] && out.len() == rows.count() * INT8_COLUMNS);
    let (bytes, scales) = (matrix.block(block), matrix.scales(block));
    for (rows, out) in rows.groups().zip(out.chunks_mut(ROWS * INT8_COLUMNS)) {
        match SimdLevel::detect() {
            // SAFETY: the level says that the machine has AVX-512; a block has 64 bytes for each number of a row.
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx512 => unsafe { x86::int8_block(rows, bytes, out) },
            level => portable::int8_block(level, rows, bytes, out),
        }
        for out in out.chunks_exact_mut(INT8_COLUMNS) {
            out.iter_mut().zip(scales).for_each(|(x, scale)| *x *= scale);
        }
    }
}
