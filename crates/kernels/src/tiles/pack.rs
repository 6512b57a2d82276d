//! Splitting `f32` into three parts in `bf16`, and ordering them as tiles.

use std::arch::x86_64::{
    __m512, __m512i, __mmask16, _mm256_storeu_si256, _mm512_add_epi32, _mm512_and_si512, _mm512_castps_si512,
    _mm512_castsi512_ps, _mm512_cmpeq_epi32_mask, _mm512_cvtepi32_epi16, _mm512_loadu_si512,
    _mm512_maskz_loadu_ps, _mm512_or_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_shuffle_i32x4,
    _mm512_srli_epi32, _mm512_storeu_si512, _mm512_sub_ps, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64,
    _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
};

use super::{TILES_PER_BLOCK, TileUnit};
use crate::blocks::{BLOCK, EDGE, Tile, fits};

/// The side of a product that an operand is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Lines are rows of the left matrix.
    Left,
    /// Lines are columns of the right matrix.
    Right,
}

/// The order of an operand's numbers in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// A line is contiguous.
    Lines,
    /// The numbers of all lines at the same depth are contiguous.
    Depth,
}

/// Rows of a left matrix or columns of a right one: `lines` of `depth` numbers.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    values: &'a [f32],
    lines: usize,
    depth: usize,
    stride: usize,
    order: Order,
}

/// Why an operand cannot be packed: parts of infinity and NaN do not add up to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFinite;

impl<'a> Operand<'a> {
    /// Lines and depth, and the distance from one line to the next and from one depth to the next, one of which is 1.
    /// `None` if neither is.
    pub fn new(values: &'a [f32], [lines, depth]: [usize; 2], strides: [usize; 2]) -> Option<Self> {
        let (order, stride) = match strides {
            [stride, 1] => (Order::Lines, stride),
            [1, stride] => (Order::Depth, stride),
            _ => return None,
        };
        assert!(fits(values.len(), [lines, depth], strides), "{lines} lines of {depth}");
        Some(Self { values, lines, depth, stride, order })
    }

    /// Tiles for 32 lines from `first` on, of the numbers from `depth` on: as many blocks of [`TILES_PER_BLOCK`] as `tiles` has
    /// room for. Lines and numbers beyond the last are 0.
    ///
    /// # Errors
    /// If a number is infinite, NaN, or so large that it rounds to infinity.
    pub fn pack(
        &self,
        _: TileUnit,
        side: Side,
        [first, depth]: [usize; 2],
        tiles: &mut [Tile],
    ) -> Result<(), NotFinite> {
        let mut finite = true;
        for (at, block) in tiles.chunks_exact_mut(TILES_PER_BLOCK).enumerate() {
            for half in 0..2 {
                let corner = [first + half * EDGE, depth + at * BLOCK];
                // SAFETY: machines with a tile unit have AVX-512.
                finite &= unsafe { self.pack_half(side, corner, block, half) };
            }
        }
        if finite { Ok(()) } else { Err(NotFinite) }
    }

    /// Three tiles, one for each part, of 16 lines by 32 numbers.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn pack_half(&self, side: Side, [line, depth]: [usize; 2], block: &mut [Tile], half: usize) -> bool {
        let lines = self.lines.saturating_sub(line).min(EDGE);
        let numbers = self.depth.saturating_sub(depth).min(BLOCK);
        let finite = match self.order {
            Order::Lines => self.split_lines([line, depth], [lines, numbers], block, half),
            Order::Depth => self.split_pairs([line, depth], [lines, numbers], block, half),
        };
        // A line of the left matrix is a row of its tile; of the right matrix, a column.
        if (side == Side::Left) != (self.order == Order::Lines) {
            (0..3).for_each(|part| transpose(&mut block[2 * part + half]));
        }
        finite
    }

    /// A line is a row of the tiles.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn split_lines(
        &self,
        [line, depth]: [usize; 2],
        [lines, numbers]: [usize; 2],
        block: &mut [Tile],
        half: usize,
    ) -> bool {
        let masks = [first_lanes(numbers.min(EDGE)), first_lanes(numbers.saturating_sub(EDGE))];
        let mut finite = true;
        for row in 0..EDGE {
            if row >= lines {
                (0..3).for_each(|part| block[2 * part + half].0[row * EDGE..][..EDGE].fill(0));
                continue;
            }
            let start = (line + row) * self.stride + depth;
            for (at, mask) in masks.into_iter().enumerate() {
                let (parts, is_finite) = split(self.load(start + at * EDGE, mask));
                finite &= is_finite;
                for (part, values) in parts.into_iter().enumerate() {
                    let pairs = _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(values));
                    let out = &mut block[2 * part + half].0[row * EDGE + at * EDGE / 2..][..EDGE / 2];
                    // SAFETY: eight numbers of 32 bits.
                    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), pairs) };
                }
            }
        }
        finite
    }

    /// A pair of depths is a row of the tiles.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn split_pairs(
        &self,
        [line, depth]: [usize; 2],
        [lines, numbers]: [usize; 2],
        block: &mut [Tile],
        half: usize,
    ) -> bool {
        let mask = first_lanes(lines);
        let mut finite = true;
        for pair in 0..EDGE {
            let at = |i: usize| {
                let mask = if 2 * pair + i < numbers { mask } else { 0 };
                split(self.load((depth + 2 * pair + i) * self.stride + line, mask))
            };
            let ((even, even_finite), (odd, odd_finite)) = (at(0), at(1));
            finite &= even_finite && odd_finite;
            for part in 0..3 {
                let both = _mm512_or_si512(_mm512_srli_epi32::<16>(even[part]), odd[part]);
                let out = &mut block[2 * part + half].0[pair * EDGE..][..EDGE];
                // SAFETY: 16 numbers of 32 bits.
                unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), both) };
            }
        }
        finite
    }

    /// The numbers from `start` on that `mask` selects, and 0 for the others.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(&self, start: usize, mask: __mmask16) -> __m512i {
        _mm512_castps_si512(load(self.values, start, mask))
    }
}

/// The numbers of a list from `start` on that `mask` selects, and 0 for the others. Callers have checked that these are in the list.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn load(values: &[f32], start: usize, mask: __mmask16) -> __m512 {
    // SAFETY: selected lanes are inside of the list; others are not accessed.
    unsafe { _mm512_maskz_loadu_ps(mask, values.as_ptr().wrapping_add(start)) }
}

pub(crate) fn first_lanes(count: usize) -> __mmask16 {
    ((1_u32 << count) - 1) as __mmask16
}

/// Three numbers in the upper halves of 32 bits whose sum is `x`, from large to small, and whether all are finite. Rounded to
/// nearest: cut off, all parts would have the sign of `x`, and what is left out of a product a bias.
#[inline]
#[target_feature(enable = "avx512f")]
fn split(x: __m512i) -> ([__m512i; 3], bool) {
    let (half, upper) = (_mm512_set1_epi32(0x8000), _mm512_set1_epi32(0xffff_0000_u32.cast_signed()));
    let exponent = _mm512_set1_epi32(0x7f80_0000);
    let round = |x| _mm512_and_si512(_mm512_add_epi32(x, half), upper);
    // Exact: the difference has as many bits fewer as the larger part took.
    let less =
        |x, part| _mm512_castps_si512(_mm512_sub_ps(_mm512_castsi512_ps(x), _mm512_castsi512_ps(part)));
    let high = round(x);
    let rest = less(x, high);
    let middle = round(rest);
    let infinite = _mm512_cmpeq_epi32_mask(_mm512_and_si512(high, exponent), exponent);
    ([high, middle, less(rest, middle)], infinite == 0)
}

/// Transposes the 16 × 16 pairs of a tile.
#[target_feature(enable = "avx512f")]
pub(crate) fn transpose(tile: &mut Tile) {
    let mut rows = [_mm512_setzero_si512(); EDGE];
    for (row, values) in rows.iter_mut().zip(tile.0.chunks_exact(EDGE)) {
        // SAFETY: 16 numbers of 32 bits.
        *row = unsafe { _mm512_loadu_si512(values.as_ptr().cast()) };
    }
    let mut fours = rows;
    for at in (0..EDGE).step_by(4) {
        let pairs = [
            _mm512_unpacklo_epi32(rows[at], rows[at + 1]),
            _mm512_unpackhi_epi32(rows[at], rows[at + 1]),
            _mm512_unpacklo_epi32(rows[at + 2], rows[at + 3]),
            _mm512_unpackhi_epi32(rows[at + 2], rows[at + 3]),
        ];
        // Column c of these four rows is in quarter c / 4 of the vector c % 4.
        fours[at] = _mm512_unpacklo_epi64(pairs[0], pairs[2]);
        fours[at + 1] = _mm512_unpackhi_epi64(pairs[0], pairs[2]);
        fours[at + 2] = _mm512_unpacklo_epi64(pairs[1], pairs[3]);
        fours[at + 3] = _mm512_unpackhi_epi64(pairs[1], pairs[3]);
    }
    for column in 0..4 {
        let [a, b, c, d] = [0, 4, 8, 12].map(|at| fours[at + column]);
        // Quarters 0 and 2, and 1 and 3, of two vectors.
        let (even_low, odd_low) =
            (_mm512_shuffle_i32x4::<0b10_00_10_00>(a, b), _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b));
        let (even_high, odd_high) =
            (_mm512_shuffle_i32x4::<0b10_00_10_00>(c, d), _mm512_shuffle_i32x4::<0b11_01_11_01>(c, d));
        let columns = [
            _mm512_shuffle_i32x4::<0b10_00_10_00>(even_low, even_high),
            _mm512_shuffle_i32x4::<0b10_00_10_00>(odd_low, odd_high),
            _mm512_shuffle_i32x4::<0b11_01_11_01>(even_low, even_high),
            _mm512_shuffle_i32x4::<0b11_01_11_01>(odd_low, odd_high),
        ];
        for (quarter, values) in columns.into_iter().enumerate() {
            let out = &mut tile.0[(4 * quarter + column) * EDGE..][..EDGE];
            // SAFETY: 16 numbers of 32 bits.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), values) };
        }
    }
}
