//! Fused layers for tensors in host memory, forward and backward, multithreaded and vectorized.
//!
//! burn's CPU backend is fast at matrix products. Elementwise operations between them run one by one on a single core,
//! each writing a new tensor, and its `erf` and `exp` are scalar library calls; in these networks that took as long as
//! the products. The operations here fuse them: a linear layer with bias, activation and residual; an MLP; layer and
//! batch normalization; attention that does not store its scores. In the tests, burn's own operations are the reference.
//!
//! Work is split into blocks of a fixed number of rows, and partial sums are added in the order of the blocks, so that
//! results do not depend on the number of threads.

mod adamw;
mod attention;
mod batch;
mod gradient;
mod lanes;
mod linear;
mod mlp;
mod norm;
mod numbers;
pub(crate) mod passes;
mod product;
mod softmax;
#[cfg(test)]
mod tests;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Device, Tensor};

pub use adamw::AdamwStep;
pub(crate) use attention::Looks;

use super::Activation;

/// The activation that follows a product in the same pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Then(pub Option<Activation>);

/// Layers as one operation each, registered with burn's backends. All tensors are `f32`.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Layers: Backend {
    /// `then(x weight + bias) + skip`: `[…, input]`, `[input, output]`, `[output]`, `[…, output]` → `[…, output]`. An empty
    /// tensor means no bias or no skip.
    fn host_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        then: Then,
    ) -> FloatTensor<Self>;

    /// `then(x weight_1 + bias_1) weight_2 + bias_2 + skip`. Saves less memory for the backward pass than two linear layers.
    #[allow(clippy::too_many_arguments, reason = "backends are given tensors one by one")]
    fn host_mlp(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        then: Activation,
    ) -> FloatTensor<Self>;

    /// Layer normalization along the last axis: `[…, width]` → `[…, width]`.
    fn host_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// Multi-head attention over packed queries, keys and values: `[groups, length, 3 · inner]` → `[groups, queries, inner]`.
    fn host_attention(packed: FloatTensor<Self>, looks: Looks) -> FloatTensor<Self>;

    /// Mean and biased variance over rows, `[rows, width]` → `[2, width]`, detached from the graph.
    fn host_moments(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Batch normalization of rows `[rows, width]` by their own moments (the gradient with respect to the moments is part of
    /// that of `x`), followed by ReLU if `relu`.
    fn host_batch_norm(
        x: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
        relu: bool,
    ) -> FloatTensor<Self>;
}

/// Whether these operations support a tensor: `f32`, in host memory.
pub(crate) fn is_here<const D: usize>(x: &Tensor<D>) -> bool {
    // Devices are equal whether they keep gradients or not.
    x.device() == Device::flex() && x.dtype() == DType::F32
}

/// Whether a tensor can be modified in place: as [`is_here`], and without autodiff.
pub(crate) fn is_plain<const D: usize>(x: &Tensor<D>) -> bool {
    !x.device().is_autodiff() && is_here(x)
}

/// `then(x weight + bias) + skip`, `[…, input]` → `[…, output]`. Requires [`is_here`].
pub(crate) fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    skip: Option<Tensor<D>>,
    then: Option<Activation>,
) -> Tensor<D> {
    let device = x.device();
    let (bias, skip) = (or_none(bias, &device), or_none(skip, &device));
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::host_linear(x, weight, bias, skip, Then(then)))
}

/// A tensor, or an empty one: operations of a backend have no optional tensors.
fn or_none<const D: usize>(tensor: Option<Tensor<D>>, device: &Device) -> FloatTensor<Dispatch> {
    match tensor {
        Some(tensor) => tensor.into_dispatch(),
        None => Tensor::<1>::empty([0], device).into_dispatch(),
    }
}

/// `then(x weight_1 + bias_1) weight_2 + bias_2 + skip`, with weight and bias of each layer in `maps`. Requires [`is_here`].
pub(crate) fn mlp<const D: usize>(
    x: Tensor<D>,
    maps: [(Tensor<2>, Option<Tensor<1>>); 2],
    skip: Option<Tensor<D>>,
    then: Activation,
) -> Tensor<D> {
    let device = x.device();
    let maps = maps.map(|(weight, bias)| (weight.into_dispatch(), or_none(bias, &device)));
    let [(weight_1, bias_1), (weight_2, bias_2)] = maps;
    let skip = or_none(skip, &device);
    Tensor::from_dispatch(Dispatch::host_mlp(
        x.into_dispatch(),
        weight_1,
        bias_1,
        weight_2,
        bias_2,
        skip,
        then,
    ))
}

/// Layer normalization along the last axis. Requires [`is_here`].
pub(crate) fn norm<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let [weight, bias] = [weight, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::host_norm(x.into_dispatch(), weight, bias, epsilon))
}

/// Multi-head attention over packed queries, keys and values, `[groups, length, 3 · inner]` → `[groups, queries, inner]`.
/// Requires [`is_here`].
pub(crate) fn attention(packed: Tensor<3>, looks: Looks) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::host_attention(packed.into_dispatch(), looks))
}

/// Output and statistics of batch normalization.
pub(crate) struct Normalized {
    /// `[rows, width]`.
    pub output: Tensor<2>,
    /// Mean of the batch, `[width]`, detached.
    pub mean: Tensor<1>,
    /// Biased variance of the batch, `[width]`, detached.
    pub variance: Tensor<1>,
}

/// Batch normalization of rows `[rows, width]` with their own statistics, followed by ReLU if `relu`. Requires [`is_here`].
pub(crate) fn batch_norm(
    x: Tensor<2>,
    [weight, bias]: [Tensor<1>; 2],
    epsilon: f64,
    relu: bool,
) -> Normalized {
    let moments = Tensor::<2>::from_dispatch(Dispatch::host_moments(x.clone().into_dispatch()));
    let [mean, variance] = [0, 1].map(|row| moments.clone().narrow(0, row, 1).squeeze_dim::<1>(0));
    let [weight, bias] = [weight, bias].map(Tensor::into_dispatch);
    let (x, moments) = (x.into_dispatch(), moments.into_dispatch());
    let output = Tensor::from_dispatch(Dispatch::host_batch_norm(x, moments, weight, bias, epsilon, relu));
    Normalized { output, mean, variance }
}
