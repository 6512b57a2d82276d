//! Fingerprints of weights, which distinguish models with the same network.

/// A variant of FNV-1a that hashes the bits of one `f32` per step instead of a byte, folded to 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// The initial state.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds values, in order.
    #[must_use]
    pub fn with(self, values: &[f32]) -> Self {
        let step =
            |hash: u64, value: &f32| (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        Self(values.iter().fold(self.0, step))
    }

    /// The fingerprint in the ids of models.
    pub const fn value(self) -> u32 {
        (self.0 ^ (self.0 >> 32)) as u32
    }
}
