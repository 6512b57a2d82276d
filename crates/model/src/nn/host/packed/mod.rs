//! Inference with weights that were rounded to `bf16` and packed when they were loaded: products on the CPU's units for `bf16`, with
//! sums, norms, softmax and the residual stream in `f32`.

mod attention;
mod block;
mod product;
mod right;

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_kernels::bf16::{self, Bf16Unit, PackedMatrix, pack_columns};
use lexiform_kernels::blocks::BLOCK;
use lexiform_kernels::matvec::Int8Matrix;
use rayon::prelude::*;

pub(crate) use self::block::{BlockLayers, Norm, forward_block};
use self::product::{LeftOperand, Write, product};
use self::right::{Columns, Right};
use super::matrix::{Matrix, MatrixMut, WriteMode};
use super::values;
use crate::nn::Activation;

/// Weight and bias of a linear layer.
#[derive(Clone, Debug)]
pub(crate) struct PackedLinear {
    unit: Bf16Unit,
    weight: PackedMatrix,
    /// As long as whole blocks of columns; 0 where there is no bias.
    bias: Vec<[f32; BLOCK]>,
}

impl PackedLinear {
    /// Packs a weight `[output, input]`, as in files, and a bias `[output]`.
    pub fn new(unit: Bf16Unit, weight: &[f32], [output, input]: [usize; 2], bias: Option<&[f32]>) -> Self {
        let weight = pack(unit, Matrix::new(weight, [output, input]).transposed());
        let mut padded = vec![[0.0; BLOCK]; output.div_ceil(BLOCK)];
        if let Some(bias) = bias {
            padded.as_flattened_mut()[..output].copy_from_slice(bias);
        }
        Self { unit, weight, bias: padded }
    }

    /// Widths of input and output.
    pub fn shape(&self) -> [usize; 2] {
        self.weight.shape()
    }

    /// As the right operand of a product.
    fn right(&self) -> Right<'_> {
        Right { unit: self.unit, matrix: Columns::Bf16(&self.weight), bias: &self.bias }
    }

    /// The packed weight, `[input, output]`.
    pub(super) fn matrix(&self) -> &PackedMatrix {
        &self.weight
    }

    /// As long as whole blocks of columns.
    pub(super) fn bias(&self) -> &[f32] {
        self.bias.as_flattened()
    }

    /// The weights of one output, as long as the input.
    pub(super) fn column(&self, at: usize, out: &mut [f32]) {
        self.weight.column(at, out);
    }

    /// The rounded weight, `[input, output]`.
    pub fn unpack(&self, device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(self.weight.unpack(), self.shape()), device)
    }

    /// `activation(x weight + bias)`: rows `[rows, input]` → `[rows, output]`.
    pub fn forward(&self, x: &[f32], activation: Option<Activation>) -> Vec<f32> {
        let [input, output] = self.shape();
        let rows = x.len() / input.max(1);
        let mut out = vec![0.0; rows * output];
        self.forward_into(x, activation, MatrixMut::new(&mut out, [rows, output]), WriteMode::Set);
        out
    }

    /// [`forward`](Self::forward), written or added to a matrix.
    pub(super) fn forward_into(
        &self,
        x: &[f32],
        activation: Option<Activation>,
        out: MatrixMut<'_>,
        mode: WriteMode,
    ) {
        let [input, _] = self.shape();
        let mut left = LeftOperand::take();
        left.pack_matrix(self.unit, Matrix::new(x, [x.len() / input.max(1), input]));
        product(&left, self.right(), activation, Write(out, mode));
        left.put_back();
    }
}

/// `activation(x weight + bias)` with a weight in bytes, which is unpacked block by block.
pub(super) fn int8_product(
    unit: Bf16Unit,
    x: Matrix<'_>,
    (weight, bias): (&Int8Matrix, &[[f32; BLOCK]]),
    activation: Option<Activation>,
    (out, mode): (MatrixMut<'_>, WriteMode),
) {
    let mut left = LeftOperand::take();
    left.pack_matrix(unit, x);
    let right = Right { unit, matrix: Columns::Int8(weight), bias };
    product(&left, right, activation, Write(out, mode));
    left.put_back();
}

/// A right operand, packed by all threads.
fn pack(unit: Bf16Unit, matrix: Matrix<'_>) -> PackedMatrix {
    let (shape, strides) = (matrix.shape(), matrix.strides());
    let mut packed = PackedMatrix::zeros(shape);
    (packed.blocks_mut().enumerate().par_bridge())
        .for_each(|(at, tiles)| pack_columns(unit, matrix.values(), shape, strides, at * BLOCK, tiles));
    packed
}

/// `out = a · b` of matrices that are rounded for it; rows or columns of each are contiguous.
pub(super) fn multiply(unit: Bf16Unit, out: MatrixMut<'_>, a: Matrix<'_>, b: Matrix<'_>) {
    assert_eq!(out.shape(), [a.shape()[0], b.shape()[1]]);
    let matrix = pack(unit, b);
    let mut left = LeftOperand::take();
    left.pack_matrix(unit, a);
    let right = Right { unit, matrix: Columns::Bf16(&matrix), bias: &[] };
    product(&left, right, None, Write(out, WriteMode::Set));
    left.put_back();
}

impl From<Activation> for bf16::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Gelu => Self::Gelu,
            Activation::QuickGelu => Self::QuickGelu,
            Activation::GeluTanh => Self::GeluTanh,
            Activation::Silu => Self::Silu,
            Activation::Relu => Self::Relu,
        }
    }
}

/// `activation(x weight + bias)`: `[…, input]` → `[…, output]`, for tensors in host memory.
pub(crate) fn linear<const D: usize>(
    x: Tensor<D>,
    layer: &Arc<PackedLinear>,
    activation: Option<Activation>,
) -> Tensor<D> {
    let (device, mut dims) = (x.device(), x.dims());
    dims[D - 1] = layer.shape()[1];
    Tensor::from_data(TensorData::new(layer.forward(&values(x), activation), dims), &device)
}
