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
mod autodiff;
mod batch_norm;
pub(crate) mod decoder;
pub(crate) mod elementwise;
pub(crate) mod host_tensor;
mod layer_norm;
mod linear;
mod matmul;
mod matrix;
mod memory;
mod mlp;
pub(crate) mod packed;
pub(crate) mod rows;
mod simd;
mod softmax;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod tile_matmul;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{DType, Device, Tensor};

pub use adamw::AdamwStep;
pub(crate) use attention::AttentionShape;

use super::{Activation, Products};

/// What is fused into a linear layer, and how its products are computed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FusedLinear {
    /// The activation that follows in the same pass.
    pub activation: Option<Activation>,
    /// What the product and its gradients are computed in.
    pub products: Products,
}

/// What is fused into an MLP, and how its products are computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FusedMlp {
    /// Between the layers.
    pub activation: Activation,
    /// What the products and their gradients are computed in.
    pub products: Products,
}

/// Layers as one operation each, registered with burn's backends. All tensors are `f32`.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait FusedOps: Backend {
    /// `activation(x weight + bias) + skip`: `[…, input]`, `[input, output]`, `[output]`, `[…, output]` → `[…, output]`. An empty
    /// tensor means no bias or no skip.
    fn host_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        fused: FusedLinear,
    ) -> FloatTensor<Self>;

    /// `activation(x weight_1 + bias_1) weight_2 + bias_2 + skip`. Saves less memory for the backward pass than two linear layers.
    #[allow(clippy::too_many_arguments, reason = "backends are given tensors one by one")]
    fn host_mlp(
        x: FloatTensor<Self>,
        weight_1: FloatTensor<Self>,
        bias_1: FloatTensor<Self>,
        weight_2: FloatTensor<Self>,
        bias_2: FloatTensor<Self>,
        skip: FloatTensor<Self>,
        fused: FusedMlp,
    ) -> FloatTensor<Self>;

    /// Layer normalization along the last axis: `[…, width]` → `[…, width]`.
    fn host_layer_norm(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;

    /// Multi-head attention over packed queries, keys and values: `[groups, length, 3 · inner]` → `[groups, queries, inner]`.
    fn host_attention(packed: FloatTensor<Self>, attn_shape: AttentionShape) -> FloatTensor<Self>;

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
pub(crate) fn is_host_f32<const D: usize>(x: &Tensor<D>) -> bool {
    // Devices are equal whether they keep gradients or not.
    x.device() == Device::flex() && x.dtype() == DType::F32
}

/// Whether a tensor can be modified in place: as [`is_host_f32`], and without autodiff.
pub(crate) fn is_host_no_grad<const D: usize>(x: &Tensor<D>) -> bool {
    !x.device().is_autodiff() && is_host_f32(x)
}

/// The values of a tensor in host memory, moved where nothing else holds them.
pub(crate) fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec().expect("callers give 32-bit numbers")
}

/// `activation(x weight + bias) + skip`, `[…, input]` → `[…, output]`. Requires [`is_host_f32`].
pub(crate) fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
    skip: Option<Tensor<D>>,
    fused: FusedLinear,
) -> Tensor<D> {
    let device = x.device();
    let (bias, skip) = (or_empty(bias, &device), or_empty(skip, &device));
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::host_linear(x, weight, bias, skip, fused))
}

/// `x weight`, `[…, input]` → `[…, output]`. Requires [`is_host_f32`].
pub(crate) fn product<const D: usize>(x: Tensor<D>, weight: Tensor<2>) -> Tensor<D> {
    linear(x, weight, None, None, FusedLinear::default())
}

/// A tensor, or an empty one: operations of a backend have no optional tensors.
fn or_empty<const D: usize>(tensor: Option<Tensor<D>>, device: &Device) -> FloatTensor<Dispatch> {
    match tensor {
        Some(tensor) => tensor.into_dispatch(),
        None => Tensor::<1>::empty([0], device).into_dispatch(),
    }
}

/// `activation(x weight_1 + bias_1) weight_2 + bias_2 + skip`, with weight and bias of each layer in `maps`. Requires [`is_host_f32`].
pub(crate) fn mlp<const D: usize>(
    x: Tensor<D>,
    maps: [(Tensor<2>, Option<Tensor<1>>); 2],
    skip: Option<Tensor<D>>,
    fused: FusedMlp,
) -> Tensor<D> {
    let device = x.device();
    let maps = maps.map(|(weight, bias)| (weight.into_dispatch(), or_empty(bias, &device)));
    let [(weight_1, bias_1), (weight_2, bias_2)] = maps;
    let skip = or_empty(skip, &device);
    Tensor::from_dispatch(Dispatch::host_mlp(
        x.into_dispatch(),
        weight_1,
        bias_1,
        weight_2,
        bias_2,
        skip,
        fused,
    ))
}

/// Layer normalization along the last axis. Requires [`is_host_f32`].
pub(crate) fn norm<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<1>,
    bias: Tensor<1>,
    epsilon: f64,
) -> Tensor<D> {
    let [weight, bias] = [weight, bias].map(Tensor::into_dispatch);
    Tensor::from_dispatch(Dispatch::host_layer_norm(x.into_dispatch(), weight, bias, epsilon))
}

/// Multi-head attention over packed queries, keys and values, `[groups, length, 3 · inner]` → `[groups, queries, inner]`.
/// Requires [`is_host_f32`].
pub(crate) fn attention(packed: Tensor<3>, attn_shape: AttentionShape) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::host_attention(packed.into_dispatch(), attn_shape))
}

/// Output and statistics of batch normalization.
pub(crate) struct BatchNormOutput {
    /// `[rows, width]`.
    pub output: Tensor<2>,
    /// Mean of the batch, `[width]`, detached.
    pub mean: Tensor<1>,
    /// Biased variance of the batch, `[width]`, detached.
    pub variance: Tensor<1>,
}

/// Batch normalization of rows `[rows, width]` with their own statistics, followed by ReLU if `relu`. Requires [`is_host_f32`].
pub(crate) fn batch_norm(
    x: Tensor<2>,
    [weight, bias]: [Tensor<1>; 2],
    epsilon: f64,
    relu: bool,
) -> BatchNormOutput {
    let moments = Tensor::<2>::from_dispatch(Dispatch::host_moments(x.clone().into_dispatch()));
    let [mean, variance] = [0, 1].map(|row| moments.clone().narrow(0, row, 1).squeeze_dim::<1>(0));
    let [weight, bias] = [weight, bias].map(Tensor::into_dispatch);
    let (x, moments) = (x.into_dispatch(), moments.into_dispatch());
    let output = Tensor::from_dispatch(Dispatch::host_batch_norm(x, moments, weight, bias, epsilon, relu));
    BatchNormOutput { output, mean, variance }
}
