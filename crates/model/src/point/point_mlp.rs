//! PointMLP, as used by ULIP and CG3D: groups of nearest neighbors, normalized with a learned affine map, pass residual blocks
//! of pointwise convolutions.

use burn::module::{Module, Param};
use burn::tensor::{Tensor, activation, module};
use serde::{Deserialize, Serialize};

use super::host_kernels::{RelativeFeatures, group_std};
use super::mlp_head::{MlpHead, MlpHeadNames};
use super::set_abstraction::{FpsKernel, PointBatch, SetAbstractionConfig, gather_centers, gather_members};
use super::{CloudBatch, FpsStart, Groups, Neighborhood};
use crate::nn::host::elementwise::max_pool_groups;
use crate::nn::host::is_host_no_grad;
use crate::nn::{Bias, ConvNorm};
use crate::weights::{Initializer, TensorList, WeightSource, WeightsError};

/// Added to the standard deviation of a cloud's groups.
const SCALE_EPSILON: f64 = 1e-5;
/// Most points of a configuration.
const MAX_POINTS: usize = 1 << 20;
/// Names of the MLP after pooling; the indices in between are dropout and activations.
const DENSE: MlpHeadNames = [["classifier.0", "classifier.1"], ["classifier.4", "classifier.5"]];

/// Sizes of a [`PointMlp`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointMlpConfig {
    /// Channels of the embedded points.
    pub width: usize,
    /// The stages.
    pub stages: Vec<PointMlpStage>,
    /// Neighbors of an anchor, itself included.
    pub neighbors: usize,
    /// The first stage has half this number of anchors, the second half of those, and so on. A constant of the architecture:
    /// clouds may have any size.
    pub points: usize,
    /// Sampling of anchors.
    pub sampler: FpsKernel,
    /// Widths of the MLP after pooling, in ULIP's encoder and CG3D's classifiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dense: Option<[usize; 2]>,
}

/// Sizes of one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointMlpStage {
    /// Channels of its output.
    pub width: usize,
    /// Channels inside its residual blocks: fewer than `width` in PointMLP-elite.
    pub inner: usize,
    /// Residual blocks before the maximum over the neighbors.
    pub before: usize,
    /// Residual blocks after it.
    pub after: usize,
}

/// Intermediate results of [`PointMlp::encode_with_hook`].
pub enum Intermediate<'a> {
    /// Features `[clouds, points, channels]`.
    Features(&'a Tensor<3>),
    /// Anchors and their neighbors, cloud by cloud.
    Groups(&'a [Groups]),
}

/// PointMLP ([arXiv 2202.07123](https://arxiv.org/abs/2202.07123)).
#[derive(Module, Debug)]
pub struct PointMlp {
    embedding: ConvNorm,
    stages: Vec<Stage>,
    dense: MlpHead,
    points: usize,
    neighbors: usize,
    #[module(skip)]
    sampler: FpsKernel,
}

#[derive(Module, Debug)]
struct Stage {
    alpha: Param<Tensor<1>>,
    beta: Param<Tensor<1>>,
    transfer: ConvNorm,
    before: Vec<Residual>,
    after: Vec<Residual>,
}

/// `relu(x + net2(relu(net1(x))))`.
#[derive(Module, Debug)]
struct Residual {
    net1: ConvNorm,
    net2: ConvNorm,
}

/// Names of the parts of a stage, for `load` and `save`.
struct StageNames {
    affine: [String; 2],
    transfer: [String; 2],
    before: String,
    after: String,
}

impl StageNames {
    fn new(name: &str, index: usize) -> Self {
        let (before, after) =
            (format!("{name}.pre_blocks_list.{index}"), format!("{name}.pos_blocks_list.{index}"));
        Self {
            affine: ["alpha", "beta"].map(|part| format!("{name}.local_grouper_list.{index}.affine_{part}")),
            // Indices of a released `nn.Sequential`: convolution, then norm.
            transfer: [0, 1].map(|layer| format!("{before}.transfer.net.{layer}")),
            before: format!("{before}.operation"),
            after: format!("{after}.operation"),
        }
    }
}

fn residual_names(name: &str) -> [[String; 2]; 2] {
    ["net1", "net2"].map(|net| [0, 1].map(|layer| format!("{name}.{net}.{layer}")))
}

impl Residual {
    fn load(source: &WeightSource, name: &str, width: usize, inner: usize) -> Result<Self, WeightsError> {
        let [net1, net2] = residual_names(name);
        let net =
            |[conv, norm]: [String; 2], sizes| ConvNorm::load(source, [&conv, &norm], Bias::Absent, sizes);
        Ok(Self { net1: net(net1, [width, inner])?, net2: net(net2, [inner, width])? })
    }

    /// `[rows, width]` → the same shape.
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        // The skip connection is added before the last ReLU, in the same pass.
        let inner = self.net1.forward_relu(x.clone(), None);
        self.net2.forward_relu(inner, Some(x))
    }

    fn save(&self, name: &str, list: &mut TensorList) {
        for (net, [conv, norm]) in [&self.net1, &self.net2].into_iter().zip(residual_names(name)) {
            net.save([&conv, &norm], list);
        }
    }
}

impl Stage {
    fn load(
        source: &WeightSource,
        names: &StageNames,
        input: usize,
        config: PointMlpStage,
    ) -> Result<Self, WeightsError> {
        let PointMlpStage { width, inner, .. } = config;
        let affine = |name: &str, start: f32| {
            source.tensor(name, [input], Initializer::Constant(start)).map(Param::from_tensor)
        };
        let blocks = |name: &str, count: usize| -> Result<Vec<Residual>, WeightsError> {
            (0..count).map(|block| Residual::load(source, &format!("{name}.{block}"), width, inner)).collect()
        };
        let [conv, norm] = &names.transfer;
        Ok(Self {
            alpha: affine(&names.affine[0], 1.0)?,
            beta: affine(&names.affine[1], 0.0)?,
            transfer: ConvNorm::load(source, [conv, norm], Bias::Absent, [2 * input, width])?,
            before: blocks(&names.before, config.before)?,
            after: blocks(&names.after, config.after)?,
        })
    }

    /// Features of points `[clouds, points, input]` → of the anchors `[clouds, anchors, width]`, up to the max pooling.
    fn set_abstraction(&self, x: Tensor<3>, groups: &[Groups]) -> Tensor<3> {
        if is_host_no_grad(&x) {
            self.set_abstraction_fused(x, groups)
        } else {
            self.set_abstraction_reference(x, groups)
        }
    }

    /// As in the paper: the difference of every member from its anchor, concatenated with the anchor.
    fn set_abstraction_reference(&self, x: Tensor<3>, groups: &[Groups]) -> Tensor<3> {
        // Geometric affine module (section 3.2): normalize members around their anchor, then scale and shift.
        let anchor = gather_centers(x.clone(), groups).unsqueeze_dim::<4>(2);
        let around = gather_members(x, groups) - anchor.clone();
        let [clouds, anchors, size, channels] = around.dims();
        // One deviation per cloud, over all groups and channels.
        let spread = deviation(around.clone().reshape([clouds, anchors * size * channels])) + SCALE_EPSILON;
        let around = around / spread.reshape([clouds, 1, 1, 1]);
        let around = around * self.alpha.val().unsqueeze::<4>() + self.beta.val().unsqueeze::<4>();
        // The anchor is repeated for each member, as the normalized offset alone has lost it.
        let x = Tensor::cat(vec![around, anchor.repeat_dim(2, size)], 3);
        let x = self.transfer.forward_relu(x.reshape([clouds * anchors * size, 2 * channels]), None);
        let x = self.before.iter().fold(x, |x, block| block.forward(x));
        let [_, width] = x.dims();
        x.reshape([clouds, anchors, size, width]).max_dim(2).squeeze_dim(2)
    }

    /// The same with the first product computed once per point.
    fn set_abstraction_fused(&self, x: Tensor<3>, groups: &[Groups]) -> Tensor<3> {
        let [_, _, channels] = x.dims();
        let (weight, bias) = self.transfer.folded();
        let [_, width] = weight.dims();
        // `W [around; anchor] = W₁ around + W₂ anchor`: the two parts of the weight.
        let of_around = weight.clone().slice([0..channels, 0..width]);
        let of_anchor = weight.slice([channels..2 * channels, 0..width]);
        // β passes through the linear layer as a constant; α scales rows of the weight.
        let constant = self.beta.val().unsqueeze::<2>().matmul(of_around.clone()).squeeze_dim::<1>(0) + bias;
        let of_around = of_around * self.alpha.val().unsqueeze_dim::<2>(1);
        let points = module::linear(x.clone(), of_around, None);
        // The deviation is a scalar per cloud, so it can be applied after the product.
        let scales = group_std(&x, groups).into_iter().map(|spread| 1.0 / (spread + SCALE_EPSILON as f32));
        let differences = RelativeFeatures {
            centers: gather_centers(points.clone(), groups),
            shifts: module::linear(gather_centers(x, groups), of_anchor, Some(constant)),
            scales: scales.collect(),
            points,
        };
        differences.map_groups(groups, |x, size| {
            max_pool_groups(self.before.iter().fold(x, |x, block| block.forward(x)), size)
        })
    }

    /// The blocks after max pooling: `[clouds, anchors, width]` → the same shape.
    fn apply_post_blocks(&self, x: Tensor<3>) -> Tensor<3> {
        let dims @ [clouds, anchors, width] = x.dims();
        let rows = x.reshape([clouds * anchors, width]);
        self.after.iter().fold(rows, |x, block| block.forward(x)).reshape(dims)
    }

    fn save(&self, names: &StageNames, list: &mut TensorList) {
        list.push(names.affine[0].clone(), self.alpha.val());
        list.push(names.affine[1].clone(), self.beta.val());
        self.transfer.save([&names.transfer[0], &names.transfer[1]], list);
        for (blocks, name) in [(&self.before, &names.before), (&self.after, &names.after)] {
            for (index, block) in blocks.iter().enumerate() {
                block.save(&format!("{name}.{index}"), list);
            }
        }
    }
}

/// The unbiased standard deviation of each row: `[rows, n]` → `[rows, 1]`.
fn deviation(x: Tensor<2>) -> Tensor<2> {
    let n = x.dims()[1] as f64;
    let centered = x.clone() - x.mean_dim(1);
    // Unbiased, as `torch.std` by default.
    ((centered.clone() * centered).sum_dim(1) / (n - 1.0).max(1.0)).sqrt()
}

impl PointMlp {
    /// Reads `{name}.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &PointMlpConfig) -> Result<Self, WeightsError> {
        let [conv, norm] = embedding_names(name);
        let inputs = std::iter::once(config.width).chain(config.stages.iter().map(|stage| stage.width));
        let stages = (config.stages.iter().zip(inputs).enumerate())
            .map(|(index, (stage, input))| Stage::load(source, &StageNames::new(name, index), input, *stage));
        Ok(Self {
            embedding: ConvNorm::load(source, [&conv, &norm], Bias::Absent, [3, config.width])?,
            stages: stages.collect::<Result<_, _>>()?,
            dense: MlpHead::load(source, name, (&DENSE, Bias::Learned), config.pooled(), config.dense)?,
            points: config.points,
            neighbors: config.neighbors,
            sampler: config.sampler,
        })
    }

    /// Clouds → features `[clouds, width]`.
    pub fn encode(&self, clouds: &CloudBatch, start: FpsStart) -> Tensor<2> {
        self.encode_with_hook(clouds, start, |_, _| {})
    }

    /// As [`encode`](Self::encode); `hook` is called with `embedding`, and for each stage with its groups, `stage0_pre` (after
    /// max pooling) and `stage0_pos`.
    pub fn encode_with_hook(
        &self,
        clouds: &CloudBatch,
        start: FpsStart,
        mut hook: impl FnMut(&str, Intermediate),
    ) -> Tensor<2> {
        let mut sets = PointBatch::of(clouds);
        let positions = sets.tensor(&self.embedding.device());
        let mut x = activation::relu(self.embedding.forward(positions));
        hook("embedding", Intermediate::Features(&x));
        let mut anchors = self.points;
        for (index, stage) in self.stages.iter().enumerate() {
            // Fixed by the architecture, not by the cloud's size.
            anchors = (anchors / 2).max(1);
            let neighborhood = Neighborhood::Nearest;
            let sa_config =
                SetAbstractionConfig { stage: index, groups: anchors, size: self.neighbors, neighborhood };
            let groups = sets.group(sa_config, self.sampler, start);
            hook(&format!("stage{index}"), Intermediate::Groups(&groups));
            x = stage.set_abstraction(x, &groups);
            hook(&format!("stage{index}_pre"), Intermediate::Features(&x));
            x = stage.apply_post_blocks(x);
            hook(&format!("stage{index}_pos"), Intermediate::Features(&x));
            // The next stage groups the anchors of this one.
            sets = sets.centers(&groups);
        }
        // Global max pooling over the remaining anchors.
        self.dense.forward(x.max_dim(1).squeeze_dim(1))
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        let [conv, norm] = embedding_names(name);
        self.embedding.save([&conv, &norm], list);
        for (index, stage) in self.stages.iter().enumerate() {
            stage.save(&StageNames::new(name, index), list);
        }
        self.dense.save(name, &DENSE, list);
    }
}

fn embedding_names(name: &str) -> [String; 2] {
    [0, 1].map(|layer| format!("{name}.embedding.net.{layer}"))
}

impl PointMlpConfig {
    /// ULIP's encoder. CG3D's has another sampler and no MLP after pooling.
    pub fn ulip() -> Self {
        let stage = |width| PointMlpStage { width, inner: width, before: 2, after: 2 };
        Self {
            width: 64,
            stages: [128, 256, 512, 1024].map(stage).to_vec(),
            neighbors: 24,
            points: 1024,
            sampler: FpsKernel::Loop,
            dense: Some([512, 256]),
        }
    }

    /// Width of the pooled features.
    fn pooled(&self) -> usize {
        self.stages.last().map_or(self.width, |stage| stage.width)
    }

    /// Width of the features.
    pub fn features(&self) -> usize {
        self.dense.map_or(self.pooled(), |widths| widths[1])
    }

    /// Validates the sizes.
    ///
    /// # Errors
    /// Describes the size that is out of range.
    pub fn check(&self) -> Result<(), String> {
        let Self { points, neighbors, .. } = *self;
        if self.stages.is_empty() {
            return Err("no stages".to_owned());
        }
        if points == 0 || points > MAX_POINTS || neighbors == 0 || neighbors > points {
            return Err(format!("{neighbors} neighbors of {points} points"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use glam::Vec3;

    use super::super::PreparedCloud;
    use super::*;

    /// The paper's order of work is the slow twin.
    #[test]
    fn fused_stage_matches_reference() {
        let device = Device::flex();
        let config = PointMlpStage { width: 24, inner: 12, before: 2, after: 1 };
        let stage = Stage::load(&WeightSource::random(3, &device), &StageNames::new("", 0), 10, config)
            .expect("new weights");
        let number = |i: usize| ((i * i) as f32 * 0.618).sin();
        let cloud = |c: usize| PreparedCloud {
            positions: (0..40).map(|i| Vec3::new(number(i + c), number(i + 50), number(i + 100))).collect(),
            colors: Vec::new(),
        };
        let clouds = [cloud(0), cloud(7), cloud(19)];
        let sets = PointBatch::of(&CloudBatch::new(&clouds, false).expect("three clouds"));
        let sa_config =
            SetAbstractionConfig { stage: 0, groups: 16, size: 5, neighborhood: Neighborhood::Nearest };
        let groups = sets.group(sa_config, FpsKernel::Loop, FpsStart::Seed(4));
        let x = TensorData::new((0..3 * 40 * 10).map(number).collect::<Vec<_>>(), [3, 40, 10]);
        let x = Tensor::<3>::from_data(x, &device);
        let (fast, slow) =
            (stage.set_abstraction_fused(x.clone(), &groups), stage.set_abstraction_reference(x, &groups));
        assert_eq!(fast.dims(), [3, 16, 24]);
        let difference = (fast - slow.clone()).abs().max() / slow.abs().max();
        assert!(difference.into_scalar::<f32>() < 2e-6);
    }
}
