//! Multi-head attention, head by head and in tiles of queries, whose scores stay in the cache. Scores are not saved: the
//! backward pass recomputes them, as FlashAttention does ([arXiv 2205.14135](https://arxiv.org/abs/2205.14135)).

use rayon::prelude::*;

use super::product::{Cores, Into, Matrix, MatrixMut, multiply};
use super::softmax::{softmax, softmax_back};

/// Scores of a tile, about: 256 KiB, so that a tile and its gradient stay in the L2 cache.
const SCORES: usize = 1 << 16;

/// Heads, and which tokens attend to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Looks {
    /// Number of heads.
    pub heads: usize,
    /// Width of a head.
    pub head_width: usize,
    /// Tokens of a row; a group holds one row or several.
    pub row: usize,
    /// The first tokens of each row that are queries; all tokens are keys.
    pub first: usize,
    /// Whether each token attends only to itself and those before it; requires one row per group, with all tokens queries.
    pub causal: bool,
}

impl Looks {
    /// Queries of a group of `length` tokens.
    pub fn queries(&self, length: usize) -> usize {
        length / self.row.max(1) * self.first
    }

    fn inner(&self) -> usize {
        self.heads * self.head_width
    }
}

/// `[groups, length, 3 · inner]` → `[groups, queries, inner]`, where `inner = heads · head_width`.
pub(super) fn attend(packed: &[f32], length: usize, looks: Looks) -> Vec<f32> {
    let (inner, queries) = (looks.inner(), looks.queries(length));
    let group = length * 3 * inner;
    if group == 0 || queries == 0 {
        return Vec::new();
    }
    let mut out = vec![0.0; packed.len() / group * queries * inner];
    // One task per head of each group. Each reads strided columns of `packed` and writes its own columns of `out`.
    let tasks: Vec<_> = (out.chunks_mut(queries * inner).zip(packed.chunks(group)))
        .flat_map(|(out, packed)| {
            let heads = MatrixMut::side_by_side(out, inner, looks.head_width).into_iter();
            heads.enumerate().map(move |(at, out)| (Head::of(packed, length, looks, at), out))
        })
        .collect();
    tasks.into_par_iter().for_each_init(Room::default, |room, (head, out)| head.look(room, out));
    out
}

/// The gradient of the input of [`attend`], from that of its output.
pub(super) fn attend_back(gradient: &[f32], packed: &[f32], length: usize, looks: Looks) -> Vec<f32> {
    let (inner, queries) = (looks.inner(), looks.queries(length));
    let group = length * 3 * inner;
    let mut out = vec![0.0; packed.len()];
    if group == 0 || queries == 0 {
        return out;
    }
    let tasks: Vec<_> = (out.chunks_mut(group).zip(packed.chunks(group)))
        .zip(gradient.chunks(queries * inner))
        .flat_map(|((out, packed), gradient)| {
            let mut parts = MatrixMut::side_by_side(out, 3 * inner, looks.head_width);
            let values = parts.split_off(2 * looks.heads);
            let keys = parts.split_off(looks.heads);
            (parts.into_iter().zip(keys).zip(values).enumerate()).map(move |(at, ((query, key), value))| {
                let start = (at * looks.head_width).min(gradient.len());
                let shape = [queries, looks.head_width];
                let gradient = Matrix::spread(&gradient[start..], shape, [inner, 1]);
                (Head::of(packed, length, looks, at), gradient, [query, key, value])
            })
        })
        .collect();
    tasks
        .into_par_iter()
        .for_each_init(Room::default, |room, (head, gradient, out)| head.back(room, gradient, out));
    out
}

/// Scratch memory of a thread, reused from head to head.
#[derive(Default)]
struct Room {
    scores: Vec<f32>,
    slopes: Vec<f32>,
    queries: Vec<f32>,
    of_queries: Vec<f32>,
}

/// One head of one group.
struct Head<'a> {
    query: Matrix<'a>,
    key: Matrix<'a>,
    value: Matrix<'a>,
    length: usize,
    looks: Looks,
}

impl<'a> Head<'a> {
    fn of(packed: &'a [f32], length: usize, looks: Looks, at: usize) -> Self {
        let inner = looks.inner();
        let part = |i: usize| {
            let start = i * inner + at * looks.head_width;
            Matrix::spread(&packed[start..], [length, looks.head_width], [3 * inner, 1])
        };
        Self { query: part(0), key: part(1), value: part(2), length, looks }
    }

    fn scale(&self) -> f32 {
        (self.looks.head_width as f32).powf(-0.5)
    }

    /// Index of the token that is query number `query`.
    fn token(&self, query: usize) -> usize {
        query / self.looks.first * self.looks.row + query % self.looks.first
    }

    /// The queries: the tokens themselves, or a contiguous copy if only some tokens are queries.
    fn queries<'r>(&self, room: &'r mut Vec<f32>) -> Matrix<'r>
    where
        'a: 'r,
    {
        let Looks { row, first, head_width, .. } = self.looks;
        if first == row {
            return self.query;
        }
        let count = self.looks.queries(self.length);
        room.clear();
        (0..count).for_each(|at| room.extend_from_slice(self.query.row(self.token(at))));
        Matrix::new(room, [count, head_width])
    }

    /// Tiles of queries: the first, their number, and the number of keys they attend to.
    fn tiles(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (length, causal) = (self.length, self.looks.causal);
        let queries = self.looks.queries(length);
        // At least 16 queries: the product of a tile would be too thin to be fast.
        let size = (SCORES / length.max(1)).clamp(16, queries.max(16));
        (0..queries).step_by(size).map(move |first| {
            let count = size.min(queries - first);
            (first, count, if causal { first + count } else { length })
        })
    }

    /// Attention weights of a tile, `[count, seen]`.
    fn shares(&self, scores: &mut Vec<f32>, query: Matrix<'_>, (first, count, seen): (usize, usize, usize)) {
        scores.resize(count * seen, 0.0);
        let key = self.key.rows(0, seen).transposed();
        let out = MatrixMut::new(scores, [count, seen]);
        multiply(out, query.rows(first, count), key, Into::Set, Cores::One);
        // A causal tile computes no keys beyond its last query; those beyond each single query are masked here.
        if self.looks.causal {
            for (at, row) in scores.chunks_exact_mut(seen).enumerate() {
                row[first + at + 1..].fill(f32::NEG_INFINITY);
            }
        }
        softmax(scores, seen, self.scale());
    }

    fn look(&self, room: &mut Room, mut out: MatrixMut<'_>) {
        let query = self.queries(&mut room.queries);
        for tile @ (first, count, seen) in self.tiles() {
            self.shares(&mut room.scores, query, tile);
            let shares = Matrix::new(&room.scores, [count, seen]);
            multiply(out.rows(first, count), shares, self.value.rows(0, seen), Into::Set, Cores::One);
        }
    }

    /// Accumulates gradients of queries, keys and values, which start at 0.
    fn back(
        &self,
        room: &mut Room,
        gradient: Matrix<'_>,
        [mut of_query, mut of_key, mut of_value]: [MatrixMut<'_>; 3],
    ) {
        let query = self.queries(&mut room.queries);
        let width = self.looks.head_width;
        for tile @ (first, count, seen) in self.tiles() {
            self.shares(&mut room.scores, query, tile);
            // With P = softmax(s · Q Kᵀ) and dO the gradient of P V: dV = Pᵀ dO, dP = dO Vᵀ, then through the softmax to dS,
            // dK = dSᵀ Q and dQ = dS K.
            let shares = Matrix::new(&room.scores, [count, seen]);
            let gradient = gradient.rows(first, count);
            multiply(of_value.rows(0, seen), shares.transposed(), gradient, Into::Add, Cores::One);
            room.slopes.resize(count * seen, 0.0);
            let slopes = MatrixMut::new(&mut room.slopes, [count, seen]);
            multiply(slopes, gradient, self.value.rows(0, seen).transposed(), Into::Set, Cores::One);
            softmax_back(&mut room.slopes, &room.scores, seen, self.scale());
            let slopes = Matrix::new(&room.slopes, [count, seen]);
            let queries = query.rows(first, count);
            multiply(of_key.rows(0, seen), slopes.transposed(), queries, Into::Add, Cores::One);
            if self.looks.first == self.looks.row {
                let out = of_query.rows(first, count);
                multiply(out, slopes, self.key.rows(0, seen), Into::Set, Cores::One);
                continue;
            }
            room.of_queries.resize(count * width, 0.0);
            let out = MatrixMut::new(&mut room.of_queries, [count, width]);
            multiply(out, slopes, self.key.rows(0, seen), Into::Set, Cores::One);
            for (at, row) in room.of_queries.chunks_exact(width).enumerate() {
                of_query.row(self.token(first + at)).copy_from_slice(row);
            }
        }
    }
}
