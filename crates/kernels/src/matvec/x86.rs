//! The loops with AVX-512: each weight is loaded once for up to four rows, whose sums stay in registers.

use std::arch::x86_64::{
    __m512, __m512i, _MM_HINT_T0, _mm_loadu_si128, _mm_prefetch, _mm512_add_ps, _mm512_and_si512,
    _mm512_castsi512_ps, _mm512_cvtepi8_epi32, _mm512_cvtepi32_ps, _mm512_fmadd_ps, _mm512_loadu_si512,
    _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_slli_epi32, _mm512_storeu_ps,
};

use super::int8::INT8_COLUMNS;
use super::rows::{ROWS, Rows};
use crate::blocks::{BF16_TILES as TILES, BLOCK, EDGE, Tile};

/// Numbers of a vector.
const LANES: usize = 16;
/// Bytes between a load and the prefetch for a later one: memory answers after as many.
const AHEAD: usize = 4096;
/// Rows of a matrix in `f32` that are added at a time.
const DEPTHS: usize = 4;

/// Calls a function with the number of rows as a constant.
macro_rules! for_count {
    ($count:expr, $function:ident($($arg:expr),*)) => {
        match $count {
            1 => $function::<1>($($arg),*),
            2 => $function::<2>($($arg),*),
            3 => $function::<3>($($arg),*),
            _ => $function::<4>($($arg),*),
        }
    };
}

#[inline]
fn prefetch<T>(start: *const T) {
    // SAFETY: a hint, which accesses no memory as far as the program can tell.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(start.cast::<i8>().wrapping_add(AHEAD)) };
}

/// See [`super::multiply_f32`]; adds to `out`. The weight starts at the first column.
///
/// # Safety
/// The machine has AVX-512, the weight has `depth` rows of `stride` numbers, but for the columns before the first, and `out` is
/// `[rows, width]`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn f32_columns(
    rows: Rows<'_>,
    weight: &[f32],
    [width, stride]: [usize; 2],
    out: &mut [f32],
) {
    debug_assert!(rows.count() <= ROWS);
    // SAFETY: as for this function.
    unsafe { for_count!(rows.count(), f32_rows(rows, weight, [width, stride], out)) };
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn f32_rows<const R: usize>(
    rows: Rows<'_>,
    weight: &[f32],
    [width, stride]: [usize; 2],
    out: &mut [f32],
) {
    let depth = rows.depth;
    for first in (0..depth).step_by(DEPTHS) {
        let count = DEPTHS.min(depth - first);
        // Where fewer than four are left, the last is read again with a factor of 0.
        let at = |i: usize| first + i.min(count - 1);
        let factors: [[__m512; DEPTHS]; R] = std::array::from_fn(|row| {
            std::array::from_fn(|i| {
                _mm512_set1_ps(if i < count { rows.values[row * depth + first + i] } else { 0.0 })
            })
        });
        let weights: [*const f32; DEPTHS] = std::array::from_fn(|i| weight[at(i) * stride..].as_ptr());
        for column in (0..width).step_by(LANES) {
            let mask = (1_u32 << LANES.min(width - column)).wrapping_sub(1) as u16;
            // SAFETY: only columns below the width are accessed, of rows of the weight and of `out`.
            unsafe {
                let weights = weights.map(|weights| _mm512_maskz_loadu_ps(mask, weights.add(column)));
                for (row, factors) in factors.iter().enumerate() {
                    let place = out.as_mut_ptr().add(row * width + column);
                    let mut sum = _mm512_maskz_loadu_ps(mask, place);
                    for (weight, factor) in weights.iter().zip(factors) {
                        sum = _mm512_fmadd_ps(*weight, *factor, sum);
                    }
                    _mm512_mask_storeu_ps(place, mask, sum);
                }
            }
        }
    }
}

/// See [`super::multiply_bf16`].
///
/// # Safety
/// The machine has AVX-512, the tiles are those of the depth of the rows, and `out` is `[rows, 32]`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn bf16_block(rows: Rows<'_>, tiles: &[Tile], out: &mut [f32]) {
    debug_assert!(rows.count() <= ROWS && tiles.len() == rows.depth.div_ceil(BLOCK) * TILES);
    // SAFETY: as for this function.
    unsafe { for_count!(rows.count(), bf16_rows(rows, tiles, out)) };
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn bf16_rows<const R: usize>(rows: Rows<'_>, tiles: &[Tile], out: &mut [f32]) {
    let depth = rows.depth;
    let upper = _mm512_set1_epi32(0xffff_0000_u32.cast_signed());
    let mut sums = [[[_mm512_setzero_ps(); 2]; TILES]; R];
    for (at, tiles) in tiles.chunks_exact(TILES).enumerate() {
        for pair in 0..EDGE {
            let l = at * BLOCK + 2 * pair;
            if l >= depth {
                break;
            }
            let mut weights = [[_mm512_setzero_ps(); 2]; TILES];
            for (tile, weights) in tiles.iter().zip(&mut weights) {
                let start = tile.0[pair * EDGE..][..EDGE].as_ptr();
                prefetch(start);
                // SAFETY: 16 numbers of 32 bits.
                let bits: __m512i = unsafe { _mm512_loadu_si512(start.cast()) };
                *weights = [
                    _mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits)),
                    _mm512_castsi512_ps(_mm512_and_si512(bits, upper)),
                ];
            }
            for (row, sums) in sums.iter_mut().enumerate() {
                let x = &rows.values[row * depth..][..depth];
                let even = _mm512_set1_ps(x[l]);
                // The weight beyond an odd depth is 0.
                let odd = _mm512_set1_ps(x[(l + 1).min(depth - 1)]);
                for (sums, weights) in sums.iter_mut().zip(weights) {
                    sums[0] = _mm512_fmadd_ps(weights[0], even, sums[0]);
                    sums[1] = _mm512_fmadd_ps(weights[1], odd, sums[1]);
                }
            }
        }
    }
    for (sums, out) in sums.iter().zip(out.chunks_exact_mut(BLOCK)) {
        for (sums, out) in sums.iter().zip(out.chunks_exact_mut(LANES)) {
            // SAFETY: 16 numbers.
            unsafe { _mm512_storeu_ps(out.as_mut_ptr(), _mm512_add_ps(sums[0], sums[1])) };
        }
    }
}

/// See [`super::multiply_int8`], without the factors of columns.
///
/// # Safety
/// The machine has AVX-512, the block has 64 bytes for each number of a row, and `out` is `[rows, 64]`.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) unsafe fn int8_block(rows: Rows<'_>, bytes: &[i8], out: &mut [f32]) {
    debug_assert!(rows.count() <= ROWS && bytes.len() == rows.depth * INT8_COLUMNS);
    // SAFETY: as for this function.
    unsafe { for_count!(rows.count(), int8_rows(rows, bytes, out)) };
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn int8_rows<const R: usize>(rows: Rows<'_>, bytes: &[i8], out: &mut [f32]) {
    const VECTORS: usize = INT8_COLUMNS / LANES;
    let depth = rows.depth;
    let x: [&[f32]; R] = std::array::from_fn(|row| &rows.values[row * depth..][..depth]);
    let mut sums = [[_mm512_setzero_ps(); VECTORS]; R];
    for (l, bytes) in bytes.as_chunks::<INT8_COLUMNS>().0.iter().enumerate().take(depth) {
        prefetch(bytes.as_ptr());
        let weights: [__m512; VECTORS] = std::array::from_fn(|i| {
            // SAFETY: 16 of the 64 bytes.
            let part = unsafe { _mm_loadu_si128(bytes.as_ptr().add(i * LANES).cast()) };
            _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(part))
        });
        for (sums, x) in sums.iter_mut().zip(x) {
            let x = _mm512_set1_ps(x[l]);
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = _mm512_fmadd_ps(weight, x, *sum);
            }
        }
    }
    for (sums, out) in sums.iter().zip(out.chunks_exact_mut(INT8_COLUMNS)) {
        for (sum, out) in sums.iter().zip(out.chunks_exact_mut(LANES)) {
            // SAFETY: 16 numbers.
            unsafe { _mm512_storeu_ps(out.as_mut_ptr(), *sum) };
        }
    }
}
