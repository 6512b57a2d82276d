//! Multi-head attention, head by head and in tiles of queries, whose scores stay in the cache. Scores are not saved: the
//! backward pass recomputes them from the logarithms of the sums of exponentials, one number for each query and head, as
//! FlashAttention does ([arXiv 2205.14135](https://arxiv.org/abs/2205.14135)).

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::host_tensor::{HostTensor, tensor};
use super::matmul::matmul_into;
use super::matrix::{Matrix, MatrixMut, Parallelism, WriteMode};
use super::softmax::{softmax, softmax_backward, softmax_from_log_sums};

/// Scores of a tile, about: 256 KiB, so that a tile and its gradient stay in the L2 cache.
const SCORES: usize = 1 << 16;

/// Heads, and which tokens attend to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttentionShape {
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

impl AttentionShape {
    /// Queries of a group of `length` tokens.
    pub fn queries(&self, length: usize) -> usize {
        length / self.row.max(1) * self.first
    }

    fn inner(&self) -> usize {
        self.heads * self.head_width
    }
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(super) struct AttentionState {
    /// Queries, keys and values.
    packed: HostTensor,
    /// Logarithms of the sums of exponentials of scores.
    log_sums: Vec<f32>,
    attn_shape: AttentionShape,
}

impl AttentionState {
    /// Attention over `[groups, length, 3 · inner]`, and its output.
    pub fn forward(packed: FlexTensor, attn_shape: AttentionShape) -> (Self, FlexTensor) {
        let packed = HostTensor::of(packed);
        let [groups, length] = [packed.shape()[0], packed.shape()[1]];
        let Attended { out, log_sums } = attend(packed.as_slice(), length, attn_shape);
        let shape = [groups, attn_shape.queries(length), attn_shape.inner()];
        (Self { packed, log_sums, attn_shape }, tensor(out, shape))
    }
}

#[derive(Debug)]
pub(super) struct AttentionBackward;

impl Backward<Flex, 1> for AttentionBackward {
    type State = AttentionState;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let AttentionState { packed, log_sums, attn_shape } = ops.state;
        let gradient = HostTensor::of(gradients.consume::<Flex>(&ops.node));
        // Queries, keys and values are packed in one tensor, the only parent.
        let [Some(parent)] = ops.parents else { return };
        let kept = [packed.as_slice(), &log_sums];
        let values = attend_backward(gradient.as_slice(), kept, packed.shape()[1], attn_shape);
        gradients.register::<Flex>(parent.id, tensor(values, packed.shape()));
    }
}

/// Result of [`attend`].
#[derive(Default)]
struct Attended {
    /// `[groups, queries, inner]`.
    pub out: Vec<f32>,
    /// Logarithms of the sums of exponentials of scores, `[groups, heads, queries]`.
    pub log_sums: Vec<f32>,
}

/// Attention over `[groups, length, 3 · inner]`, where `inner = heads · head_width`.
fn attend(packed: &[f32], length: usize, attn_shape: AttentionShape) -> Attended {
    let (inner, queries) = (attn_shape.inner(), attn_shape.queries(length));
    let group = length * 3 * inner;
    if group == 0 || queries == 0 {
        return Attended::default();
    }
    let groups = packed.len() / group;
    let mut out = vec![0.0; groups * queries * inner];
    let mut log_sums = vec![0.0; groups * attn_shape.heads * queries];
    // One task per head of each group. Each reads strided columns of `packed` and writes its own columns of `out`.
    let heads = (out.chunks_mut(queries * inner).zip(packed.chunks(group))).flat_map(|(out, packed)| {
        let heads = MatrixMut::split_columns(out, inner, attn_shape.head_width).into_iter();
        heads.enumerate().map(move |(at, out)| (Head::of(packed, length, attn_shape, at), out))
    });
    let tasks: Vec<_> = heads.zip(log_sums.chunks_mut(queries)).collect();
    tasks.into_par_iter().for_each_init(Scratch::default, |scratch, ((head, out), log_sums)| {
        head.forward(scratch, out, log_sums)
    });
    Attended { out, log_sums }
}

/// The gradient of the input of [`attend`], from that of its output.
fn attend_backward(
    gradient: &[f32],
    [packed, log_sums]: [&[f32]; 2],
    length: usize,
    attn_shape: AttentionShape,
) -> Vec<f32> {
    let (inner, queries) = (attn_shape.inner(), attn_shape.queries(length));
    let group = length * 3 * inner;
    let mut out = vec![0.0; packed.len()];
    if group == 0 || queries == 0 {
        return out;
    }
    let heads = (out.chunks_mut(group).zip(packed.chunks(group)))
        .zip(gradient.chunks(queries * inner))
        .flat_map(|((out, packed), gradient)| {
            let mut parts = MatrixMut::split_columns(out, 3 * inner, attn_shape.head_width);
            let values = parts.split_off(2 * attn_shape.heads);
            let keys = parts.split_off(attn_shape.heads);
            (parts.into_iter().zip(keys).zip(values).enumerate()).map(move |(at, ((query, key), value))| {
                let start = (at * attn_shape.head_width).min(gradient.len());
                let shape = [queries, attn_shape.head_width];
                let gradient = Matrix::strided(&gradient[start..], shape, [inner, 1]);
                (Head::of(packed, length, attn_shape, at), gradient, [query, key, value])
            })
        });
    let tasks: Vec<_> = heads.zip(log_sums.chunks(queries)).collect();
    tasks.into_par_iter().for_each_init(Scratch::default, |scratch, ((head, gradient, out), log_sums)| {
        head.backward(scratch, [gradient, Matrix::new(log_sums, [1, queries])], out)
    });
    out
}

/// Scratch memory of a thread, reused from head to head.
#[derive(Default)]
struct Scratch {
    scores: Vec<f32>,
    score_gradients: Vec<f32>,
    queries: Vec<f32>,
    query_gradients: Vec<f32>,
}

/// One head of one group.
struct Head<'a> {
    query: Matrix<'a>,
    key: Matrix<'a>,
    value: Matrix<'a>,
    length: usize,
    attn_shape: AttentionShape,
}

impl<'a> Head<'a> {
    fn of(packed: &'a [f32], length: usize, attn_shape: AttentionShape, at: usize) -> Self {
        let inner = attn_shape.inner();
        let part = |i: usize| {
            let start = i * inner + at * attn_shape.head_width;
            Matrix::strided(&packed[start..], [length, attn_shape.head_width], [3 * inner, 1])
        };
        Self { query: part(0), key: part(1), value: part(2), length, attn_shape }
    }

    fn scale(&self) -> f32 {
        (self.attn_shape.head_width as f32).powf(-0.5)
    }

    /// Index of the token that is query number `query`.
    fn token(&self, query: usize) -> usize {
        query / self.attn_shape.first * self.attn_shape.row + query % self.attn_shape.first
    }

    /// The queries: the tokens themselves, or a contiguous copy if only some tokens are queries.
    fn queries<'r>(&self, scratch: &'r mut Vec<f32>) -> Matrix<'r>
    where
        'a: 'r,
    {
        let AttentionShape { row, first, head_width, .. } = self.attn_shape;
        if first == row {
            return self.query;
        }
        let count = self.attn_shape.queries(self.length);
        scratch.clear();
        (0..count).for_each(|at| scratch.extend_from_slice(self.query.row(self.token(at))));
        Matrix::new(scratch, [count, head_width])
    }

    /// Tiles of queries: the first, their number, and the number of keys they attend to.
    fn tiles(&self) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (length, causal) = (self.length, self.attn_shape.causal);
        let queries = self.attn_shape.queries(length);
        // At least 16 queries: the product of a tile would be too thin to be fast.
        let size = (SCORES / length.max(1)).clamp(16, queries.max(16));
        (0..queries).step_by(size).map(move |first| {
            let count = size.min(queries - first);
            (first, count, if causal { first + count } else { length })
        })
    }

    /// Scores of a tile before the softmax, `[count, seen]`.
    fn scores(&self, scores: &mut Vec<f32>, query: Matrix<'_>, (first, count, seen): (usize, usize, usize)) {
        scores.resize(count * seen, 0.0);
        let key = self.key.rows(0, seen).transposed();
        let out = MatrixMut::new(scores, [count, seen]);
        matmul_into(out, query.rows(first, count), key, WriteMode::Set, Parallelism::Serial);
        // A causal tile computes no keys beyond its last query; those beyond each single query are masked here.
        if self.attn_shape.causal {
            for (at, row) in scores.chunks_exact_mut(seen).enumerate() {
                row[first + at + 1..].fill(f32::NEG_INFINITY);
            }
        }
    }

    fn forward(&self, scratch: &mut Scratch, mut out: MatrixMut<'_>, log_sums: &mut [f32]) {
        let query = self.queries(&mut scratch.queries);
        for tile @ (first, count, seen) in self.tiles() {
            self.scores(&mut scratch.scores, query, tile);
            softmax(&mut scratch.scores, seen, self.scale(), &mut log_sums[first..first + count]);
            let attention_weights = Matrix::new(&scratch.scores, [count, seen]);
            matmul_into(
                out.rows(first, count),
                attention_weights,
                self.value.rows(0, seen),
                WriteMode::Set,
                Parallelism::Serial,
            );
        }
    }

    /// Accumulates gradients of queries, keys and values, which start at 0.
    fn backward(
        &self,
        scratch: &mut Scratch,
        [gradient, log_sums]: [Matrix<'_>; 2],
        [mut of_query, mut of_key, mut of_value]: [MatrixMut<'_>; 3],
    ) {
        let query = self.queries(&mut scratch.queries);
        let width = self.attn_shape.head_width;
        for tile @ (first, count, seen) in self.tiles() {
            self.scores(&mut scratch.scores, query, tile);
            let log_sums = &log_sums.row(0)[first..first + count];
            softmax_from_log_sums(&mut scratch.scores, seen, self.scale(), log_sums);
            // With P = softmax(s · Q Kᵀ) and dO the gradient of P V: dV = Pᵀ dO, dP = dO Vᵀ, then through the softmax to dS,
            // dK = dSᵀ Q and dQ = dS K.
            let attention_weights = Matrix::new(&scratch.scores, [count, seen]);
            let gradient = gradient.rows(first, count);
            matmul_into(
                of_value.rows(0, seen),
                attention_weights.transposed(),
                gradient,
                WriteMode::Add,
                Parallelism::Serial,
            );
            scratch.score_gradients.resize(count * seen, 0.0);
            let score_gradients = MatrixMut::new(&mut scratch.score_gradients, [count, seen]);
            matmul_into(
                score_gradients,
                gradient,
                self.value.rows(0, seen).transposed(),
                WriteMode::Set,
                Parallelism::Serial,
            );
            softmax_backward(&mut scratch.score_gradients, &scratch.scores, seen, self.scale());
            let score_gradients = Matrix::new(&scratch.score_gradients, [count, seen]);
            let queries = query.rows(first, count);
            matmul_into(
                of_key.rows(0, seen),
                score_gradients.transposed(),
                queries,
                WriteMode::Add,
                Parallelism::Serial,
            );
            if self.attn_shape.first == self.attn_shape.row {
                let out = of_query.rows(first, count);
                matmul_into(
                    out,
                    score_gradients,
                    self.key.rows(0, seen),
                    WriteMode::Set,
                    Parallelism::Serial,
                );
                continue;
            }
            scratch.query_gradients.resize(count * width, 0.0);
            let out = MatrixMut::new(&mut scratch.query_gradients, [count, width]);
            matmul_into(out, score_gradients, self.key.rows(0, seen), WriteMode::Set, Parallelism::Serial);
            for (at, row) in scratch.query_gradients.chunks_exact(width).enumerate() {
                of_query.row(self.token(first + at)).copy_from_slice(row);
            }
        }
    }
}
