//! Cached keys and values of texts, in `f32` or half of that.

use half::bf16;

/// Tokens that a cache grows by, at least.
const GROWTH: usize = 256;

/// A number of a cache.
pub(crate) trait CacheNumber: Copy + Send + Sync + 'static {
    /// Rounds to it.
    fn of(x: f32) -> Self;

    /// Its value.
    fn value(self) -> f32;
}

impl CacheNumber for f32 {
    #[inline(always)]
    fn of(x: f32) -> Self {
        x
    }

    #[inline(always)]
    fn value(self) -> f32 {
        self
    }
}

impl CacheNumber for bf16 {
    #[inline(always)]
    fn of(x: f32) -> Self {
        Self::from_f32(x)
    }

    #[inline(always)]
    fn value(self) -> f32 {
        // Not `to_f32`: a shift is one instruction of vectors.
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }
}

/// Keys and values of a block, for each text `[tokens, heads, head width]`.
#[derive(Clone, Debug)]
pub(crate) struct HostKvCache<E> {
    texts: Vec<CachedText<E>>,
}

#[derive(Clone, Debug)]
pub(super) struct CachedText<E> {
    pub keys: Vec<E>,
    pub values: Vec<E>,
}

impl<E: CacheNumber> HostKvCache<E> {
    /// Empty texts.
    pub fn new(texts: usize) -> Self {
        let empty = || CachedText { keys: Vec::new(), values: Vec::new() };
        Self { texts: (0..texts).map(|_| empty()).collect() }
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// One text.
    pub(super) fn text(&self, at: usize) -> &CachedText<E> {
        &self.texts[at]
    }

    /// Appends keys and values of new tokens, `[rows, tokens, 2, width]`.
    pub fn append(&mut self, key_value: &[f32], [rows, tokens]: [usize; 2], width: usize) {
        assert_eq!(rows, self.texts.len(), "texts of the cache");
        let each = key_value.chunks_exact((tokens * 2 * width).max(1));
        for (text, key_value) in self.texts.iter_mut().zip(each) {
            for list in [&mut text.keys, &mut text.values] {
                if list.capacity() - list.len() < tokens * width {
                    // Doubling would take twice the memory of a long text.
                    list.reserve_exact(tokens.max(GROWTH) * width);
                }
            }
            for pair in key_value.chunks_exact(2 * width) {
                let (key, value) = pair.split_at(width);
                text.keys.extend(key.iter().map(|x| E::of(*x)));
                text.values.extend(value.iter().map(|x| E::of(*x)));
            }
        }
    }

    /// Continues with these texts, possibly repeated.
    pub fn reorder(&mut self, texts: &[usize]) {
        self.texts = texts.iter().map(|at| self.texts[*at].clone()).collect();
    }
}
