//! PointNet++, as used by ULIP: two set abstractions with balls of one or of several radii, then one over all remaining points.

use burn::module::Module;
use burn::tensor::Tensor;
use lexiform_geometry::neighbors::Ball;
use serde::{Deserialize, Serialize};

use super::mlp_head::{MlpHead, MlpHeadNames};
use super::set_abstraction::{FpsKernel, PointBatch, SetAbstractionConfig, gather_members};
use super::shared_mlp::SharedMlp;
use super::{CloudBatch, FpsStart, Groups, Neighborhood};
use crate::nn::Bias;
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Balls of one radius in a stage: radius, points of a ball, and widths of their shared MLP.
type Scale = (f32, usize, [usize; 3]);
/// Number of centers of a stage, and its scales.
type StageSizes = (usize, &'static [Scale]);

/// ULIP's `pointnet2_ssg`.
const SINGLE: [StageSizes; 2] = [(512, &[(0.2, 32, [64, 64, 128])]), (128, &[(0.4, 64, [128, 128, 256])])];
/// ULIP's `pointnet2_msg`.
const MULTI: [StageSizes; 2] = [
    (512, &[(0.1, 16, [32, 32, 64]), (0.2, 32, [64, 64, 128]), (0.4, 128, [64, 96, 128])]),
    (128, &[(0.2, 32, [64, 64, 128]), (0.4, 64, [128, 128, 256]), (0.8, 128, [128, 128, 256])]),
];
/// Widths of the layers over the last group.
const GLOBAL_WIDTHS: [usize; 3] = [256, 512, 1024];
/// Names of the MLP after pooling.
const DENSE: MlpHeadNames = [["fc1", "bn1"], ["fc2", "bn2"]];
/// Their widths.
const DENSE_WIDTHS: [usize; 2] = [512, 256];

/// Radii around a center.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupingScales {
    /// Single-scale grouping (SSG): one radius in each stage.
    #[default]
    Single,
    /// Multi-scale grouping (MSG): three radii in each stage, whose features are concatenated.
    Multi,
}

/// Sizes of a [`PointNet2`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointNet2Config {
    /// Radii around a center.
    #[serde(default)]
    pub scales: GroupingScales,
}

impl PointNet2Config {
    fn stages(self) -> [StageSizes; 2] {
        match self.scales {
            GroupingScales::Single => SINGLE,
            GroupingScales::Multi => MULTI,
        }
    }

    /// Names of the lists of convolutions and of norms of a scale.
    fn lists(self, name: &str, stage: usize, scale: usize) -> [String; 2] {
        let stage = stage + 1;
        match self.scales {
            GroupingScales::Single => ["mlp_convs", "mlp_bns"].map(|list| format!("{name}.sa{stage}.{list}")),
            GroupingScales::Multi => {
                ["conv_blocks", "bn_blocks"].map(|list| format!("{name}.sa{stage}.{list}.{scale}"))
            }
        }
    }
}

/// PointNet++ with single-scale or multi-scale grouping ([arXiv 1706.02413](https://arxiv.org/abs/1706.02413)).
#[derive(Module, Debug)]
pub struct PointNet2 {
    stages: Vec<Stage>,
    last: SharedMlp,
    dense: MlpHead,
    /// Not a part of the weights.
    #[module(skip)]
    config: PointNet2Config,
}

/// One shared MLP for each scale.
#[derive(Module, Debug)]
struct Stage {
    scales: Vec<SharedMlp>,
}

/// The lists of the last shared MLP.
fn last_lists(name: &str) -> [String; 2] {
    PointNet2Config { scales: GroupingScales::Single }.lists(name, 2, 0)
}

impl PointNet2 {
    /// Width of the features.
    pub const WIDTH: usize = 256;

    /// Reads `{name}.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str, config: &PointNet2Config) -> Result<Self, WeightsError> {
        let mut input = 3;
        let mut stages = Vec::new();
        for (stage, (_, sizes)) in config.stages().into_iter().enumerate() {
            let load = |(scale, (.., widths)): (usize, &Scale)| {
                let [convs, norms] = config.lists(name, stage, scale);
                SharedMlp::load(source, [&convs, &norms], input, widths)
            };
            stages.push(Stage { scales: sizes.iter().enumerate().map(load).collect::<Result<_, _>>()? });
            input = 3 + sizes.iter().map(|(.., widths)| widths[2]).sum::<usize>();
        }
        let [convs, norms] = last_lists(name);
        let last = SharedMlp::load(source, [&convs, &norms], input, &GLOBAL_WIDTHS)?;
        let (pooled, widths) = (GLOBAL_WIDTHS[2], Some(DENSE_WIDTHS));
        let dense = MlpHead::load(source, name, (&DENSE, Bias::Learned), pooled, widths)?;
        Ok(Self { stages, last, dense, config: *config })
    }

    /// Clouds → features `[clouds, 256]`.
    pub fn encode(&self, clouds: &CloudBatch, start: FpsStart) -> Tensor<2> {
        let device = self.last.device();
        let mut sets = PointBatch::of(clouds);
        let mut features: Option<Tensor<3>> = None;
        for (index, (stage, (groups, scales))) in self.stages.iter().zip(self.config.stages()).enumerate() {
            let around = |&(radius, size, _): &Scale| {
                let neighborhood = Neighborhood::Ball(Ball::Closed { radius });
                SetAbstractionConfig { stage: index, groups, size, neighborhood }
            };
            let first = sets.group(around(&scales[0]), FpsKernel::Loop, start);
            let mut outputs =
                vec![stage.scales[0].pooled(self.group_features(&sets, &first, features.as_ref()))];
            for (mlp, scale) in stage.scales.iter().zip(scales).skip(1) {
                // The same centers with other balls.
                let groups = sets.regroup(&first, around(scale));
                outputs.push(mlp.pooled(self.group_features(&sets, &groups, features.as_ref())));
            }
            features = Some(Tensor::cat(outputs, 2));
            sets = sets.centers(&first);
        }
        let all = std::iter::once(sets.tensor(&device)).chain(features).collect();
        // `group_all`: one group of all remaining points, with absolute positions.
        let all = Tensor::cat(all, 2).unsqueeze_dim::<4>(1);
        self.dense.forward(self.last.pooled(all).squeeze_dim(1))
    }

    /// Offsets and features of the members, `[sets, groups, size, 3 + channels]`.
    fn group_features(
        &self,
        sets: &PointBatch,
        groups: &[Groups],
        features: Option<&Tensor<3>>,
    ) -> Tensor<4> {
        let offsets = sets.offsets(groups, &self.last.device());
        let Some(features) = features else { return offsets };
        let members = gather_members(features.clone(), groups);
        // The references' weights were trained with these orders.
        match self.config.scales {
            GroupingScales::Single => Tensor::cat(vec![offsets, members], 3),
            GroupingScales::Multi => Tensor::cat(vec![members, offsets], 3),
        }
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        for (index, stage) in self.stages.iter().enumerate() {
            for (scale, mlp) in stage.scales.iter().enumerate() {
                let [convs, norms] = self.config.lists(name, index, scale);
                mlp.save([&convs, &norms], list);
            }
        }
        let [convs, norms] = last_lists(name);
        self.last.save([&convs, &norms], list);
        self.dense.save(name, &DENSE, list);
    }
}
