//! Attention of packed heads: scores and shares of 32 queries at a time stay in the cache.

use std::cell::Cell;

use lexiform_kernels::bf16::{
    Bf16Thread, Bf16Unit, TILES, pack_columns, pack_result, pack_rows, scale_rows, softmax,
};
use lexiform_kernels::blocks::{BLOCK, BlockResult, Tile};
use rayon::prelude::*;

use super::super::AttentionShape;
use super::super::matrix::{MatrixMut, WriteMode};
use super::super::memory::room;
use super::product::write_block;

thread_local! {
    static SCRATCH: Cell<Scratch> = const { Cell::new(Scratch::NEW) };
}

/// Memory of a thread, reused from head to head.
struct Scratch {
    keys: Vec<Tile>,
    values: Vec<Tile>,
    queries: Vec<Tile>,
    shares: Vec<Tile>,
    scores: Vec<BlockResult>,
}

impl Scratch {
    const NEW: Self = Self {
        keys: Vec::new(),
        values: Vec::new(),
        queries: Vec::new(),
        shares: Vec::new(),
        scores: Vec::new(),
    };
}

impl Default for Scratch {
    fn default() -> Self {
        Self::NEW
    }
}

/// Attention over `[groups, length, 3 · inner]`, written to `[groups, queries, inner]`. Queries are all tokens, or the first of
/// each row.
pub(super) fn attend(
    unit: Bf16Unit,
    packed: &[f32],
    length: usize,
    attn_shape: AttentionShape,
    out: &mut [f32],
) {
    let AttentionShape { heads, head_width, .. } = attn_shape;
    let (inner, queries) = (heads * head_width, attn_shape.queries(length));
    if packed.is_empty() || queries == 0 {
        return;
    }
    // One task for each head of each group. Each reads strided columns of `packed` and writes its own columns of `out`.
    let groups = out.chunks_mut(queries * inner).zip(packed.chunks(length * 3 * inner));
    let tasks: Vec<_> = groups
        .flat_map(|(out, packed)| {
            let heads = MatrixMut::split_columns(out, inner, head_width).into_iter().enumerate();
            heads.map(move |(at, out)| (Head { unit, packed, at, length, queries, attn_shape }, out))
        })
        .collect();
    tasks.into_par_iter().for_each(|(head, out)| {
        let mut scratch = SCRATCH.take();
        head.attend(&mut scratch, out);
        SCRATCH.set(scratch);
    });
}

/// One head of one group.
struct Head<'a> {
    unit: Bf16Unit,
    packed: &'a [f32],
    at: usize,
    length: usize,
    queries: usize,
    attn_shape: AttentionShape,
}

impl Head<'_> {
    /// Numbers from the queries (0), keys (1) or values (2) of this head on.
    fn part(&self, part: usize) -> &[f32] {
        &self.packed[part * self.inner() + self.at * self.attn_shape.head_width..]
    }

    fn inner(&self) -> usize {
        self.attn_shape.heads * self.attn_shape.head_width
    }

    fn attend(&self, scratch: &mut Scratch, mut out: MatrixMut<'_>) {
        let (width, stride) = (self.attn_shape.head_width, 3 * self.inner());
        let [key_blocks, width_blocks] = [self.length, width].map(|count| count.div_ceil(BLOCK));
        let keys = room(&mut scratch.keys, key_blocks * width_blocks * TILES, Tile::ZERO);
        for (at, tiles) in keys.chunks_exact_mut(width_blocks * TILES).enumerate() {
            pack_columns(self.unit, self.part(1), [width, self.length], [1, stride], at * BLOCK, tiles);
        }
        let values = room(&mut scratch.values, width_blocks * key_blocks * TILES, Tile::ZERO);
        for (at, tiles) in values.chunks_exact_mut(key_blocks * TILES).enumerate() {
            pack_columns(self.unit, self.part(2), [self.length, width], [stride, 1], at * BLOCK, tiles);
        }
        let queries = room(&mut scratch.queries, width_blocks * TILES, Tile::ZERO);
        let shares = room(&mut scratch.shares, key_blocks * TILES, Tile::ZERO);
        let scores = room(&mut scratch.scores, key_blocks, BlockResult::ZERO);
        let thread = self.unit.configure();
        for first in (0..self.queries).step_by(BLOCK) {
            self.pack_queries(first, queries);
            let sums = self.scores(&thread, first, [queries, keys], scores);
            // Keys that no query of the block sees have no share: the product can leave them out.
            let seen = self.seen(first + BLOCK - 1).div_ceil(BLOCK);
            for (score, tiles) in scores[..seen].iter().zip(shares.chunks_exact_mut(TILES)) {
                pack_result(self.unit, score, tiles);
            }
            let mut out = out.rows(first, BLOCK.min(self.queries - first));
            for (at, values) in values.chunks_exact(key_blocks * TILES).enumerate() {
                let mut block = BlockResult::ZERO;
                thread.multiply(&shares[..seen * TILES], &values[..seen * TILES], &mut block, false);
                scale_rows(&mut block, &sums);
                write_block(&mut out, [0, at], &block, WriteMode::Set);
            }
        }
    }

    /// Queries from `first` on.
    fn pack_queries(&self, first: usize, tiles: &mut [Tile]) {
        let AttentionShape { row, first: per_row, head_width, .. } = self.attn_shape;
        // The distance between queries is one only if all tokens or one of each row are queries.
        let step = if per_row == row { 1 } else { row };
        let stride = 3 * self.inner();
        let count = BLOCK.min(self.queries - first);
        let strides = [step * stride, 1];
        let values = &self.part(0)[first * strides[0]..];
        pack_rows(self.unit, values, [count, head_width], strides, tiles);
    }

    /// Keys that a query sees.
    fn seen(&self, query: usize) -> usize {
        if self.attn_shape.causal { (query + 1).min(self.length) } else { self.length }
    }

    /// Exponentials of the scores of 32 queries, and the reciprocals of their sums.
    fn scores(
        &self,
        thread: &Bf16Thread,
        first: usize,
        [queries, keys]: [&[Tile]; 2],
        scores: &mut [BlockResult],
    ) -> [f32; BLOCK] {
        let seen = self.seen(first + BLOCK - 1).div_ceil(BLOCK);
        let scores = &mut scores[..seen];
        for (keys, scores) in keys.chunks_exact(queries.len()).zip(scores.iter_mut()) {
            thread.multiply(queries, keys, scores, false);
        }
        let scale = (self.attn_shape.head_width as f32).powf(-0.5);
        softmax(self.unit, scores, scale, |row| self.seen(first + row))
    }
}
