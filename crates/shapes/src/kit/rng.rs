//! Random numbers, equal on every machine.

use std::hash::Hasher as _;

use fnv::FnvHasher;
use rand::{RngCore, SeedableRng as _};
use rand_xoshiro::SplitMix64;

/// A [SplitMix64](https://doi.org/10.1145/2660193.2660195) generator with the distributions that shapes need.
///
/// ```
/// use lexiform_shapes::Rng;
///
/// let mut rng = Rng::named("example", 7);
/// assert!((2..=5).contains(&rng.int_between(2, 5)));
/// assert!(["red", "blue"].contains(&rng.choose(&["red", "blue"])));
/// ```
#[derive(Clone, Debug)]
pub struct Rng(SplitMix64);

impl Rng {
    /// A generator that depends on all bits of `seed`.
    #[inline]
    pub fn new(seed: u64) -> Self {
        Self(SplitMix64::seed_from_u64(seed))
    }

    /// A generator with its own stream: other names give unrelated numbers for the same seed.
    pub fn named(name: &str, seed: u64) -> Self {
        // By name rather than index: adding or moving a category keeps the streams of all others.
        let mut hasher = FnvHasher::default();
        hasher.write(name.as_bytes());
        let mut rng = Self::new(hasher.finish() ^ seed.wrapping_mul(0xd6e8_feb8_6659_fd93));
        rng.next_u64();
        rng
    }

    /// Uniform in `0.0..1.0`.
    #[inline]
    pub fn unit(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1_u64 << 24) as f32
    }

    /// Uniform in `low..high`.
    #[inline]
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// `value` times a factor in `1 ± fraction`.
    #[inline]
    pub fn jitter(&mut self, value: f32, fraction: f32) -> f32 {
        value * self.between(1.0 - fraction, 1.0 + fraction)
    }

    /// A uniform integer in `low..=high`.
    #[inline]
    pub fn int_between(&mut self, low: usize, high: usize) -> usize {
        low + self.index(high.saturating_sub(low) + 1)
    }

    /// A uniform integer in `0..n`; 0 if `n == 0`.
    #[inline]
    pub fn index(&mut self, n: usize) -> usize {
        // The multiply-shift keeps the bias below n / 2^64.
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// True with the given probability.
    #[inline]
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// A uniform choice; `options` must not be empty.
    #[inline]
    pub fn choose<T: Copy>(&mut self, options: &[T]) -> T {
        options[self.index(options.len())]
    }

    /// −1 or 1.
    #[inline]
    pub fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }

    /// Approximately standard normal (sum of four uniforms).
    #[inline]
    pub fn normal(&mut self) -> f32 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 3.0_f32.sqrt()
    }
}

impl RngCore for Rng {
    // Not the generator's own `next_u32`, which mixes differently: the released weights were trained with these bits.
    #[inline]
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
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

    /// The reference values of SplitMix64, https://prng.di.unimi.it/splitmix64.c.
    #[test]
    fn the_stream_is_that_of_the_reference() {
        let mut rng = Rng::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
        assert_eq!(Rng::new(1_234_567).next_u32(), (expected[0] >> 32) as u32);
    }

    #[test]
    fn draws_stay_in_range() {
        let mut rng = Rng::new(1);
        for _ in 0..1000 {
            assert!((2..=5).contains(&rng.int_between(2, 5)));
            assert!((-1.0..=1.0).contains(&rng.between(-1.0, 1.0)));
        }
    }
}
