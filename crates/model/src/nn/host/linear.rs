//! A fused linear layer, `activation(x W + b) + skip`, and its gradients.

use rayon::prelude::*;

use super::matmul::{matmul, matmul_into};
use super::matrix::{Matrix, MatrixMut, Parallelism, WriteMode};
use super::packed;
use super::simd::{gelu, gelu_derivative, gelu_tanh, gelu_tanh_derivative, multiversion, sigmoid};
use crate::nn::{Activation, Products};

/// Rows per task. Fixed, so that sums over rows do not depend on the number of threads; small enough that a task's rows
/// stay in the L2 cache.
const ROWS: usize = 64;

/// The product alone: `[rows, input]` and `[input, output]` → `[rows, output]`.
pub(super) fn before(x: &[f32], weight: &[f32], [input, output]: [usize; 2], products: Products) -> Vec<f32> {
    let rows = x.len() / input.max(1);
    product(Matrix::new(x, [rows, input]), Matrix::new(weight, [input, output]), products)
}

/// [`before`] into a list of the result's length.
pub(super) fn before_into(
    out: &mut [f32],
    x: &[f32],
    weight: &[f32],
    [input, output]: [usize; 2],
    products: Products,
) {
    let rows = x.len() / input.max(1);
    let (x, weight) = (Matrix::new(x, [rows, input]), Matrix::new(weight, [input, output]));
    product_into(MatrixMut::new(out, [rows, output]), x, weight, products);
}

fn product(a: Matrix<'_>, b: Matrix<'_>, products: Products) -> Vec<f32> {
    let Products::Bf16(_) = products else { return matmul(a, b) };
    let shape = [a.shape()[0], b.shape()[1]];
    let mut out = vec![0.0; shape[0] * shape[1]];
    product_into(MatrixMut::new(&mut out, shape), a, b, products);
    out
}

fn product_into(out: MatrixMut<'_>, a: Matrix<'_>, b: Matrix<'_>, products: Products) {
    match products {
        Products::F32 => matmul_into(out, a, b, WriteMode::Set, Parallelism::Parallel),
        Products::Bf16(unit) => packed::multiply(unit, out, a, b),
    }
}

/// What follows the product: bias, activation, residual.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epilogue<'a> {
    /// `[width]`.
    pub bias: Option<&'a [f32]>,
    /// Activation.
    pub activation: Option<Activation>,
    /// Added last; of the product's shape.
    pub skip: Option<&'a [f32]>,
}

impl Epilogue<'_> {
    /// Updates products `[rows, width]` in place.
    pub fn apply(self, values: &mut [f32], width: usize) {
        if width == 0 || (self.bias.is_none() && self.activation.is_none() && self.skip.is_none()) {
            return;
        }
        let bias = self.bias.unwrap_or(&[]);
        match self.skip {
            Some(skip) => (values.par_chunks_mut(ROWS * width).zip(skip.par_chunks(ROWS * width)))
                .for_each(|(values, skip)| apply_epilogue(values, bias, self.activation, skip, width)),
            None => (values.par_chunks_mut(ROWS * width))
                .for_each(|values| apply_epilogue(values, bias, self.activation, &[], width)),
        }
    }

    /// Adds the bias to products `[rows, width]` in place, for the backward pass, and returns `activation` of the sums plus `skip`.
    pub fn apply_out_of_place(self, values: &mut [f32], width: usize) -> Vec<f32> {
        Epilogue { bias: self.bias, activation: None, skip: None }.apply(values, width);
        // Copied in parallel: pages of a new list are first touched, and so zeroed by the system, by all threads at once.
        let mut out = vec![0.0; values.len()];
        let size = (ROWS * width).max(1);
        (out.par_chunks_mut(size).zip(values.par_chunks(size))).for_each(|(out, x)| out.copy_from_slice(x));
        Epilogue { bias: None, ..self }.apply(&mut out, width);
        out
    }
}

multiversion! {
    /// `activation(x + bias) + skip`, without the bias or skip that is empty.
    pub(super) fn apply_epilogue(values: &mut [f32], bias: &[f32], activation: Option<Activation>, skip: &[f32], width: usize) {
        match activation {
            None => each(values, bias, skip, width, |x| x),
            Some(Activation::Gelu) => each(values, bias, skip, width, gelu),
            Some(Activation::QuickGelu) => each(values, bias, skip, width, |x| x * sigmoid(1.702 * x)),
            Some(Activation::GeluTanh) => each(values, bias, skip, width, gelu_tanh),
            Some(Activation::Silu) => each(values, bias, skip, width, |x| x * sigmoid(x)),
            // Not `max`: NaN stays NaN, as in torch.
            Some(Activation::Relu) => each(values, bias, skip, width, |x| if x < 0.0 { 0.0 } else { x }),
        }
    }

    /// `gradient · activation'(x)` in place.
    fn multiply_derivative(gradient: &mut [f32], x: &[f32], activation: Activation) {
        match activation {
            Activation::Gelu => pairs(gradient, x, gelu_derivative),
            Activation::QuickGelu => pairs(gradient, x, |x| {
                let share = sigmoid(1.702 * x);
                share * (1.0 + 1.702 * x * (1.0 - share))
            }),
            Activation::GeluTanh => pairs(gradient, x, gelu_tanh_derivative),
            Activation::Silu => pairs(gradient, x, |x| {
                let share = sigmoid(x);
                share * (1.0 + x * (1.0 - share))
            }),
            Activation::Relu => pairs(gradient, x, |x| if x <= 0.0 { 0.0 } else { 1.0 }),
        }
    }

    /// Adds rows to a sum of the same width.
    fn add_rows(sum: &mut [f32], rows: &[f32]) {
        for row in rows.chunks_exact(sum.len()) {
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

#[inline(always)]
fn each(values: &mut [f32], bias: &[f32], skip: &[f32], width: usize, activation: impl Fn(f32) -> f32) {
    match (bias.is_empty(), skip.is_empty()) {
        (true, true) => values.iter_mut().for_each(|x| *x = activation(*x)),
        (true, false) => values.iter_mut().zip(skip).for_each(|(x, skip)| *x = activation(*x) + skip),
        (false, true) => {
            for row in values.chunks_exact_mut(width) {
                row.iter_mut().zip(bias).for_each(|(x, b)| *x = activation(*x + b));
            }
        }
        (false, false) => {
            for (row, skip) in values.chunks_exact_mut(width).zip(skip.chunks_exact(width)) {
                for ((x, b), skip) in row.iter_mut().zip(bias).zip(skip) {
                    *x = activation(*x + b) + skip;
                }
            }
        }
    }
}

#[inline(always)]
fn pairs(gradient: &mut [f32], x: &[f32], multiply_derivative: impl Fn(f32) -> f32) {
    for (g, x) in gradient.iter_mut().zip(x) {
        *g *= multiply_derivative(*x);
    }
}

/// The gradient before the activation, from that after it and the activation's input.
pub(super) fn activation_backward(mut gradient: Vec<f32>, x: &[f32], activation: Activation) -> Vec<f32> {
    const AT_ONCE: usize = 1 << 14;
    (gradient.par_chunks_mut(AT_ONCE).zip(x.par_chunks(AT_ONCE)))
        .for_each(|(g, x)| multiply_derivative(g, x, activation));
    gradient
}

/// The gradient of `x`: `[rows, output]` → `[rows, input]`.
pub(super) fn input_gradient(
    gradient: &[f32],
    weight: &[f32],
    [input, output]: [usize; 2],
    products: Products,
) -> Vec<f32> {
    let rows = gradient.len() / output.max(1);
    product(
        Matrix::new(gradient, [rows, output]),
        Matrix::new(weight, [input, output]).transposed(),
        products,
    )
}

/// The gradient of the weight, `[input, output]`.
pub(super) fn weight_gradient(
    gradient: &[f32],
    x: &[f32],
    [input, output]: [usize; 2],
    products: Products,
) -> Vec<f32> {
    let rows = gradient.len() / output.max(1);
    product(Matrix::new(x, [rows, input]).transposed(), Matrix::new(gradient, [rows, output]), products)
}

/// Sums over rows: `[rows, width]` → `[width]`.
pub(super) fn sum_rows(values: &[f32], width: usize) -> Vec<f32> {
    let parts: Vec<Vec<f32>> = (values.par_chunks((ROWS * width).max(1)))
        .map(|rows| {
            let mut sum = vec![0.0; width];
            if width > 0 {
                add_rows(&mut sum, rows);
            }
            sum
        })
        .collect();
    sum_partials(parts, width)
}

/// Sums partial sums, in their order.
pub(super) fn sum_partials(parts: Vec<Vec<f32>>, width: usize) -> Vec<f32> {
    let mut sum = vec![0.0; width];
    for part in parts {
        sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
    }
    sum
}
