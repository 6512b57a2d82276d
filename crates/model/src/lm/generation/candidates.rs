//! Which tokens may follow, and what ends a text.

/// Most tokens that may end a text.
const MAX_ENDS: usize = 8;

/// The tokens that end a text; none if texts end at their maximum length alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndTokens([Option<u32>; MAX_ENDS]);

impl EndTokens {
    /// These tokens, of which the first eight count.
    pub fn new(ids: &[u32]) -> Self {
        let mut ends = [None; MAX_ENDS];
        ends.iter_mut().zip(ids).for_each(|(end, id)| *end = Some(*id));
        Self(ends)
    }

    /// One token, as a constant.
    #[cfg(test)]
    pub(super) const fn one(id: u32) -> Self {
        let mut ends = [None; MAX_ENDS];
        ends[0] = Some(id);
        Self(ends)
    }

    /// Whether a token ends a text.
    pub fn contains(&self, id: u32) -> bool {
        self.0.contains(&Some(id))
    }

    /// The ids.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.0.into_iter().flatten()
    }
}

/// Candidates of sampling; as in `transformers`, first the temperature applies, then `top_k`, then `top_p`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Logits are divided by this number, which is positive.
    pub temperature: f32,
    /// Only this many most probable tokens, if given ([arXiv 1805.04833](https://arxiv.org/abs/1805.04833)).
    pub top_k: Option<usize>,
    /// Only the most probable tokens with this total probability (nucleus sampling,
    /// [arXiv 1904.09751](https://arxiv.org/abs/1904.09751)).
    pub top_p: f32,
}

impl Sampling {
    /// Nucleus sampling: the most probable tokens with this total probability.
    pub fn nucleus(top_p: f32) -> Self {
        Self { temperature: 1.0, top_k: None, top_p }
    }
}

/// Minimum and maximum length of texts, in tokens, including the start token, and what ends them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LengthLimits {
    pub ends: EndTokens,
    /// Padding of finished texts.
    pub padding: u32,
    /// Tokens of start token and prompt.
    pub prompt_length: usize,
    pub min_length: usize,
    pub max_length: usize,
}

impl LengthLimits {
    /// The tokens that are impossible at a length: those that end a text until the minimum length, as
    /// `MinLengthLogitsProcessor` does.
    pub fn banned(&self, length: usize) -> EndTokens {
        if length < self.min_length { self.ends } else { EndTokens::default() }
    }
}

/// The row that a caption continues, and its next token.
pub(crate) type NextToken = (usize, u32);

/// Ids with their logits, except for banned ids and NaN logits.
pub(super) fn allowed(logits: &[f32], banned: EndTokens) -> impl Iterator<Item = (u32, f32)> + '_ {
    let ids = logits.iter().enumerate().map(|(id, logit)| (id as u32, *logit));
    ids.filter(move |(id, logit)| !logit.is_nan() && !banned.contains(*id))
}
