//! A limit on the instructions that are used, set by the environment variable `LEXIFORM_SIMD`. It holds for the kernels of this
//! project; the crate `gemm`, which multiplies in `f32` where there are no tiles, chooses for itself.

use std::str::FromStr;
use std::sync::OnceLock;

use crate::SimdLevel;

/// The most that is used of the machine's instructions: to measure, and to reproduce the results of other machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SimdLimit {
    /// What every machine of the architecture has.
    Portable,
    /// 256-bit vectors.
    Avx2,
    /// 512-bit vectors, with `bf16` dot products.
    Avx512,
    /// Everything, tiles included.
    Amx,
}

/// `LEXIFORM_SIMD` has an unknown value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLimit(pub String);

impl std::fmt::Display for UnknownLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LEXIFORM_SIMD is {:?}, expected portable, avx2, avx512 or amx", self.0)
    }
}

impl std::error::Error for UnknownLimit {}

impl SimdLimit {
    /// The limit that `LEXIFORM_SIMD` sets, if any.
    ///
    /// # Errors
    /// If the variable has another value than `portable`, `avx2`, `avx512` or `amx`.
    pub fn from_environment() -> Result<Self, UnknownLimit> {
        match std::env::var_os("LEXIFORM_SIMD") {
            Some(value) if !value.is_empty() => value.to_string_lossy().parse(),
            _ => Ok(Self::Amx),
        }
    }

    /// The limit of this process, read once. An unknown value sets none: programs report it at their start.
    pub(crate) fn current() -> Self {
        static LIMIT: OnceLock<SimdLimit> = OnceLock::new();
        *LIMIT.get_or_init(|| Self::from_environment().unwrap_or(Self::Amx))
    }

    pub(crate) fn allows(self, level: SimdLevel) -> bool {
        match level {
            SimdLevel::Portable => true,
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx2 => self >= Self::Avx2,
            #[cfg(target_arch = "x86_64")]
            SimdLevel::Avx512 => self >= Self::Avx512,
        }
    }
}

impl FromStr for SimdLimit {
    type Err = UnknownLimit;

    fn from_str(name: &str) -> Result<Self, UnknownLimit> {
        match name {
            "portable" => Ok(Self::Portable),
            "avx2" => Ok(Self::Avx2),
            "avx512" => Ok(Self::Avx512),
            "amx" => Ok(Self::Amx),
            _ => Err(UnknownLimit(name.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_names() {
        let names = ["portable", "avx2", "avx512", "amx"];
        let limits = names.map(|name| name.parse::<SimdLimit>().unwrap());
        assert!(limits.is_sorted());
        assert!(limits.iter().all(|limit| limit.allows(SimdLevel::Portable)));
        assert_eq!("AVX2".parse::<SimdLimit>(), Err(UnknownLimit("AVX2".to_owned())));
    }
}
