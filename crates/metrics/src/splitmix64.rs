//! SplitMix64, a random number generator with the same output on every machine (Steele, Lea and Flood 2014,
//! <https://doi.org/10.1145/2660193.2660195>), and the draws that resampling needs.

use rand_xoshiro::rand_core::{RngCore as _, SeedableRng as _};

/// A random number generator; equal seeds give equal sequences.
#[derive(Clone, Debug)]
pub struct SplitMix64(rand_xoshiro::SplitMix64);

impl SplitMix64 {
    /// A generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(rand_xoshiro::SplitMix64::seed_from_u64(seed))
    }

    /// The generator of one of many independent streams of a seed.
    pub fn for_stream(seed: u64, stream: u64) -> Self {
        let mut start = Self::new(seed);
        Self::new(start.next_u64() ^ stream.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A uniform integer below `limit`, with a bias below `limit` · 2⁻⁶⁴; 0 if `limit` is 0.
    pub fn next_below(&mut self, limit: usize) -> usize {
        // The high half of the product: no division, unlike a remainder (Lemire 2019, arXiv:1805.10941).
        ((u128::from(self.next_u64()) * limit as u128) >> 64) as usize
    }

    /// A uniform number in [0, 1).
    pub fn next_f64(&mut self) -> f64 {
        // 53 bits are as many as an f64 can hold exactly.
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Shuffles a list (Fisher-Yates).
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.next_below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_match_the_reference() {
        // First outputs of the reference implementation for seed 1234567.
        let mut rng = SplitMix64::new(1_234_567);
        assert_eq!([rng.next_u64(), rng.next_u64()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn bounded_integers_are_uniform() {
        let mut rng = SplitMix64::new(1);
        let mut counts = [0; 5];
        (0..5000).for_each(|_| counts[rng.next_below(5)] += 1);
        assert!(counts.iter().all(|n| (900..1100).contains(n)), "{counts:?}");
        let mut list: Vec<usize> = (0..10).collect();
        rng.shuffle(&mut list);
        assert_ne!(list, (0..10).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..10).collect::<Vec<_>>());
        assert_eq!(rng.next_below(0), 0);
    }
}
