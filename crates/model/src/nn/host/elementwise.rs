//! Elementwise operations in one parallel pass, for tensors without autodiff.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::simd::{gelu, gelu_tanh, multiversion, sigmoid};
use crate::nn::Activation;

/// Values per task, about: 64 KiB, which stay in the L2 cache.
const CHUNK: usize = 1 << 14;

/// `activation(x + bias)`, with the bias along the last axis. Requires [`is_host_no_grad`](super::is_host_no_grad).
pub(crate) fn bias_activation<const D: usize>(
    x: Tensor<D>,
    bias: Option<Tensor<1>>,
    activation: Option<Activation>,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    // Nothing to do: do not copy the tensor.
    if (bias.is_none() && activation.is_none()) || width == 0 {
        return x;
    }
    let bias = bias.map(|bias| bias.into_data().convert::<f32>());
    let bias = bias.as_ref().and_then(|data| data.as_slice::<f32>().ok()).unwrap_or(&[]);
    map_rows(x, |values| bias_activation_slice(values, bias, activation))
}

/// Applies `change` to blocks of rows (along the last axis) in parallel, in place.
fn map_rows<const D: usize>(x: Tensor<D>, change: impl Fn(&mut [f32]) + Send + Sync) -> Tensor<D> {
    let (width, device) = (x.dims()[D - 1], x.device());
    let mut data = x.into_data().convert::<f32>();
    if let Ok(values) = data.as_mut_slice::<f32>()
        && width > 0
    {
        // Whole rows, so that the bias lines up with every chunk.
        values.par_chunks_mut((CHUNK / width).max(1) * width).for_each(change);
    }
    Tensor::from_data(data, &device)
}

/// `activation(x + bias)` with a bias per group: `[groups, points, width]` and `[groups, width]`. Requires
/// [`is_host_no_grad`](super::is_host_no_grad).
pub(crate) fn group_bias_activation(x: Tensor<3>, bias: Tensor<2>, activation: Activation) -> Tensor<3> {
    let [_, points, width] = x.dims();
    let device = x.device();
    let bias = bias.into_data().convert::<f32>();
    let mut data = x.into_data().convert::<f32>();
    if let (Ok(values), Ok(bias)) = (data.as_mut_slice::<f32>(), bias.as_slice::<f32>())
        && width * points > 0
    {
        let groups = values.par_chunks_mut(points * width).zip(bias.par_chunks(width));
        groups.for_each(|(values, bias)| bias_activation_slice(values, bias, Some(activation)));
    }
    Tensor::from_data(data, &device)
}

/// `relu(x · scale + shift + skip)`, `[rows, width]`. Requires [`is_host_no_grad`](super::is_host_no_grad).
pub(crate) fn affine_relu(
    x: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    skip: Option<Tensor<2>>,
) -> Tensor<2> {
    let ([_, width], device) = (x.dims(), x.device());
    let [scale, shift] = [scale, shift].map(|vector| vector.into_data().convert::<f32>());
    let skip = skip.map(|skip| skip.into_data().convert::<f32>());
    let mut data = x.into_data().convert::<f32>();
    if let (Ok(values), Ok(scale), Ok(shift)) =
        (data.as_mut_slice::<f32>(), scale.as_slice(), shift.as_slice())
        && width > 0
    {
        let chunk = (CHUNK / width).max(1) * width;
        match skip.as_ref().and_then(|skip| skip.as_slice::<f32>().ok()) {
            Some(skip) => (values.par_chunks_mut(chunk).zip(skip.par_chunks(chunk)))
                .for_each(|(values, skip)| affine_relu_slice(values, [scale, shift], Some(skip))),
            None => (values.par_chunks_mut(chunk))
                .for_each(|values| affine_relu_slice(values, [scale, shift], None)),
        }
    }
    Tensor::from_data(data, &device)
}

fn affine_relu_slice(values: &mut [f32], [scale, shift]: [&[f32]; 2], skip: Option<&[f32]>) {
    // As torch does, NaN stays NaN.
    let relu = |x: f32| if x < 0.0 { 0.0 } else { x };
    let width = scale.len();
    let Some(skip) = skip else {
        for row in values.chunks_exact_mut(width) {
            for ((x, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
                *x = relu(*x * scale + shift);
            }
        }
        return;
    };
    for (row, skip) in values.chunks_exact_mut(width).zip(skip.chunks_exact(width)) {
        for (((x, scale), shift), skip) in row.iter_mut().zip(scale).zip(shift).zip(skip) {
            *x = relu(*x * scale + shift + skip);
        }
    }
}

/// Max pooling over each run of `size` rows: `[groups · size, width]` → `[groups, width]`. Requires
/// [`is_host_no_grad`](super::is_host_no_grad).
pub(crate) fn max_pool_groups(x: Tensor<2>, size: usize) -> Tensor<2> {
    let ([rows, width], device) = (x.dims(), x.device());
    let data = x.into_data().convert::<f32>();
    let groups = rows / size.max(1);
    // The identity of the maximum.
    let mut most = vec![f32::NEG_INFINITY; groups * width];
    if let (Ok(values), true) = (data.as_slice::<f32>(), size * width > 0) {
        let each = most.par_chunks_mut(width).zip(values.par_chunks_exact(size * width));
        each.for_each(|(most, group)| {
            for row in group.chunks_exact(width) {
                // NaN wins, as in torch.
                most.iter_mut().zip(row).for_each(|(m, x)| *m = if *x > *m || x.is_nan() { *x } else { *m });
            }
        });
    }
    Tensor::from_data(burn::tensor::TensorData::new(most, [groups, width]), &device)
}

multiversion! {
    /// `activation(x + bias)`, for rows of the width of the bias.
    pub(super) fn bias_activation_slice(values: &mut [f32], bias: &[f32], activation: Option<Activation>) {
        match activation {
            None => rows(values, bias, |x| x),
            Some(Activation::Gelu) => rows(values, bias, gelu),
            Some(Activation::QuickGelu) => rows(values, bias, |x| x * sigmoid(1.702 * x)),
            Some(Activation::GeluTanh) => rows(values, bias, gelu_tanh),
            Some(Activation::Silu) => rows(values, bias, |x| x * sigmoid(x)),
            // As torch does, NaN stays NaN.
            Some(Activation::Relu) => rows(values, bias, |x| if x < 0.0 { 0.0 } else { x }),
        }
    }
}

#[inline(always)]
fn rows(values: &mut [f32], bias: &[f32], activation: impl Fn(f32) -> f32) {
    if bias.is_empty() {
        values.iter_mut().for_each(|x| *x = activation(*x));
        return;
    }
    for row in values.chunks_exact_mut(bias.len()) {
        for (x, b) in row.iter_mut().zip(bias) {
            *x = activation(*x + b);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData, activation};

    use super::*;
    use crate::nn::host::is_host_no_grad;

    /// burn's own operations are the slow twin.
    #[test]
    fn matches_the_tensor_operations() {
        let device = Device::flex();
        let values: Vec<f32> = (0..40_000).map(|i| (i as f32 - 20_000.0) / 2000.0).collect();
        let x = Tensor::<2>::from_data(TensorData::new(values, [1000, 40]), &device);
        let bias: Vec<f32> = (0..40).map(|i| i as f32 * 0.01 - 0.2).collect();
        let bias = Tensor::<1>::from_data(TensorData::new(bias, [40]), &device);
        assert!(
            is_host_no_grad(&x) && !is_host_no_grad(&Tensor::<1>::zeros([1], &Device::flex().autodiff()))
        );
        let all = [
            Activation::Gelu,
            Activation::QuickGelu,
            Activation::GeluTanh,
            Activation::Silu,
            Activation::Relu,
        ];
        for activation in all.map(Some).into_iter().chain([None]) {
            let sum = x.clone() + bias.clone().unsqueeze::<2>();
            let slow = match activation {
                None => sum,
                Some(Activation::Gelu) => activation::gelu(sum),
                Some(Activation::QuickGelu) => sum.clone() * activation::sigmoid(sum * 1.702),
                Some(Activation::GeluTanh) => activation::gelu_approximate(sum),
                Some(Activation::Silu) => activation::silu(sum),
                Some(Activation::Relu) => activation::relu(sum),
            };
            let fast = bias_activation(x.clone(), Some(bias.clone()), activation);
            let difference = (fast - slow).abs().max().into_scalar::<f32>();
            assert!(difference < 2e-6, "{activation:?}: {difference:e}");
        }
    }

    #[test]
    fn nan_is_preserved() {
        let x = Tensor::<1>::from_data(TensorData::new(vec![f32::NAN, -1.0], [2]), &Device::flex());
        let y: Vec<f32> =
            bias_activation(x, None, Some(Activation::Relu)).into_data().try_into_vec().unwrap();
        assert!(y[0].is_nan() && y[1] == 0.0);
    }
}
