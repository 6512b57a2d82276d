//! Causal attention of new tokens to cached ones.

use std::cell::Cell;

use lexiform_kernels::{Kernel, SimdLevel};
use rayon::prelude::*;

use super::super::matmul::matmul_into;
use super::super::matrix::{Matrix, MatrixMut, Parallelism, WriteMode};
use super::super::memory::room;
use super::super::simd::exp;
use super::cache::{CacheNumber, CachedText, HostKvCache};

/// Queries of a prompt that attend at once.
const QUERIES: usize = 64;
/// Products from which heads are shared out to threads.
const LEAST_SHARED: usize = 1 << 16;
/// Partial sums of a product of two rows.
const LANES: usize = 16;

thread_local! {
    static SCORES: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
    static HEAD: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Heads of attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HeadSizes {
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and values, each for consecutive heads of queries.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_width: usize,
}

impl HeadSizes {
    /// Widths of queries, and of keys or values, over all heads.
    pub fn inner(self) -> [usize; 2] {
        [self.heads * self.head_width, self.kv_heads * self.head_width]
    }

    /// Width of the queries that share a head of keys.
    fn group(self) -> usize {
        self.heads / self.kv_heads * self.head_width
    }
}

/// Attention of queries, `[rows, tokens, heads, head width]`, the last of which belong to the last tokens of the cache; `out` has
/// their shape.
pub(super) fn attend<E: CacheNumber>(
    query: &[f32],
    cache: &HostKvCache<E>,
    sizes: HeadSizes,
    [rows, tokens]: [usize; 2],
    out: &mut [f32],
) {
    let ([inner, kv_width], group) = (sizes.inner(), sizes.group());
    if tokens > 1 {
        for row in 0..rows {
            let range = row * tokens * inner..(row + 1) * tokens * inner;
            attend_prompt(&query[range.clone()], cache.text(row), sizes, &mut out[range]);
        }
        return;
    }
    let cached = cache.text(0).keys.len() / kv_width.max(1);
    let least = LEAST_SHARED.div_ceil((cached * group).max(1));
    // Tokens of a text are one: the numbers of a head follow each other.
    (out.par_chunks_mut(group).zip(query.par_chunks(group)).enumerate().with_min_len(least)).for_each(
        |(at, (out, query))| {
            let (text, head) = (cache.text(at / sizes.kv_heads), at % sizes.kv_heads);
            let mut kept = SCORES.take();
            let scores = room(&mut kept, cached, 0.0);
            let first = head * sizes.head_width;
            let [keys, values] = [&text.keys[first..], &text.values[first..]];
            SimdLevel::detect().run(AttendHead { query, keys, values, stride: kv_width, scores, out, sizes });
            SCORES.set(kept);
        },
    );
}

/// Attention of the queries of one token that share a head of keys.
struct AttendHead<'a, E> {
    /// `[heads, head width]`.
    query: &'a [f32],
    /// From the head on, tokens are `stride` apart.
    keys: &'a [E],
    values: &'a [E],
    stride: usize,
    /// Room for a number per token.
    scores: &'a mut [f32],
    /// As `query`.
    out: &'a mut [f32],
    sizes: HeadSizes,
}

impl<E: CacheNumber> Kernel for AttendHead<'_, E> {
    #[inline(always)]
    fn run(self) {
        let Self { query, keys, values, stride, scores, out, sizes } = self;
        let width = sizes.head_width;
        let scale = (width as f32).powf(-0.5);
        for (query, out) in query.chunks_exact(width).zip(out.chunks_exact_mut(width)) {
            let mut most = f32::NEG_INFINITY;
            for (score, key) in scores.iter_mut().zip(keys.chunks(stride)) {
                *score = product(query, &key[..width]) * scale;
                most = if *score > most { *score } else { most };
            }
            let sum = exponentials(scores, most);
            out.fill(0.0);
            for (score, value) in scores.iter().zip(values.chunks(stride)) {
                let share = score / sum;
                out.iter_mut().zip(&value[..width]).for_each(|(out, value)| *out += share * value.value());
            }
        }
    }
}

/// The product of two rows, in an order that does not depend on the width of vectors.
#[inline(always)]
fn product<E: CacheNumber>(a: &[f32], b: &[E]) -> f32 {
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b.value();
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b.value()).sum();
    // In halves: a sum from first to last would wait for each addition.
    let [mut eight, mut four] = [[0.0; 8], [0.0; 8]];
    (0..8).for_each(|i| eight[i] = lanes[i] + lanes[i + 8]);
    (0..4).for_each(|i| four[i] = eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3]) + rest
}

/// Exponentials of scores minus the largest, in place, and their sum.
#[inline(always)]
fn exponentials(scores: &mut [f32], most: f32) -> f32 {
    let mut lanes = [0.0; LANES];
    let (chunks, rest) = scores.as_chunks_mut::<LANES>();
    for chunk in chunks {
        for (lane, score) in lanes.iter_mut().zip(chunk) {
            *score = exp(*score - most);
            *lane += *score;
        }
    }
    rest.iter_mut().for_each(|score| *score = exp(*score - most));
    lanes.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// Attention of the tokens of a text, `[tokens, heads, head width]`, to its cache, by products of matrices.
fn attend_prompt<E: CacheNumber>(query: &[f32], text: &CachedText<E>, sizes: HeadSizes, out: &mut [f32]) {
    let ([inner, kv_width], width) = (sizes.inner(), sizes.head_width);
    let (tokens, cached) = (query.len() / inner, text.keys.len() / kv_width);
    let heads = MatrixMut::split_columns(out, inner, sizes.group());
    heads.into_par_iter().enumerate().for_each(|(at, mut out)| {
        let (mut kept, mut head) = (SCORES.take(), HEAD.take());
        let (keys, values) = room(&mut head, 2 * cached * width, 0.0).split_at_mut(cached * width);
        for (numbers, all) in [(&mut *keys, &text.keys), (&mut *values, &text.values)] {
            for (numbers, all) in numbers.chunks_exact_mut(width).zip(all[at * width..].chunks(kv_width)) {
                numbers.iter_mut().zip(all).for_each(|(x, number)| *x = number.value());
            }
        }
        for (shared, first) in
            (0..sizes.heads / sizes.kv_heads).flat_map(|i| (0..tokens).step_by(QUERIES).map(move |j| (i, j)))
        {
            let count = QUERIES.min(tokens - first);
            // Tokens that the last of these queries sees.
            let seen = cached - tokens + first + count;
            let scores = room(&mut kept, count * seen, 0.0);
            let place = first * inner + at * sizes.group() + shared * width;
            let query = Matrix::strided(&query[place..], [count, width], [inner, 1]);
            let keys = Matrix::new(&keys[..seen * width], [seen, width]).transposed();
            let whole = MatrixMut::new(scores, [count, seen]);
            matmul_into(whole, query, keys, WriteMode::Set, Parallelism::Serial);
            SimdLevel::detect().run(CausalShares { scores, seen, width });
            let [shares, values] =
                [Matrix::new(scores, [count, seen]), Matrix::new(&values[..seen * width], [seen, width])];
            let mut rows = out.rows(first, count);
            matmul_into(
                rows.columns(shared * width, width),
                shares,
                values,
                WriteMode::Set,
                Parallelism::Serial,
            );
        }
        SCORES.set(kept);
        HEAD.set(head);
    });
}

/// Softmax of scores `[queries, seen]`, whose last query sees all tokens, the one before it one less.
struct CausalShares<'a> {
    scores: &'a mut [f32],
    seen: usize,
    width: usize,
}

impl Kernel for CausalShares<'_> {
    #[inline(always)]
    fn run(self) {
        let scale = (self.width as f32).powf(-0.5);
        let queries = self.scores.len() / self.seen.max(1);
        for (row, scores) in self.scores.chunks_exact_mut(self.seen).enumerate() {
            let (scores, hidden) = scores.split_at_mut(self.seen - (queries - 1 - row));
            hidden.fill(0.0);
            scores.iter_mut().for_each(|score| *score *= scale);
            let most = scores.iter().fold(f32::NEG_INFINITY, |most, x| if *x > most { *x } else { most });
            let sum = exponentials(scores, most);
            scores.iter_mut().for_each(|score| *score /= sum);
        }
    }
}
