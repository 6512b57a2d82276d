//! Random numbers that are the same on every machine: SplitMix64 (Steele, Lea, Flood 2014).

/// A generator; equal seeds give equal draws.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The draws of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The draws of one of many rounds, each independent of how many others there are.
    pub fn of_round(seed: u64, round: u64) -> Self {
        let mut start = Self(seed);
        Self(start.next() ^ round.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// 64 random bits.
    #[expect(clippy::should_implement_trait, reason = "a generator has no end, so it is no iterator")]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number below `limit`, each as likely as any other up to 2⁻⁶⁴ · `limit`; 0 if there is none.
    pub fn below(&mut self, limit: usize) -> usize {
        ((u128::from(self.next()) * limit as u128) >> 64) as usize
    }

    /// A number from 0 to 1, 1 left out.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Brings a list into random order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_are_those_of_splitmix64() {
        // First draws for seed 1234567 of the published generator.
        let mut chance = SplitMix64::new(1_234_567);
        assert_eq!([chance.next(), chance.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn draws_stay_in_their_range_and_reach_all_of_it() {
        let mut chance = SplitMix64::new(1);
        let mut counts = [0; 5];
        (0..5000).for_each(|_| counts[chance.below(5)] += 1);
        assert!(counts.iter().all(|n| (900..1100).contains(n)), "{counts:?}");
        let mut list: Vec<usize> = (0..10).collect();
        chance.shuffle(&mut list);
        assert_ne!(list, (0..10).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..10).collect::<Vec<_>>());
        assert_eq!(chance.below(0), 0);
    }
}
