//! The micro-kernel for each instruction set; the best is chosen at run time.
//!
//! Every sum is accumulated in index order in one SIMD lane. Instruction sets with fused multiply-add (every x86 with
//! FMA, every 64-bit ARM) therefore give the same bits, whatever their vector width; only CPUs without it differ.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, __m512, _MM_HINT_T0, _mm_prefetch, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps,
    _mm256_storeu_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
};

use lexiform_kernels::SimdLevel;

/// Sums in the largest tile.
pub(super) const MAX_TILE: usize = 14 * 32;

/// The tile of an instruction set.
pub(crate) trait Tiles {
    /// Rows of a tile: with two vectors per row, as many as fit into the registers next to the loaded operands.
    fn rows(self) -> usize;

    /// Columns of a tile: two vectors.
    fn columns(self) -> usize;

    /// Dot products of the rows of two panels, `[dim, rows]` and `[dim, columns]` → `[rows, columns]`, with rows
    /// `stride` apart.
    fn tile(self, left: &[f32], right: &[f32], sums: &mut [f32], stride: usize);

    /// `a · b + sum` as rounded on this level.
    #[cfg(test)]
    fn fmadd(self, a: f32, b: f32, sum: f32) -> f32;
}

impl Tiles for SimdLevel {
    fn rows(self) -> usize {
        match self {
            Self::Portable => 4,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 6,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 14,
        }
    }

    fn columns(self) -> usize {
        match self {
            Self::Portable => 2 * <[f32; 4] as SimdVector>::COUNT,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => 2 * <__m256 as SimdVector>::COUNT,
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => 2 * <__m512 as SimdVector>::COUNT,
        }
    }

    fn tile(self, left: &[f32], right: &[f32], sums: &mut [f32], stride: usize) {
        // Not kernels of `SimdLevel::run`: each level has its own vector type, which the others must not compile.
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn avx2(left: &[f32], right: &[f32], sums: &mut [f32], stride: usize) {
            tile::<__m256, 6>(left, right, sums, stride);
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f")]
        fn avx512(left: &[f32], right: &[f32], sums: &mut [f32], stride: usize) {
            tile::<__m512, 14>(left, right, sums, stride);
        }
        match self {
            Self::Portable => tile::<[f32; 4], 4>(left, right, sums, stride),
            // SAFETY: `available` names this level only where the machine has its features.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(left, right, sums, stride) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512(left, right, sums, stride) },
        }
    }

    #[cfg(test)]
    fn fmadd(self, a: f32, b: f32, sum: f32) -> f32 {
        if self.fuses() { a.mul_add(b, sum) } else { a * b + sum }
    }
}

/// Whether the portable level has a fused multiply-add instruction; without one `mul_add` is a slow library call.
const HAS_FMA: bool = cfg!(any(target_arch = "aarch64", target_feature = "fma"));

/// Prefetch distance in steps of the inner loop, some eighty cycles.
#[cfg(target_arch = "x86_64")]
const PREFETCH_STEPS: usize = 8;

/// A SIMD register. Its methods are inlined into, and compiled for, the target features of the calling function.
trait SimdVector: Copy {
    const COUNT: usize;
    fn splat(x: f32) -> Self;
    fn load(from: &[f32]) -> Self;
    /// Prefetches the values read [`PREFETCH_STEPS`] later: hardware prefetching does not run far enough ahead for a
    /// panel in the L2 cache.
    fn prefetch(from: &[f32]);
    fn store(self, to: &mut [f32]);
    /// `self · by + sum`.
    fn fmadd(self, by: Self, sum: Self) -> Self;
}

/// A tile of `ROWS` rows and two vectors of columns, accumulated in registers over the whole `dim`.
#[inline(always)]
fn tile<V: SimdVector, const ROWS: usize>(left: &[f32], right: &[f32], sums: &mut [f32], stride: usize) {
    let mut kept = [[V::splat(0.0); 2]; ROWS];
    for (left, right) in left.chunks_exact(ROWS).zip(right.chunks_exact(2 * V::COUNT)) {
        V::prefetch(right);
        let right = [V::load(right), V::load(&right[V::COUNT..])];
        for (kept, &left) in kept.iter_mut().zip(left) {
            let left = V::splat(left);
            *kept = [left.fmadd(right[0], kept[0]), left.fmadd(right[1], kept[1])];
        }
    }
    for (kept, sums) in kept.iter().zip(sums.chunks_mut(stride)) {
        kept[0].store(sums);
        kept[1].store(&mut sums[V::COUNT..]);
    }
}

impl SimdVector for [f32; 4] {
    const COUNT: usize = 4;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        [x; 4]
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        [from[0], from[1], from[2], from[3]]
    }

    #[inline(always)]
    fn prefetch(_: &[f32]) {}

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        to[..4].copy_from_slice(&self);
    }

    #[inline(always)]
    fn fmadd(self, by: Self, sum: Self) -> Self {
        let step = |i: usize| if HAS_FMA { self[i].mul_add(by[i], sum[i]) } else { self[i] * by[i] + sum[i] };
        [step(0), step(1), step(2), step(3)]
    }
}

#[cfg(target_arch = "x86_64")]
impl SimdVector for __m256 {
    const COUNT: usize = 8;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: only `SimdLevel::tile` makes these, on machines that have the features.
        unsafe { _mm256_set1_ps(x) }
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..8];
        // SAFETY: as above; the slice has eight values.
        unsafe { _mm256_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn prefetch(from: &[f32]) {
        let ahead = from.as_ptr().wrapping_add(PREFETCH_STEPS * 2 * Self::COUNT);
        // SAFETY: as above; a prefetch reads nothing, wherever it points.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
        }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..8];
        // SAFETY: as above; the slice has room for eight values.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), self) }
    }

    #[inline(always)]
    fn fmadd(self, by: Self, sum: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm256_fmadd_ps(self, by, sum) }
    }
}

#[cfg(target_arch = "x86_64")]
impl SimdVector for __m512 {
    const COUNT: usize = 16;

    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: only `SimdLevel::tile` makes these, on machines that have the features.
        unsafe { _mm512_set1_ps(x) }
    }

    #[inline(always)]
    fn load(from: &[f32]) -> Self {
        let from = &from[..16];
        // SAFETY: as above; the slice has sixteen values.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn prefetch(from: &[f32]) {
        let ahead = from.as_ptr().wrapping_add(PREFETCH_STEPS * 2 * Self::COUNT);
        // SAFETY: as above; a prefetch reads nothing, wherever it points.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(ahead.cast());
            _mm_prefetch::<_MM_HINT_T0>(ahead.wrapping_add(Self::COUNT).cast());
        }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32]) {
        let to = &mut to[..16];
        // SAFETY: as above; the slice has room for sixteen values.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self) }
    }

    #[inline(always)]
    fn fmadd(self, by: Self, sum: Self) -> Self {
        // SAFETY: as above.
        unsafe { _mm512_fmadd_ps(self, by, sum) }
    }
}
