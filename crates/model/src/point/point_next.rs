//! PointNeXt-S, as used by ULIP: points with their height above the lowest one, balls of growing radius around half of the
//! points in each stage, and a skip connection around the max pooling.

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation, module};
use lexiform_geometry::neighbors::Ball;
use serde::{Deserialize, Serialize};

use super::group::positions_tensor;
use super::host_kernels::{self, RelativeFeatures};
use super::mlp_head::{MlpHead, MlpHeadNames};
use super::set_abstraction::{FpsKernel, PointBatch, SetAbstractionConfig, gather_centers, gather_members};
use super::{CloudBatch, FpsStart, Groups, Neighborhood};
use crate::nn::host::elementwise::max_pool_groups;
use crate::nn::host::{self, is_host_no_grad};
use crate::nn::{Bias, ConvNorm, Linear, pointwise_conv};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Radius of the first stage's balls.
const RADIUS: f32 = 0.15;
/// Growth of the radius from stage to stage.
const GROWTH: f32 = 1.5;
/// Points of a ball.
const BALL_SIZE: usize = 32;
/// Stages that halve the points.
const STAGES: usize = 4;
/// Widest embedding of a configuration.
const MAX_WIDTH: usize = 1 << 12;
/// Names of the MLP after pooling.
const DENSE: MlpHeadNames =
    [["prediction.head.0.0", "prediction.head.0.1"], ["prediction.head.2.0", "prediction.head.2.1"]];

/// Sizes of a [`PointNext`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointNextConfig {
    /// Whether points have their height as a fourth channel.
    pub height: bool,
    /// Channels of the embedded points; doubled by each of the four stages.
    pub width: usize,
    /// Widths of the MLP after pooling.
    pub dense: [usize; 2],
}

/// PointNeXt-S ([arXiv 2206.04670](https://arxiv.org/abs/2206.04670)).
#[derive(Module, Debug)]
pub struct PointNext {
    embedding: Linear,
    stages: Vec<Stage>,
    last: Vec<ConvNorm>,
    dense: MlpHead,
    height: bool,
}

#[derive(Module, Debug)]
struct Stage {
    skip: Linear,
    inner: ConvNorm,
    outer: ConvNorm,
}

fn layer_names(name: &str, stage: usize, layer: usize) -> [String; 2] {
    [0, 1].map(|part| format!("{name}.encoder.encoder.{stage}.0.convs.{layer}.{part}"))
}

fn skip_name(name: &str, stage: usize) -> String {
    format!("{name}.encoder.encoder.{stage}.0.skipconv.0")
}

fn embedding_name(name: &str) -> String {
    format!("{name}.encoder.encoder.0.0.convs.0.0")
}

impl Stage {
    fn load(source: &WeightSource, name: &str, index: usize, width: usize) -> Result<Self, WeightsError> {
        Ok(Self {
            skip: pointwise_conv(source, &skip_name(name, index), Bias::Learned, [width, 2 * width])?,
            inner: conv_norm(source, layer_names(name, index, 0), [width + 3, width])?,
            outer: conv_norm(source, layer_names(name, index, 1), [width, 2 * width])?,
        })
    }

    /// Features of points `[clouds, points, width]` → of the centers `[clouds, points / 2, 2 width]`.
    fn forward(&self, x: Tensor<3>, sets: &PointBatch, groups: &[Groups], radius: f32) -> Tensor<3> {
        // The skip connection takes the centers' own features around the pooling.
        let skip = self.skip.forward(gather_centers(x.clone(), groups));
        let group = if is_host_no_grad(&x) {
            self.grouped_fused(x, sets, groups, radius)
        } else {
            self.grouped_reference(x, sets, groups, radius)
        };
        activation::relu(group + skip)
    }

    /// As in the paper: features of every member, concatenated with its offset from the center divided by the radius.
    fn grouped_reference(
        &self,
        x: Tensor<3>,
        sets: &PointBatch,
        groups: &[Groups],
        radius: f32,
    ) -> Tensor<3> {
        // Relative to the radius (section 3.2): offsets have the same range in every stage.
        let offsets = sets.offsets(groups, &x.device()) / radius;
        let group = Tensor::cat(vec![offsets, gather_members(x, groups)], 3);
        let group = self.outer.forward(activation::relu(self.inner.forward(group)));
        group.max_dim(2).squeeze_dim::<3>(2)
    }

    /// The same with the first product computed once per point, and the last bias added after the maximum.
    fn grouped_fused(&self, x: Tensor<3>, sets: &PointBatch, groups: &[Groups], radius: f32) -> Tensor<3> {
        let (device, [clouds, _, _]) = (x.device(), x.dims());
        let (weight, bias) = self.inner.folded();
        let [input, width] = weight.dims();
        // The weight's rows of the offset, with the division by the radius folded in.
        let of_offset = weight.clone().slice([0..3, 0..width]) / radius;
        let of_features = weight.slice([3..input, 0..width]);
        let places = module::linear(sets.tensor(&device), of_offset, None);
        let centers = gather_centers(places.clone(), groups);
        let differences = RelativeFeatures {
            // Features are absolute and positions relative: only `centers` is subtracted.
            points: module::linear(x, of_features, None) + places,
            shifts: host_kernels::broadcast_groups(bias, [clouds, centers.dims()[1]]),
            scales: host_kernels::unit_scales(clouds),
            centers,
        };
        let (weight, bias) = self.outer.folded();
        let group =
            differences.map_groups(groups, |x, size| max_pool_groups(host::product(x, weight.clone()), size));
        // A bias that all members share commutes with the maximum.
        group + bias.unsqueeze::<3>()
    }
}

fn conv_norm(
    source: &WeightSource,
    [conv, norm]: [String; 2],
    sizes: [usize; 2],
) -> Result<ConvNorm, WeightsError> {
    ConvNorm::load(source, [&conv, &norm], Bias::Absent, sizes)
}

impl PointNext {
    /// Reads `{name}.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &PointNextConfig) -> Result<Self, WeightsError> {
        let channels = if config.height { 4 } else { 3 };
        let embedding =
            pointwise_conv(source, &embedding_name(name), Bias::Learned, [channels, config.width])?;
        let stages = (1..=STAGES).map(|stage| Stage::load(source, name, stage, config.width << (stage - 1)));
        // Each stage doubles the width.
        let wide = config.width << STAGES;
        let last = [wide + 3, wide].into_iter().enumerate();
        let last =
            last.map(|(layer, input)| conv_norm(source, layer_names(name, STAGES + 1, layer), [input, wide]));
        Ok(Self {
            embedding,
            stages: stages.collect::<Result<_, _>>()?,
            last: last.collect::<Result<_, _>>()?,
            dense: MlpHead::load(source, name, (&DENSE, Bias::Absent), wide, Some(config.dense))?,
            height: config.height,
        })
    }

    /// Clouds → features `[clouds, width]`.
    pub fn encode(&self, clouds: &CloudBatch) -> Tensor<2> {
        self.encode_with_hook(clouds, |_, _| {})
    }

    /// As [`encode`](Self::encode); `hook` is called with the groups of each stage, counted from 1.
    pub fn encode_with_hook(&self, clouds: &CloudBatch, mut hook: impl FnMut(usize, &[Groups])) -> Tensor<2> {
        let device = self.embedding.weight().device();
        let mut sets = PointBatch::of(clouds);
        let mut x = self.embedding.forward(self.points(clouds, &sets, &device));
        let mut radius = RADIUS;
        for (stage, index) in self.stages.iter().zip(1..) {
            let neighborhood = Neighborhood::Ball(Ball::Open { radius });
            let half = (sets.n_points() / 2).max(1);
            let sa_config =
                SetAbstractionConfig { stage: index, groups: half, size: BALL_SIZE, neighborhood };
            // This sampler always starts at the first point.
            let groups = sets.group(sa_config, FpsKernel::Openpoints, FpsStart::default());
            hook(index, &groups);
            x = stage.forward(x, &sets, &groups, radius);
            sets = sets.centers(&groups);
            radius *= GROWTH;
        }
        // The last stage has one group of all points, with absolute positions.
        let all = Tensor::cat(vec![sets.tensor(&device), x], 2);
        let all = self.last.iter().fold(all, |x, layer| activation::relu(layer.forward(x)));
        self.dense.forward(all.max_dim(1).squeeze_dim(1))
    }

    /// Positions and, if `height`, the height above the lowest point: `[clouds, points, 3 or 4]`.
    fn points(&self, clouds: &CloudBatch, sets: &PointBatch, device: &Device) -> Tensor<3> {
        let positions = sets.tensor(device);
        if !self.height {
            return positions;
        }
        let heights = clouds.as_slice().iter().flat_map(|cloud| {
            // Height is measured along y, the up axis of the data.
            let lowest = cloud.positions.iter().fold(f32::INFINITY, |m, p| m.min(p.y));
            cloud.positions.iter().map(move |p| glam::Vec3::splat(p.y - lowest))
        });
        let shape = [clouds.n_clouds(), clouds.n_points(), 3];
        // One channel of three: `positions_tensor` writes triples.
        let heights = positions_tensor(heights, shape, device).slice([0..shape[0], 0..shape[1], 0..1]);
        Tensor::cat(vec![positions, heights], 2)
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        let mut linear = |layer: &Linear, name: &str| {
            layer.save(&format!("{name}.weight"), Some(&format!("{name}.bias")), list);
        };
        linear(&self.embedding, &embedding_name(name));
        for (stage, index) in self.stages.iter().zip(1..) {
            linear(&stage.skip, &skip_name(name, index));
        }
        let inner = self.stages.iter().zip(1..).map(|(stage, index)| (&stage.inner, index, 0));
        let outer = self.stages.iter().zip(1..).map(|(stage, index)| (&stage.outer, index, 1));
        let last = self.last.iter().enumerate().map(|(layer, conv)| (conv, STAGES + 1, layer));
        for (layer, stage, place) in inner.chain(outer).chain(last) {
            let [conv, norm] = layer_names(name, stage, place);
            layer.save([&conv, &norm], list);
        }
        self.dense.save(name, &DENSE, list);
    }
}

impl PointNextConfig {
    /// ULIP's PointNeXt-S.
    pub fn ulip() -> Self {
        Self { height: true, width: 32, dense: [512, 256] }
    }

    /// Width of the features.
    pub fn features(&self) -> usize {
        self.dense[1]
    }

    /// Validates the sizes.
    ///
    /// # Errors
    /// Describes the size that is out of range.
    pub fn check(&self) -> Result<(), String> {
        match self.width {
            1..=MAX_WIDTH => Ok(()),
            width => Err(format!("an embedding of width {width}, expected 1 to {MAX_WIDTH}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use glam::Vec3;

    use super::super::PreparedCloud;
    use super::*;

    /// The paper's order of work is the slow twin.
    #[test]
    fn fused_stage_matches_reference() {
        let device = Device::flex();
        let stage = Stage::load(&WeightSource::random(3, &device), "", 1, 8).expect("new weights");
        let number = |i: usize| ((i * i) as f32 * 0.618).sin();
        let position = |i: usize| Vec3::new(number(i), number(i + 50), number(i + 100));
        let cloud =
            |c: usize| PreparedCloud { positions: (c..c + 40).map(position).collect(), colors: Vec::new() };
        let clouds = [cloud(0), cloud(7)];
        let sets = PointBatch::of(&CloudBatch::new(&clouds, false).expect("two clouds"));
        let neighborhood = Neighborhood::Ball(Ball::Open { radius: 0.6 });
        let sa_config = SetAbstractionConfig { stage: 1, groups: 20, size: 6, neighborhood };
        let groups = sets.group(sa_config, FpsKernel::Openpoints, FpsStart::default());
        let x = TensorData::new((0..2 * 40 * 8).map(number).collect::<Vec<_>>(), [2, 40, 8]);
        let x = Tensor::<3>::from_data(x, &device);
        let fast = stage.grouped_fused(x.clone(), &sets, &groups, 0.6);
        let slow = stage.grouped_reference(x, &sets, &groups, 0.6);
        assert_eq!(fast.dims(), [2, 20, 16]);
        let difference = (fast - slow.clone()).abs().max() / slow.abs().max();
        assert!(difference.into_scalar::<f32>() < 2e-6);
    }
}
