//! Linear layers for a few rows, as in decoding: all threads read different columns of the weight, each of them once. Many rows go
//! through the products of matrices.

use std::cell::Cell;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use lexiform_kernels::bf16::Bf16Unit;
use lexiform_kernels::blocks::BLOCK;
use lexiform_kernels::matvec::{
    INT8_COLUMNS, Int8Matrix, Rows, multiply_bf16, multiply_f32, multiply_int8, pack_int8,
};
use rayon::prelude::*;

use super::host_tensor::HostTensor;
use super::linear::{Epilogue, apply_epilogue};
use super::matmul::matmul_into;
use super::matrix::{Matrix, MatrixMut, Parallelism, WriteMode};
use super::memory::room;
use super::packed::{PackedLinear, int8_product};
use super::values;
use crate::nn::Activation;

/// Columns of a task in `f32`, at least and at most.
const F32_COLUMNS: [usize; 2] = [64, 1024];

thread_local! {
    static BLOCKS: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// Weight in one byte per number, and bias, of a linear layer.
#[derive(Clone, Debug)]
pub(crate) struct Int8Linear {
    weight: Int8Matrix,
    /// As long as whole blocks of columns; 0 where there is no bias.
    bias: Vec<[f32; BLOCK]>,
}

impl Int8Linear {
    /// Rounds a weight `[output, input]`, as in files.
    pub fn new(weight: &[f32], [output, input]: [usize; 2], bias: Option<&[f32]>) -> Self {
        let mut matrix = Int8Matrix::zeros([input, output]);
        let blocks: Vec<_> = weight.chunks((input * INT8_COLUMNS).max(1)).zip(matrix.blocks_mut()).collect();
        blocks.into_par_iter().for_each(|(values, block)| pack_int8(values, input, block));
        let mut padded = vec![[0.0; BLOCK]; output.div_ceil(BLOCK)];
        if let Some(bias) = bias {
            padded.as_flattened_mut()[..output].copy_from_slice(bias);
        }
        Self { weight: matrix, bias: padded }
    }

    /// The rounded weight, `[input, output]`.
    pub fn unpack(&self, device: &Device) -> Tensor<2> {
        let [input, output] = self.weight.shape();
        let (mut values, mut column) = (vec![0.0; input * output], vec![0.0; input]);
        for at in 0..output {
            self.weight.column(at, &mut column);
            values.iter_mut().skip(at).step_by(output).zip(&column).for_each(|(value, x)| *value = *x);
        }
        Tensor::from_data(TensorData::new(values, [input, output]), device)
    }
}

/// Weight `[input, output]` and bias, in `f32`.
#[derive(Debug)]
pub(crate) struct F32Linear {
    pub weight: HostTensor,
    pub bias: Option<HostTensor>,
}

/// A linear layer whose weight is in host memory. Clones share it.
#[derive(Clone, Debug)]
pub(crate) enum HostLinear {
    /// In `f32`, shared with the parameters.
    F32(Arc<F32Linear>),
    /// Rounded to `bf16`.
    Bf16(Arc<PackedLinear>),
    /// Rounded to bytes.
    Int8(Arc<Int8Linear>),
}

/// What is done with each output of a linear layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowsOutput {
    /// Applied to products and bias.
    pub activation: Option<Activation>,
    /// Whether rows are replaced or added to; without an activation.
    pub mode: WriteMode,
}

impl RowsOutput {
    /// Replaces the output.
    pub const SET: Self = Self { activation: None, mode: WriteMode::Set };
    /// Adds to the output.
    pub const ADD: Self = Self { activation: None, mode: WriteMode::Add };
}

impl HostLinear {
    /// Widths of input and output.
    pub fn shape(&self) -> [usize; 2] {
        match self {
            Self::F32(layer) => [layer.weight.shape()[0], layer.weight.shape()[1]],
            Self::Bf16(layer) => layer.shape(),
            Self::Int8(layer) => layer.weight.shape(),
        }
    }

    fn bias(&self) -> &[f32] {
        let [_, output] = self.shape();
        match self {
            Self::F32(layer) => layer.bias.as_ref().map_or(&[], HostTensor::as_slice),
            Self::Bf16(layer) => &layer.bias()[..output],
            Self::Int8(layer) => &layer.bias.as_flattened()[..output],
        }
    }

    /// The weights of one output, as long as the input.
    pub fn column(&self, at: usize, out: &mut [f32]) {
        match self {
            Self::F32(layer) => {
                let column = layer.weight.as_slice().iter().skip(at).step_by(self.shape()[1]);
                out.iter_mut().zip(column).for_each(|(x, weight)| *x = *weight);
            }
            Self::Bf16(layer) => layer.column(at, out),
            Self::Int8(layer) => layer.weight.column(at, out),
        }
    }

    /// Rows `[rows, input]` → `[rows, output]`, each row the same whatever the others are. Each weight is read once.
    pub fn forward_few(&self, x: &[f32], out: &mut [f32], output: RowsOutput) {
        let [input, columns] = self.shape();
        let rows = Rows::new(x, input);
        let count = rows.count();
        assert_eq!(out.len(), count * columns, "{count} rows of {columns}");
        if out.is_empty() {
            return;
        }
        let width = self.block_width();
        let mut kept = BLOCKS.take();
        let blocks = room(&mut kept, columns.div_ceil(width) * count * width, 0.0);
        let bias = self.bias();
        blocks.par_chunks_mut(count * width).enumerate().for_each(|(at, out)| {
            let first = at * width;
            let valid = width.min(columns - first);
            let stride = if matches!(self, Self::F32(..)) { valid } else { width };
            let out = &mut out[..count * stride];
            match self {
                Self::F32(layer) => multiply_f32(rows, layer.weight.as_slice(), [first, valid, columns], out),
                Self::Bf16(layer) => multiply_bf16(rows, layer.matrix(), at, out),
                Self::Int8(layer) => multiply_int8(rows, &layer.weight, at, out),
            }
            let bias = if bias.is_empty() { bias } else { &bias[first..first + valid] };
            apply_epilogue(out, bias, output.activation, &[], stride);
        });
        for (at, block) in blocks.chunks_exact(count * width).enumerate() {
            let first = at * width;
            let valid = width.min(columns - first);
            let stride = if matches!(self, Self::F32(..)) { valid } else { width };
            for (row, values) in block.chunks_exact(stride).take(count).enumerate() {
                let out = &mut out[row * columns + first..][..valid];
                match output.mode {
                    WriteMode::Set => out.copy_from_slice(&values[..valid]),
                    WriteMode::Add => out.iter_mut().zip(values).for_each(|(out, x)| *out += x),
                }
            }
        }
        BLOCKS.set(kept);
    }

    /// Columns of a task.
    fn block_width(&self) -> usize {
        match self {
            Self::F32(..) => {
                let share = self.shape()[1].div_ceil(2 * rayon::current_num_threads());
                let [least, most] = F32_COLUMNS;
                share.next_multiple_of(16).clamp(least, most)
            }
            Self::Bf16(_) => BLOCK,
            Self::Int8(_) => INT8_COLUMNS,
        }
    }

    /// As [`forward_few`](Self::forward_few) for the many rows of a prompt, by products of matrices where the machine has fast ones;
    /// in `bf16` and bytes, rows are then rounded to `bf16`.
    pub fn forward_many(&self, x: &[f32], out: &mut [f32], output: RowsOutput) {
        let [input, columns] = self.shape();
        let rows = x.len() / input.max(1);
        let RowsOutput { activation, mode } = output;
        match (self, Bf16Unit::detect()) {
            (Self::F32(layer), _) => {
                let (x, weight) =
                    (Matrix::new(x, [rows, input]), Matrix::new(layer.weight.as_slice(), [input, columns]));
                matmul_into(MatrixMut::new(out, [rows, columns]), x, weight, mode, Parallelism::Parallel);
                let bias = Some(self.bias()).filter(|bias| !bias.is_empty());
                Epilogue { bias, activation, skip: None }.apply(out, columns);
            }
            (Self::Bf16(layer), Some(_)) => {
                layer.forward_into(x, activation, MatrixMut::new(out, [rows, columns]), mode)
            }
            (Self::Int8(layer), Some(unit)) => {
                let out = MatrixMut::new(out, [rows, columns]);
                int8_product(
                    unit,
                    Matrix::new(x, [rows, input]),
                    (&layer.weight, &layer.bias),
                    activation,
                    (out, mode),
                );
            }
            (_, None) => self.forward_few(x, out, output),
        }
    }
}

/// `activation(x weight + bias)`: `[…, input]` → `[…, output]`, for tensors in host memory.
pub(crate) fn linear<const D: usize>(
    x: Tensor<D>,
    layer: &HostLinear,
    activation: Option<Activation>,
) -> Tensor<D> {
    let (device, mut dims, [input, output]) = (x.device(), x.dims(), layer.shape());
    dims[D - 1] = output;
    let x = values(x);
    let mut out = vec![0.0; x.len() / input.max(1) * output];
    layer.forward_few(&x, &mut out, RowsOutput { activation, ..RowsOutput::SET });
    Tensor::from_data(TensorData::new(out, dims), &device)
}

#[cfg(test)]
mod tests {
    use super::super::decoder::shared;
    use super::*;

    fn numbers(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin()).collect()
    }

    /// The layer in each precision, from a weight `[output, input]`.
    fn layers([input, output]: [usize; 2], bias: &[f32]) -> [HostLinear; 3] {
        let weight = numbers(input * output, 0.37);
        let tensor = |values: Vec<f32>, shape: [usize; 2]| {
            shared(Tensor::<2>::from_data(TensorData::new(values, shape), &Device::flex())).unwrap()
        };
        let transposed = (0..input * output).map(|at| weight[at % output * input + at / output]).collect();
        let unit = Bf16Unit::detect().unwrap_or(Bf16Unit::portable());
        let shape = [output, input];
        [
            HostLinear::F32(Arc::new(F32Linear {
                weight: tensor(transposed, [input, output]),
                bias: shared(Tensor::<1>::from_data(
                    TensorData::new(bias.to_vec(), [output]),
                    &Device::flex(),
                )),
            })),
            HostLinear::Bf16(Arc::new(PackedLinear::new(unit, &weight, shape, Some(bias)))),
            HostLinear::Int8(Arc::new(Int8Linear::new(&weight, shape, Some(bias)))),
        ]
    }

    #[test]
    fn few_and_many_rows_match_sums_in_64_bits() {
        for [rows, input, output] in [[1, 3, 5], [2, 64, 130], [5, 33, 64], [40, 70, 97], [33, 2100, 40]] {
            let (x, bias) = (numbers(rows * input, 0.61), numbers(output, 0.83));
            for layer in layers([input, output], &bias) {
                let mut weights = vec![vec![0.0; input]; output];
                weights.iter_mut().enumerate().for_each(|(at, column)| layer.column(at, column));
                let expected = |row: usize, column: usize| -> [f64; 2] {
                    let terms = x[row * input..][..input].iter().zip(&weights[column]);
                    let terms = terms.map(|(x, weight)| f64::from(*x) * f64::from(*weight));
                    [
                        terms.clone().sum::<f64>() + f64::from(bias[column]),
                        terms.map(|term| term * term).sum::<f64>().sqrt(),
                    ]
                };
                let relu = RowsOutput { activation: Some(Activation::Relu), ..RowsOutput::SET };
                for (output_mode, before) in [(relu, 0.0), (RowsOutput::SET, 0.0), (RowsOutput::ADD, 2.0)] {
                    let (mut few, mut many) = (vec![2.0; rows * output], vec![2.0; rows * output]);
                    layer.forward_few(&x, &mut few, output_mode);
                    layer.forward_many(&x, &mut many, output_mode);
                    for (at, (few, many)) in few.iter().zip(&many).enumerate() {
                        let [sum, deviation] = expected(at / output, at % output);
                        let sum = if output_mode.activation.is_some() { sum.max(0.0) } else { sum + before };
                        let name = format!("{rows} {input} {output} at {at}: {few} {many} {sum}");
                        assert!((f64::from(*few) - sum).abs() < 1e-5 * (1.0 + deviation), "{name}");
                        // Rows are rounded to 8 bits: by 2⁻⁹ at most, of each term. Five standard deviations.
                        let exact = matches!(layer, HostLinear::F32(..));
                        let most =
                            if exact { 1e-5 * (1.0 + deviation) } else { 1e-5 + 5.0 * deviation / 512.0 };
                        assert!((f64::from(*many) - sum).abs() < most, "{name}");
                    }
                }
            }
        }
    }
}
