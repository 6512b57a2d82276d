//! The source of chance: a small generator whose numbers are the same on every machine.

use rand::RngCore;

/// FNV-1a: the same on every machine and in every version.
pub(crate) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A SplitMix64 generator with the few draws that builders of shapes need.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// A generator that depends on all bits of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A generator for one named thing: other names give unrelated numbers for the same seed.
    pub fn named(name: &str, seed: u64) -> Self {
        // FNV-1a keeps the stream of a category when others are added or moved.
        let hash = fnv1a(name.bytes());
        let mut rng = Self { state: hash ^ seed.wrapping_mul(0xd6e8_feb8_6659_fd93) };
        rng.next_u64();
        rng
    }

    /// Uniform in `0.0..1.0`.
    pub fn unit(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Uniform between two values.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// `value` times a factor in `1 ± fraction`.
    pub fn about(&mut self, value: f32, fraction: f32) -> f32 {
        value * self.between(1.0 - fraction, 1.0 + fraction)
    }

    /// A whole number in `low..=high`.
    pub fn count(&mut self, low: usize, high: usize) -> usize {
        low + self.index(high.saturating_sub(low) + 1)
    }

    /// A whole number in `0..n`; 0 for `n == 0`.
    pub fn index(&mut self, n: usize) -> usize {
        // The multiply-shift keeps the bias below n / 2^64.
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// True with the given probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// One of the options, which must not be empty.
    pub fn pick<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.index(options.len())]
    }

    /// −1 or 1.
    pub fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Roughly normal with zero mean and unit deviation (sum of four uniforms).
    pub fn normal(&mut self) -> f32 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 3.0_f32.sqrt()
    }
}

impl RngCore for Rng {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_seeds_give_unrelated_streams() {
        let draws = |name, seed| {
            (0..4)
                .map(|_| ())
                .map({
                    let mut rng = Rng::named(name, seed);
                    move |()| rng.next_u64()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(draws("chair", 7), draws("chair", 7));
        assert_ne!(draws("chair", 7), draws("chair", 8));
        assert_ne!(draws("chair", 7), draws("table", 7));
    }

    #[test]
    fn draws_stay_in_range() {
        let mut rng = Rng::new(1);
        for _ in 0..1000 {
            assert!((2..=5).contains(&rng.count(2, 5)));
            assert!((-1.0..=1.0).contains(&rng.between(-1.0, 1.0)));
        }
    }
}
