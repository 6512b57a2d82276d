//! Batch normalization over the last axis, and the pointwise convolution before it.
//!
//! Channels are last, `[…, channels]`, so that a convolution with kernel size 1 is a linear layer.

use burn::module::{Flag, Module, Param, RunningState};
use burn::tensor::{Device, Tensor, activation, module};

use super::Linear;
use super::host::{self, BatchNormOutput, elementwise};
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Added to the variance: torch's default, used by all papers here.
const EPSILON: f64 = 1e-5;
/// Weight of the newest batch in the running statistics: torch's default.
const MOMENTUM: f64 = 0.1;

/// `y = (x − mean) / √(variance + ε) · weight + bias`, per channel
/// ([arXiv 1502.03167](https://arxiv.org/abs/1502.03167)).
///
/// On an autodiff device the statistics are those of the batch, and the running statistics are updated; elsewhere, or with
/// frozen weights, the running statistics are used.
#[derive(Module, Debug)]
pub struct BatchNorm {
    weight: Param<Tensor<1>>,
    bias: Param<Tensor<1>>,
    training: Param<Flag>,
    running_mean: RunningState<Tensor<1>>,
    running_var: RunningState<Tensor<1>>,
}

/// Whether a tensor of this name is a batch norm's `num_batches_tracked`, which no output depends on.
pub fn is_num_batches_tracked(name: &str) -> bool {
    name.ends_with(".num_batches_tracked")
}

impl BatchNorm {
    /// Reads `{name}.weight`, `.bias`, `.running_mean` and `.running_var`, `[channels]` each.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, channels: usize) -> Result<Self, WeightsError> {
        let tensor = |part: &str, start: f32| {
            source.tensor(&format!("{name}.{part}"), [channels], Initializer::Constant(start))
        };
        Ok(Self {
            weight: Param::from_tensor(tensor("weight", 1.0)?),
            bias: Param::from_tensor(tensor("bias", 0.0)?),
            training: Param::from_bool(true),
            running_mean: RunningState::new(tensor("running_mean", 0.0)?),
            running_var: RunningState::new(tensor("running_var", 1.0)?),
        })
    }

    /// `[…, channels]` → the same shape.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if self.uses_batch_stats(&x) {
            return self.forward_train(x, false);
        }
        let (scale, shift) = self.scale_and_shift();
        x * scale.unsqueeze::<D>() + shift.unsqueeze::<D>()
    }

    /// Whether the batch's statistics are used. A norm with frozen weights keeps its statistics as well.
    fn uses_batch_stats<const D: usize>(&self, x: &Tensor<D>) -> bool {
        x.device().is_autodiff() && self.training.is_enabled() && self.weight.val().is_require_grad()
    }

    /// Normalizes with the batch's statistics and updates the running ones; ReLU follows if `relu`.
    fn forward_train<const D: usize>(&self, x: Tensor<D>, relu: bool) -> Tensor<D> {
        let (dims, [channels]) = (x.dims(), self.weight.dims());
        let rows = dims.iter().product::<usize>() / channels;
        let flat = x.reshape([rows, channels]);
        let (weight, bias) = (self.weight.val(), self.bias.val());
        let batch = if host::is_host_f32(&flat) {
            host::batch_norm(flat, [weight, bias], EPSILON, relu)
        } else {
            let batch = module::batch_norm_train(flat, weight, bias, EPSILON);
            let output = if relu { activation::relu(batch.output) } else { batch.output };
            BatchNormOutput { output, mean: batch.mean, variance: batch.variance }
        };
        // torch normalizes with the biased variance and keeps the unbiased one.
        let unbiased = batch.variance * (rows as f64 / (rows as f64 - 1.0).max(1.0));
        for (running_stats, newest) in [(&self.running_mean, batch.mean), (&self.running_var, unbiased)] {
            let old = running_stats.value_sync().to_device(&newest.device());
            running_stats.update((old * (1.0 - MOMENTUM) + newest.detach() * MOMENTUM).detach());
        }
        batch.output.reshape(dims)
    }

    /// Normalization by the running statistics as a scale and a shift, `[channels]` each.
    fn scale_and_shift(&self) -> (Tensor<1>, Tensor<1>) {
        let device = self.weight.val().device();
        let [mean, variance] = [&self.running_mean, &self.running_var]
            .map(|running_stats| running_stats.value_sync().to_device(&device));
        let scale = self.weight.val() / (variance + EPSILON).sqrt();
        let shift = self.bias.val() - mean * scale.clone();
        (scale, shift)
    }

    /// Running mean and variance, `[channels]` each.
    pub fn running_stats(&self) -> [Tensor<1>; 2] {
        [self.running_mean.value_sync(), self.running_var.value_sync()]
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        list.push(format!("{name}.weight"), self.weight.val());
        list.push(format!("{name}.bias"), self.bias.val());
        let [mean, variance] = self.running_stats();
        list.push(format!("{name}.running_mean"), mean);
        list.push(format!("{name}.running_var"), variance);
    }
}

/// A pointwise convolution followed by batch normalization: a layer of a shared MLP, in the words of PointNet++.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Linear,
    norm: BatchNorm,
}

/// Whether a pointwise convolution has a bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// `{name}.bias` is learned.
    Learned,
    /// No bias: usual before a batch norm, which has one.
    Absent,
}

/// A pointwise convolution: reads `{name}.weight`, `[output, input]` or with trailing ones, and `{name}.bias` if learned. New
/// weights have the variance of torch's, 1 / (3 input).
///
/// # Errors
/// If a tensor is missing or misshaped.
pub fn pointwise_conv(
    source: &WeightSource,
    name: &str,
    bias: Bias,
    [input, output]: [usize; 2],
) -> Result<Linear, WeightsError> {
    let [weight_name, bias_name] = ["weight", "bias"].map(|part| format!("{name}.{part}"));
    let bias_name = (bias == Bias::Learned).then_some(bias_name.as_str());
    // Norms are folded into these weights, and their products are small.
    Linear::load_in_f32(source, &weight_name, bias_name, [input, output], (3.0 * input as f32).powf(-0.5))
}

impl ConvNorm {
    /// Reads the two layers.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(
        source: &WeightSource,
        [conv, norm]: [&str; 2],
        bias: Bias,
        [input, output]: [usize; 2],
    ) -> Result<Self, WeightsError> {
        let conv = pointwise_conv(source, conv, bias, [input, output])?;
        Ok(Self { conv, norm: BatchNorm::load(source, norm, output)? })
    }

    /// `[…, input]` → `[…, output]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        if self.norm.uses_batch_stats(&x) {
            return self.norm.forward(self.conv.forward(x));
        }
        let (weight, bias) = self.folded();
        linear(x, weight, Some(bias))
    }

    /// `relu(norm(conv(x)) + skip)`: `[rows, input]` → `[rows, output]`, fused where possible.
    pub fn forward_relu(&self, x: Tensor<2>, skip: Option<Tensor<2>>) -> Tensor<2> {
        if host::is_host_no_grad(&x) {
            let (scale, shift) = self.scale_and_shift();
            return elementwise::affine_relu(host::product(x, self.conv.weight()), scale, shift, skip);
        }
        if skip.is_none() && self.norm.uses_batch_stats(&x) {
            return self.norm.forward_train(self.conv.forward(x), true);
        }
        let y = self.forward(x);
        activation::relu(match skip {
            Some(skip) => skip + y,
            None => y,
        })
    }

    /// `relu(norm(conv(concat(whole, point))))` of each point: `[groups, a]` and `[groups, points, b]` →
    /// `[groups · points, output]`. `whole` is the same for all points of a group, so its part of the product is computed
    /// once per group.
    pub fn forward_relu_concat(&self, whole: Tensor<2>, points: Tensor<3>) -> Tensor<2> {
        let learns = self.norm.uses_batch_stats(&points);
        let (weight, bias) = if learns {
            (self.conv.weight(), self.conv.bias())
        } else {
            // In inference the norm is an affine map, folded into the product.
            let (weight, bias) = self.folded();
            (weight, Some(bias))
        };
        let ([groups, n_points, _], [_, width], [input, output]) =
            (points.dims(), whole.dims(), weight.dims());
        let of_whole = linear(whole, weight.clone().slice([0..width, 0..output]), bias);
        let of_point = linear(points, weight.slice([width..input, 0..output]), None);
        let y = (of_point + of_whole.reshape([groups, 1, output])).reshape([groups * n_points, output]);
        if learns { self.norm.forward_train(y, true) } else { activation::relu(y) }
    }

    /// Both layers folded into one linear layer for inference: weight `[input, output]` and bias `[output]`.
    pub(crate) fn folded(&self) -> (Tensor<2>, Tensor<1>) {
        let (scale, shift) = self.scale_and_shift();
        (self.conv.weight() * scale.unsqueeze::<2>(), shift)
    }

    /// The norm as scale and shift of the product, with the convolution's bias folded in; `[output]` each.
    fn scale_and_shift(&self) -> (Tensor<1>, Tensor<1>) {
        let (scale, shift) = self.norm.scale_and_shift();
        let shift = match self.conv.bias() {
            Some(bias) => bias * scale.clone() + shift,
            None => shift,
        };
        (scale, shift)
    }

    /// Where the tensors live.
    pub fn device(&self) -> Device {
        self.conv.weight().device()
    }

    /// The batch norm.
    pub fn norm(&self) -> &BatchNorm {
        &self.norm
    }

    /// Adds the tensors to `list` under the names that [`load`](Self::load) reads.
    pub fn save(&self, [conv, norm]: [&str; 2], list: &mut TensorList) {
        self.conv.save(&format!("{conv}.weight"), Some(&format!("{conv}.bias")), list);
        self.norm.save(norm, list);
    }
}

/// `x weight + bias`, fused where possible: `[…, input]` → `[…, output]`.
fn linear<const D: usize>(x: Tensor<D>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<D> {
    match host::is_host_f32(&x) {
        true => host::linear(x, weight, bias, None, host::FusedLinear::default()),
        false => module::linear(x, weight, bias),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;

    /// Eight rows of three channels, and what torch's `BatchNorm1d` in training mode makes of the running statistics:
    /// 0.9 · start + 0.1 · (mean, unbiased variance).
    #[test]
    fn running_statistics_follow_the_batch() {
        let device = Device::flex().autodiff();
        let norm = BatchNorm::load(&WeightSource::random(1, &device), "norm", 3).unwrap();
        let values: Vec<f32> = (0..24).map(|i| (i * i % 7) as f32 - (i % 3) as f32).collect();
        let x = Tensor::<3>::from_data(TensorData::new(values.clone(), [2, 4, 3]), &device);
        let y: Vec<f32> = norm.forward(x).into_data().try_into_vec().unwrap();
        let [mean, variance] = norm.running_stats().map(|t| t.into_data().try_into_vec::<f32>().unwrap());
        for channel in 0..3 {
            let column: Vec<f32> = values.iter().skip(channel).step_by(3).copied().collect();
            let expected_mean = column.iter().sum::<f32>() / 8.0;
            let sum_squares = column.iter().map(|v| (v - expected_mean).powi(2)).sum::<f32>();
            assert!((mean[channel] - 0.1 * expected_mean).abs() < 1e-6);
            assert!((variance[channel] - (0.9 + 0.1 * sum_squares / 7.0)).abs() < 1e-6);
            let first = (column[0] - expected_mean) / (sum_squares / 8.0 + 1e-5).sqrt();
            assert!((y[channel] - first).abs() < 1e-5, "{} {first}", y[channel]);
        }
        // Away from training the running statistics hold, and nothing moves them.
        let still = norm.valid();
        let x = Tensor::<2>::from_data(TensorData::new(values, [8, 3]), &Device::flex());
        let y: Vec<f32> = still.forward(x).into_data().try_into_vec().unwrap();
        assert!((y[2] - (-2.0 + 4.0 - mean[2]) / (variance[2] + 1e-5).sqrt()).abs() < 1e-5);
        let after = still.running_stats()[0].clone().into_data().try_into_vec::<f32>().unwrap();
        assert_eq!(after, mean);
    }
}
