//! A step of AdamW in one pass over parameters, gradient and moments, on all cores.

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::is_host_no_grad;
use super::simd::multiversion;

/// Values per task: the four lists of a task fit the L2 cache.
const CHUNK: usize = 1 << 15;

/// A step of AdamW (Loshchilov and Hutter, [arXiv 1711.05101](https://arxiv.org/abs/1711.05101)).
#[derive(Clone, Copy, Debug)]
pub struct AdamwStep {
    /// Learning rate.
    pub learning_rate: f64,
    /// Decay rate of the first moment, β₁.
    pub beta_1: f32,
    /// Decay rate of the second moment, β₂.
    pub beta_2: f32,
    /// Added to the square root, ε.
    pub epsilon: f32,
    /// Weight decay, decoupled from the gradient: multiplied by the learning rate.
    pub weight_decay: f32,
    /// Number of the step, from 1.
    pub step: i32,
}

impl AdamwStep {
    /// Whether [`apply`](Self::apply) supports a tensor: `f32`, in host memory, without autodiff.
    pub fn supports<const D: usize>(x: &Tensor<D>) -> bool {
        is_host_no_grad(x)
    }

    /// Parameters and both moments after the step. All tensors have one shape and are [supported](Self::supports).
    pub fn apply<const D: usize>(
        self,
        parameters: Tensor<D>,
        gradient: Tensor<D>,
        moments: [Tensor<D>; 2],
    ) -> (Tensor<D>, [Tensor<D>; 2]) {
        let (shape, device) = (parameters.dims(), parameters.device());
        let [mut values, gradient] = [parameters, gradient].map(into_vec);
        let [mut means, mut squares] = moments.map(into_vec);
        let factors = Factors::of(self);
        (values.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK)))
            .zip(means.par_chunks_mut(CHUNK).zip(squares.par_chunks_mut(CHUNK)))
            .for_each(|((values, gradient), (means, squares))| {
                step(values, gradient, means, squares, factors)
            });
        let tensor = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, shape), &device);
        (tensor(values), [tensor(means), tensor(squares)])
    }
}

fn into_vec<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().convert::<f32>().try_into_vec().expect("just converted to f32")
}

/// Factors that are the same for all parameters of a step.
#[derive(Clone, Copy)]
struct Factors {
    keep: f32,
    learning_rate: f32,
    beta_1: f32,
    beta_2: f32,
    correction_1: f32,
    correction_2: f32,
    epsilon: f32,
}

impl Factors {
    fn of(step: AdamwStep) -> Self {
        let AdamwStep { learning_rate, beta_1, beta_2, epsilon, weight_decay, step } = step;
        Self {
            // In f64: 1 − learning_rate · decay is so close to 1 that f32 would lose most digits of the decay.
            keep: (1.0 - learning_rate * f64::from(weight_decay)) as f32,
            learning_rate: learning_rate as f32,
            beta_1,
            beta_2,
            correction_1: 1.0 - beta_1.powi(step),
            correction_2: 1.0 - beta_2.powi(step),
            epsilon,
        }
    }
}

multiversion! {
    fn step(values: &mut [f32], gradient: &[f32], means: &mut [f32], squares: &mut [f32], factors: Factors) {
        let Factors { keep, learning_rate, beta_1, beta_2, correction_1, correction_2, epsilon } = factors;
        let (new_1, new_2) = (1.0 - beta_1, 1.0 - beta_2);
        for ((x, g), (mean, square)) in
            values.iter_mut().zip(gradient).zip(means.iter_mut().zip(squares.iter_mut()))
        {
            *mean = *mean * beta_1 + g * new_1;
            *square = *square * beta_2 + g * g * new_2;
            let change = (*mean / correction_1) / ((*square / correction_2).sqrt() + epsilon);
            *x = *x * keep - change * learning_rate;
        }
    }
}
