//! Fingerprints of weights, which tell trainings of one network apart.

/// FNV-1a over the bits of numbers, a number at a time where the original takes a byte, folded to 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprint(u64);

impl Fingerprint {
    /// Of no numbers.
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds numbers, whose order matters.
    #[must_use]
    pub fn with(self, values: &[f32]) -> Self {
        let step =
            |hash: u64, value: &f32| (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0100_0000_01b3);
        Self(values.iter().fold(self.0, step))
    }

    /// The fingerprint, as ids of models show it.
    pub const fn value(self) -> u32 {
        (self.0 ^ (self.0 >> 32)) as u32
    }
}
