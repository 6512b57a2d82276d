//! Loops that are compiled once for each instruction set, the best of which is chosen at run time.
//!
//! Every level gives the same bits: loops are plain Rust over lists, whose sums and products the compiler may do side
//! by side but neither reorders nor fuses.

use std::sync::OnceLock;

/// The instruction set that loops run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// What every machine of the architecture has.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// Work with hot loops. `run`, and what its loops call, are `#[inline(always)]`: only what ends up in one function with
/// them is compiled for the level.
pub(crate) trait Kernel {
    fn run(self);
}

impl Level {
    /// The fastest that this machine can run.
    pub(crate) fn detect() -> Self {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| Self::available().pop().unwrap_or(Self::Portable))
    }

    /// All that this machine can run, the fastest last.
    pub(crate) fn available() -> Vec<Self> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "other machines have one level"))]
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                levels.push(Self::Avx2);
            }
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl");
            if wide {
                levels.push(Self::Avx512);
            }
        }
        levels
    }

    pub(crate) fn run(self, kernel: impl Kernel) {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn avx2(kernel: impl Kernel) {
            kernel.run();
        }
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl")]
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
