//! A transformer block: `x + attention(norm(x))`, then `x + mlp(norm(x))`.

use std::cell::Cell;

use super::super::AttentionShape;
use super::super::layer_norm::norm_rows;
use super::super::matrix::{Matrix, MatrixMut, WriteMode};
use super::super::memory::room;
use super::product::{LeftOperand, Pack, Write, product};
use super::{PackedLinear, attention};
use crate::nn::Activation;

thread_local! {
    static MEMORY: Cell<Memory> = const { Cell::new(Memory { packed: Vec::new(), attended: Vec::new() }) };
}

/// What a block computes on the way, kept for the next one.
#[derive(Default)]
struct Memory {
    /// Queries, keys and values.
    packed: Vec<f32>,
    /// The outputs of all heads.
    attended: Vec<f32>,
}

/// Weight, bias and ε of a layer normalization.
pub(crate) struct Norm {
    /// `[width]`.
    pub weight: Vec<f32>,
    /// `[width]`.
    pub bias: Vec<f32>,
    /// Added to the variance.
    pub epsilon: f32,
}

/// The layers of a block.
pub(crate) struct BlockLayers<'a> {
    /// Before attention and before the MLP.
    pub norms: [Norm; 2],
    /// Width to queries, keys and values.
    pub in_proj: &'a PackedLinear,
    /// Heads to width.
    pub out_proj: &'a PackedLinear,
    /// Both layers of the MLP.
    pub mlp: [&'a PackedLinear; 2],
    /// Between them.
    pub activation: Activation,
}

/// A block over `[groups, length, width]`, given and returned as rows; with fewer queries than tokens, only the first token of each
/// row is left.
pub(crate) fn forward_block(
    mut x: Vec<f32>,
    length: usize,
    attn_shape: AttentionShape,
    layers: &BlockLayers<'_>,
) -> Vec<f32> {
    let ([width, _], [inner, _]) = (layers.in_proj.shape(), layers.out_proj.shape());
    let [first_norm, second_norm] = &layers.norms;
    let Memory { mut packed, mut attended } = MEMORY.take();
    let (mut left, mut hidden) = (LeftOperand::take(), LeftOperand::take());
    let rows = x.len() / width.max(1);
    let packed_part = room(&mut packed, rows * 3 * inner, 0.0);
    pack_norm(&mut left, layers.in_proj, &x, first_norm);
    product(
        &left,
        layers.in_proj.right(),
        None,
        Write(MatrixMut::new(packed_part, [rows, 3 * inner]), WriteMode::Set),
    );
    if attn_shape.first < attn_shape.row {
        x = x.chunks_exact(attn_shape.row * width).flat_map(|row| &row[..width]).copied().collect();
    }
    let rows = x.len() / width.max(1);
    let attended_part = room(&mut attended, rows * inner, 0.0);
    attention::attend(layers.in_proj.unit, packed_part, length, attn_shape, attended_part);
    left.pack_matrix(layers.out_proj.unit, Matrix::new(attended_part, [rows, inner]));
    product(
        &left,
        layers.out_proj.right(),
        None,
        Write(MatrixMut::new(&mut x, [rows, width]), WriteMode::Add),
    );
    let [c_fc, c_proj] = layers.mlp;
    pack_norm(&mut left, c_fc, &x, second_norm);
    let shape = [rows, c_fc.shape()[1]];
    product(&left, c_fc.right(), Some(layers.activation), Pack { left: &mut hidden, shape });
    product(&hidden, c_proj.right(), None, Write(MatrixMut::new(&mut x, [rows, width]), WriteMode::Add));
    hidden.put_back();
    left.put_back();
    MEMORY.set(Memory { packed, attended });
    x
}

/// Normalized rows, as the left operand of a layer.
fn pack_norm(left: &mut LeftOperand, layer: &PackedLinear, x: &[f32], norm: &Norm) {
    let [width, _] = layer.shape();
    let Norm { weight, bias, epsilon } = norm;
    left.pack(layer.unit, [x.len() / width.max(1), width], |row, out| {
        norm_rows(out, &x[row * width..][..out.len()], weight, bias, *epsilon);
    });
}
