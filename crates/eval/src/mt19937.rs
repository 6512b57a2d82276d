//! MT19937 (Matsumoto and Nishimura 1998, <https://doi.org/10.1145/272991.272995>), bit-compatible with Python's `random`,
//! which the references use to sample views, and with torch's CPU generator, which they use to sample crop windows.

/// State size in words.
const N: usize = 624;
/// Offset of the word mixed into each state word.
const M: usize = 397;

/// The Mersenne Twister.
#[derive(Clone, Debug)]
pub struct Mt19937 {
    state: [u32; N],
    index: usize,
}

impl Mt19937 {
    /// The generator after Python's `random.seed(seed)`.
    pub fn python(seed: u64) -> Self {
        let mut key = vec![seed as u32];
        if seed > u64::from(u32::MAX) {
            key.push((seed >> 32) as u32);
        }
        let Self { mut state, .. } = Self::torch(19_650_218);
        let mut i = 1;
        // `init_by_array` of the reference implementation.
        for step in 0..N.max(key.len()) {
            let place = step % key.len();
            state[i] =
                (state[i] ^ mix(state[i - 1], 1_664_525)).wrapping_add(key[place]).wrapping_add(place as u32);
            i = advance(i, &mut state);
        }
        for _ in 0..N - 1 {
            state[i] = (state[i] ^ mix(state[i - 1], 1_566_083_941)).wrapping_sub(i as u32);
            i = advance(i, &mut state);
        }
        state[0] = 0x8000_0000;
        Self { state, index: N }
    }

    /// torch's CPU generator after `torch.manual_seed(seed)`, for seeds of 32 bits.
    pub fn torch(seed: u32) -> Self {
        let mut state = [seed; N];
        for i in 1..N {
            state[i] = mix(state[i - 1], 1_812_433_253).wrapping_add(i as u32);
        }
        Self { state, index: N }
    }

    /// `torch.randint(0, limit, (1,))` below 2³², of torch's generator.
    pub fn torch_randint(&mut self, limit: u32) -> u32 {
        self.next_u32() % limit
    }

    /// `torch.empty((), dtype=torch.int64).random_()`: 63 bits of two draws, the first one on top.
    pub fn torch_random_i64(&mut self) -> u64 {
        let [high, low] = [(); 2].map(|()| u64::from(self.next_u32()));
        (high << 32 | low) & (u64::MAX >> 1)
    }

    /// 32 random bits.
    fn next_u32(&mut self) -> u32 {
        if self.index == N {
            self.twist();
        }
        let mut y = self.state[self.index];
        self.index += 1;
        // Tempering.
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    fn twist(&mut self) {
        for i in 0..N {
            let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % N] & 0x7fff_ffff);
            // The twist matrix A is applied if the lowest bit is set.
            let odd = if y & 1 == 0 { 0 } else { 0x9908_b0df };
            self.state[i] = self.state[(i + M) % N] ^ (y >> 1) ^ odd;
        }
        self.index = 0;
    }

    /// Python's `random.randrange(limit)`, for limits from 1 to 2³¹.
    fn randrange(&mut self, limit: u32) -> u32 {
        // Like `_randbelow_with_getrandbits`: reject values above the limit instead of taking a remainder.
        let width = u32::BITS - limit.leading_zeros();
        loop {
            let drawn = self.next_u32() >> (u32::BITS - width);
            if drawn < limit {
                return drawn;
            }
        }
    }

    /// Python's `random.sample(range(population), count)`; a permutation if `count` exceeds the population.
    pub fn sample(&mut self, population: u32, count: u32) -> Vec<usize> {
        let count = count.min(population);
        let pooled = population <= pool_limit(count);
        let mut pool: Vec<u32> = if pooled { (0..population).collect() } else { Vec::new() };
        let mut sample: Vec<usize> = Vec::with_capacity(count as usize);
        for i in 0..count {
            if pooled {
                let j = self.randrange(population - i) as usize;
                sample.push(pool[j] as usize);
                pool[j] = pool[(population - i - 1) as usize];
            } else {
                let mut drawn = std::iter::repeat_with(|| self.randrange(population) as usize);
                // Rejection keeps the order of Python's set-based branch.
                sample.extend(drawn.find(|j| !sample.contains(j)));
            }
        }
        sample
    }
}

/// Largest population that `sample` copies into a pool; larger ones use rejection.
fn pool_limit(count: u32) -> u32 {
    let table = if count > 5 { 4_f64.powf((f64::from(count) * 3.0).log(4.0).ceil()) } else { 0.0 };
    21 + table as u32
}

fn mix(before: u32, factor: u32) -> u32 {
    (before ^ (before >> 30)).wrapping_mul(factor)
}

/// The next index of the seeding loop, which wraps around to 1.
fn advance(i: usize, state: &mut [u32; N]) -> usize {
    if i + 1 < N {
        return i + 1;
    }
    state[0] = state[N - 1];
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_match_python() {
        // Printed by CPython: random.seed(s); [random.sample(range(n), k) …]
        let mut random = Mt19937::python(678);
        assert_eq!(random.sample(12, 5), PY_678_5);
        assert_eq!(random.sample(12, 12), PY_678_12);
        assert_eq!(random.sample(1000, 6), PY_678_1000);
        assert_eq!(Mt19937::python(0).sample(12, 3), PY_0_3);
        assert_eq!(Mt19937::python(1 << 40).sample(12, 3), PY_BIG_3);
        assert_eq!(Mt19937::python(1).sample(2, 5).len(), 2);
        assert_eq!(Mt19937::python(1).sample(0, 5), [0; 0]);
    }

    #[test]
    fn windows_match_torch() {
        // Printed by torchvision: torch.manual_seed(678); [RandomCrop.get_params(zeros(3, 224, 224), (208, 208))[:2] …]
        let mut torch = Mt19937::torch(678);
        let windows: Vec<[u32; 2]> =
            (0..400).map(|_| [torch.torch_randint(17), torch.torch_randint(17)]).collect();
        assert_eq!(windows[..4], [[5, 11], [3, 9], [7, 6], [13, 12]]);
        // The 312th is the first after a twist.
        assert_eq!([230, 311, 312, 399].map(|i| windows[i]), [[4, 3], [16, 6], [8, 16], [9, 2]]);
    }

    const PY_678_5: [usize; 5] = [1, 5, 0, 10, 9];
    const PY_678_12: [usize; 12] = [2, 7, 0, 9, 11, 4, 8, 3, 5, 10, 1, 6];
    const PY_678_1000: [usize; 6] = [421, 581, 131, 308, 839, 976];
    const PY_0_3: [usize; 3] = [6, 11, 0];
    const PY_BIG_3: [usize; 3] = [1, 5, 11];
}
