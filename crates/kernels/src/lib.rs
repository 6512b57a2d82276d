//! SIMD levels, detected at run time, and loops compiled for each of them.
//!
//! A portable binary may use only the instructions that all machines have. A [`Kernel`] is a hot loop in plain Rust;
//! [`SimdLevel::run`] compiles it once per level and calls the copy for the given level. The compiler vectorizes each copy but
//! neither reorders nor fuses floating-point operations, so every level gives the same bits, unless the loop uses fused
//! operations itself (see [`SimdLevel::fuses`]).
//!
//! ```
//! use lexiform_kernels::{Kernel, SimdLevel};
//!
//! struct Scale<'a> {
//!     values: &'a mut [f32],
//!     factor: f32,
//! }
//!
//! impl Kernel for Scale<'_> {
//!     #[inline(always)]
//!     fn run(self) {
//!         self.values.iter_mut().for_each(|x| *x *= self.factor);
//!     }
//! }
//!
//! let mut values = [1.0, 2.0, 3.0];
//! SimdLevel::detect().run(Scale { values: &mut values, factor: 2.0 });
//! assert_eq!(values, [2.0, 4.0, 6.0]);
//! ```

use std::sync::OnceLock;

pub mod bf16;
pub mod blocks;
mod limit;
pub mod matvec;
#[cfg(test)]
mod test_numbers;
#[cfg(target_arch = "x86_64")]
pub mod tiles;

pub use limit::{SimdLimit, UnknownLimit};

/// The vector instructions that a loop is compiled for, from slowest to fastest.
///
/// ```
/// use lexiform_kernels::SimdLevel;
///
/// let levels = SimdLevel::available();
/// assert_eq!(levels.first(), Some(&SimdLevel::Portable));
/// assert_eq!(levels.last(), Some(&SimdLevel::detect()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SimdLevel {
    /// What every machine of the architecture has.
    Portable,
    /// 256-bit vectors: AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// 512-bit vectors: AVX-512 F, BW, DQ and VL, in addition to [`Avx2`](Self::Avx2).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// A hot loop. `run`, and everything that its loops call, must be `#[inline(always)]`: only code that is inlined into the
/// function with the target features is compiled for the level.
///
/// ```
/// use lexiform_kernels::{Kernel, SimdLevel};
///
/// struct Sum<'a>(&'a [u32], &'a mut u32);
///
/// impl Kernel for Sum<'_> {
///     #[inline(always)]
///     fn run(self) {
///         *self.1 = self.0.iter().sum();
///     }
/// }
///
/// let mut sum = 0;
/// SimdLevel::detect().run(Sum(&[1, 2, 3], &mut sum));
/// assert_eq!(sum, 6);
/// ```
pub trait Kernel {
    /// The loop.
    fn run(self);
}

impl SimdLevel {
    /// The fastest level that this machine supports.
    #[inline]
    pub fn detect() -> Self {
        static LEVEL: OnceLock<SimdLevel> = OnceLock::new();
        *LEVEL.get_or_init(|| Self::available().pop().unwrap_or(Self::Portable))
    }

    /// All levels that this machine supports, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push(Self::Avx2);
            let is_wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if is_wide {
                levels.push(Self::Avx512);
            }
        }
        levels.retain(|level| SimdLimit::current().allows(*level));
        levels
    }

    /// Whether `f32::mul_add` is one instruction on this level. Otherwise it is a slow library call.
    ///
    /// ```
    /// use lexiform_kernels::SimdLevel;
    ///
    /// let level = SimdLevel::detect();
    /// let sum = if level.fuses() { 2.0_f32.mul_add(3.0, 1.0) } else { 2.0 * 3.0 + 1.0 };
    /// assert_eq!(sum, 7.0);
    /// ```
    #[inline]
    pub fn fuses(self) -> bool {
        self != Self::Portable || cfg!(any(target_arch = "aarch64", target_feature = "fma"))
    }

    /// Runs a loop compiled for this level. The level must be one that this machine [supports](Self::available).
    #[inline]
    pub fn run(self, kernel: impl Kernel) {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn avx2(kernel: impl Kernel) {
            kernel.run();
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
        fn avx512(kernel: impl Kernel) {
            kernel.run();
        }
        match self {
            Self::Portable => kernel.run(),
            // SAFETY: `available` names this level only where the machine has its features.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(kernel) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => unsafe { avx512(kernel) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Squares<'a> {
        values: &'a [f32],
        sum: &'a mut f32,
    }

    impl Kernel for Squares<'_> {
        #[inline(always)]
        fn run(self) {
            *self.sum = self.values.iter().map(|x| x * x).sum();
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let values: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.37).sin()).collect();
        let expected: f32 = values.iter().map(|x| x * x).sum();
        for level in SimdLevel::available() {
            let mut sum = 0.0;
            level.run(Squares { values: &values, sum: &mut sum });
            assert_eq!(sum.to_bits(), expected.to_bits(), "{level:?}");
        }
    }

    #[test]
    fn the_fastest_level_is_the_last() {
        let levels = SimdLevel::available();
        assert!(levels.is_sorted());
        assert_eq!(levels.first(), Some(&SimdLevel::Portable));
        assert_eq!(levels.last(), Some(&SimdLevel::detect()));
    }
}
