//! Elementwise operations in one parallel pass, for tensors without autodiff.

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::lanes::{gelu, side_by_side, sigmoid};
use crate::nn::Activation;

/// Values per task, about: 64 KiB, which stay in the L2 cache.
const CHUNK: usize = 1 << 14;

/// `then(x + bias)`, with the bias along the last axis. Requires [`is_plain`](super::is_plain).
pub(crate) fn bias_then<const D: usize>(
    x: Tensor<D>,
    bias: Option<Tensor<1>>,
    then: Option<Activation>,
) -> Tensor<D> {
    let width = x.dims()[D - 1];
    if (bias.is_none() && then.is_none()) || width == 0 {
        return x;
    }
    let bias = bias.map(|bias| bias.into_data().convert::<f32>());
    let bias = bias.as_ref().and_then(|data| data.as_slice::<f32>().ok()).unwrap_or(&[]);
    rows_in_place(x, |values| bias_then_here(values, bias, then))
}

/// Applies `change` to blocks of rows (along the last axis) in parallel, in place.
fn rows_in_place<const D: usize>(x: Tensor<D>, change: impl Fn(&mut [f32]) + Send + Sync) -> Tensor<D> {
    let (width, device) = (x.dims()[D - 1], x.device());
    let mut data = x.into_data().convert::<f32>();
    if let Ok(values) = data.as_mut_slice::<f32>()
        && width > 0
    {
        values.par_chunks_mut((CHUNK / width).max(1) * width).for_each(change);
    }
    Tensor::from_data(data, &device)
}

/// `then(x + bias)` with a bias per group: `[groups, points, width]` and `[groups, width]`. Requires
/// [`is_plain`](super::is_plain).
pub(crate) fn group_bias_then(x: Tensor<3>, bias: Tensor<2>, then: Activation) -> Tensor<3> {
    let [_, points, width] = x.dims();
    let device = x.device();
    let bias = bias.into_data().convert::<f32>();
    let mut data = x.into_data().convert::<f32>();
    if let (Ok(values), Ok(bias)) = (data.as_mut_slice::<f32>(), bias.as_slice::<f32>())
        && width * points > 0
    {
        let groups = values.par_chunks_mut(points * width).zip(bias.par_chunks(width));
        groups.for_each(|(values, bias)| bias_then_here(values, bias, Some(then)));
    }
    Tensor::from_data(data, &device)
}

/// `relu(x · scale + shift + skip)`, `[rows, width]`. Requires [`is_plain`](super::is_plain).
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
                .for_each(|(values, skip)| affine_relu_here(values, [scale, shift], Some(skip))),
            None => (values.par_chunks_mut(chunk))
                .for_each(|values| affine_relu_here(values, [scale, shift], None)),
        }
    }
    Tensor::from_data(data, &device)
}

fn affine_relu_here(values: &mut [f32], [scale, shift]: [&[f32]; 2], skip: Option<&[f32]>) {
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
/// [`is_plain`](super::is_plain).
pub(crate) fn largest(x: Tensor<2>, size: usize) -> Tensor<2> {
    let ([rows, width], device) = (x.dims(), x.device());
    let data = x.into_data().convert::<f32>();
    let groups = rows / size.max(1);
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

side_by_side! {
    /// `then(x + bias)`, for rows of the width of the bias.
    pub(super) fn bias_then_here(values: &mut [f32], bias: &[f32], then: Option<Activation>) {
        match then {
            None => rows(values, bias, |x| x),
            Some(Activation::Gelu) => rows(values, bias, gelu),
            Some(Activation::QuickGelu) => rows(values, bias, |x| x * sigmoid(1.702 * x)),
            // As torch does, NaN stays NaN.
            Some(Activation::Relu) => rows(values, bias, |x| if x < 0.0 { 0.0 } else { x }),
        }
    }
}

#[inline(always)]
fn rows(values: &mut [f32], bias: &[f32], then: impl Fn(f32) -> f32) {
    if bias.is_empty() {
        values.iter_mut().for_each(|x| *x = then(*x));
        return;
    }
    for row in values.chunks_exact_mut(bias.len()) {
        for (x, b) in row.iter_mut().zip(bias) {
            *x = then(*x + b);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData, activation};

    use super::*;
    use crate::nn::host::is_plain;

    /// burn's own operations are the slow twin.
    #[test]
    fn agrees_with_the_tensor_operations() {
        let device = Device::flex();
        let values: Vec<f32> = (0..40_000).map(|i| (i as f32 - 20_000.0) / 2000.0).collect();
        let x = Tensor::<2>::from_data(TensorData::new(values, [1000, 40]), &device);
        let bias: Vec<f32> = (0..40).map(|i| i as f32 * 0.01 - 0.2).collect();
        let bias = Tensor::<1>::from_data(TensorData::new(bias, [40]), &device);
        assert!(is_plain(&x) && !is_plain(&Tensor::<1>::zeros([1], &Device::flex().autodiff())));
        for then in [None, Some(Activation::Gelu), Some(Activation::QuickGelu), Some(Activation::Relu)] {
            let sum = x.clone() + bias.clone().unsqueeze::<2>();
            let slow = match then {
                None => sum,
                Some(Activation::Gelu) => activation::gelu(sum),
                Some(Activation::QuickGelu) => sum.clone() * activation::sigmoid(sum * 1.702),
                Some(Activation::Relu) => activation::relu(sum),
            };
            let fast = bias_then(x.clone(), Some(bias.clone()), then);
            let difference = (fast - slow).abs().max().into_scalar::<f32>();
            assert!(difference < 2e-6, "{then:?}: {difference:e}");
        }
    }

    #[test]
    fn what_is_no_number_stays_so() {
        let x = Tensor::<1>::from_data(TensorData::new(vec![f32::NAN, -1.0], [2]), &Device::flex());
        let y: Vec<f32> = bias_then(x, None, Some(Activation::Relu)).into_data().try_into_vec().unwrap();
        assert!(y[0].is_nan() && y[1] == 0.0);
    }
}
