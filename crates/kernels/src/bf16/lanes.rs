//! Halves of rows of a [`BlockResult`](crate::blocks::BlockResult) as vectors.

use std::arch::x86_64::{__m512, _mm512_load_ps, _mm512_store_ps};

/// Numbers of a vector: half of a row.
pub(super) const LANES: usize = 16;

/// Half of a row.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load(values: &[f32]) -> __m512 {
    debug_assert_eq!(values.len(), LANES);
    // SAFETY: 16 numbers that start at a multiple of 64 bytes, as halves of a row do.
    unsafe { _mm512_load_ps(values.as_ptr()) }
}

/// Replaces half of a row.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store(values: &mut [f32], x: __m512) {
    debug_assert_eq!(values.len(), LANES);
    // SAFETY: as in `load`.
    unsafe { _mm512_store_ps(values.as_mut_ptr(), x) };
}
