//! PointNet++ with single-scale grouping, as used by ULIP: two set abstractions with balls, then one over all remaining points.

use burn::module::Module;
use burn::tensor::Tensor;
use lexiform_geometry::neighbors::Ball;

use super::mlp_head::{MlpHead, MlpHeadNames};
use super::set_abstraction::{FpsKernel, PointBatch, SetAbstractionConfig, gather_members};
use super::{CloudBatch, FpsStart, Neighborhood};
use crate::nn::host::elementwise::max_pool_groups;
use crate::nn::host::is_host_no_grad;
use crate::nn::{Bias, ConvNorm};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Number of centers, radius of balls, points of a ball, and widths of the layers (ULIP, `pointnet2_ssg`).
const SET_ABSTRACTIONS: [(usize, f32, usize, [usize; 3]); 2] =
    [(512, 0.2, 32, [64, 64, 128]), (128, 0.4, 64, [128, 128, 256])];
/// Widths of the layers over the last group.
const GLOBAL_WIDTHS: [usize; 3] = [256, 512, 1024];
/// Names of the MLP after pooling.
const DENSE: MlpHeadNames = [["fc1", "bn1"], ["fc2", "bn2"]];
/// Their widths.
const DENSE_WIDTHS: [usize; 2] = [512, 256];

/// PointNet++ with single-scale grouping ([arXiv 1706.02413](https://arxiv.org/abs/1706.02413)).
#[derive(Module, Debug)]
pub struct PointNet2 {
    sa1: SharedMlp,
    sa2: SharedMlp,
    sa3: SharedMlp,
    dense: MlpHead,
}

/// Pointwise convolutions, each with batch norm and ReLU.
#[derive(Module, Debug)]
struct SharedMlp {
    layers: Vec<ConvNorm>,
}

impl SharedMlp {
    fn names(name: &str, layer: usize) -> [String; 2] {
        ["mlp_convs", "mlp_bns"].map(|list| format!("{name}.{list}.{layer}"))
    }

    fn load(
        source: &WeightSource,
        name: &str,
        input: usize,
        widths: [usize; 3],
    ) -> Result<Self, WeightsError> {
        let inputs = [input, widths[0], widths[1]];
        let layers = widths.into_iter().zip(inputs).enumerate().map(|(layer, (width, input))| {
            let [conv, norm] = Self::names(name, layer);
            ConvNorm::load(source, [&conv, &norm], Bias::Learned, [input, width])
        });
        Ok(Self { layers: layers.collect::<Result<_, _>>()? })
    }

    /// The layers and max pooling over members: `[sets, groups, size, channels]` → `[sets, groups, width]`.
    fn pooled(&self, x: Tensor<4>) -> Tensor<3> {
        let [sets, groups, size, channels] = x.dims();
        let rows = x.reshape([sets * groups * size, channels]);
        let rows = self.layers.iter().fold(rows, |x, layer| layer.forward_relu(x, None));
        let [_, width] = rows.dims();
        let most = if is_host_no_grad(&rows) {
            max_pool_groups(rows, size)
        } else {
            rows.reshape([sets * groups, size, width]).max_dim(1).squeeze_dim(1)
        };
        most.reshape([sets, groups, width])
    }

    fn save(&self, name: &str, list: &mut TensorList) {
        for (index, layer) in self.layers.iter().enumerate() {
            let [conv, norm] = Self::names(name, index);
            layer.save([&conv, &norm], list);
        }
    }
}

impl PointNet2 {
    /// Width of the features.
    pub const WIDTH: usize = 256;

    /// Reads `{name}.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str) -> Result<Self, WeightsError> {
        let [(.., first), (.., second)] = SET_ABSTRACTIONS;
        Ok(Self {
            sa1: SharedMlp::load(source, &format!("{name}.sa1"), 3, first)?,
            sa2: SharedMlp::load(source, &format!("{name}.sa2"), 3 + first[2], second)?,
            sa3: SharedMlp::load(source, &format!("{name}.sa3"), 3 + second[2], GLOBAL_WIDTHS)?,
            dense: MlpHead::load(
                source,
                name,
                (&DENSE, Bias::Learned),
                GLOBAL_WIDTHS[2],
                Some(DENSE_WIDTHS),
            )?,
        })
    }

    /// Clouds → features `[clouds, 256]`.
    pub fn encode(&self, clouds: &CloudBatch, start: FpsStart) -> Tensor<2> {
        let device = self.sa1.layers[0].device();
        let mut sets = PointBatch::of(clouds);
        let mut features: Option<Tensor<3>> = None;
        for (stage, (mlp, (groups, radius, size, _))) in
            [&self.sa1, &self.sa2].into_iter().zip(SET_ABSTRACTIONS).enumerate()
        {
            let neighborhood = Neighborhood::Ball(Ball::Closed { radius });
            let groups = sets.group(
                SetAbstractionConfig { stage, groups, size, neighborhood },
                FpsKernel::Loop,
                start,
            );
            let mut group = sets.offsets(&groups, &device);
            if let Some(features) = features {
                // Offsets come first, as in the released weights.
                group = Tensor::cat(vec![group, gather_members(features, &groups)], 3);
            }
            features = Some(mlp.pooled(group));
            sets = sets.centers(&groups);
        }
        let all = std::iter::once(sets.tensor(&device)).chain(features).collect();
        // `group_all`: one group of all remaining points, with absolute positions.
        let all = Tensor::cat(all, 2).unsqueeze_dim::<4>(1);
        let pooled = self.sa3.pooled(all).squeeze_dim(1);
        self.dense.forward(pooled)
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        for (mlp, part) in [(&self.sa1, "sa1"), (&self.sa2, "sa2"), (&self.sa3, "sa3")] {
            mlp.save(&format!("{name}.{part}"), list);
        }
        self.dense.save(name, &DENSE, list);
    }
}
