//! PointConv, as trained by CG3D: convolutions over the nearest points whose weights are a function of the offset, scaled by the
//! inverse density of the points.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use glam::Vec3;
use rayon::prelude::*;

use super::set_abstraction::{FpsKernel, PointBatch, SetAbstractionConfig, gather_members};
use super::shared_mlp::SharedMlp;
use super::{CloudBatch, FpsStart, Groups, Neighborhood};
use crate::nn::{Bias, ConvNorm};
use crate::weights::{TensorList, WeightSource, WeightsError};

/// Sizes of a stage.
struct StageSizes {
    /// Number of centers and of neighbors; `None`: one group of all points around their mean.
    groups: Option<[usize; 2]>,
    /// Widths of the shared MLP.
    widths: [usize; 3],
    /// Standard deviation of the Gaussian kernel that estimates density.
    bandwidth: f32,
}

/// Sizes of CG3D's `PointConvDensityClsSsgProject`.
const STAGES: [StageSizes; 3] = [
    StageSizes { groups: Some([512, 32]), widths: [64, 64, 128], bandwidth: 0.1 },
    StageSizes { groups: Some([128, 64]), widths: [128, 128, 256], bandwidth: 0.2 },
    StageSizes { groups: None, widths: [256, 512, 1024], bandwidth: 0.4 },
];
/// Widths of the network from offsets to weights; each point gets as many weights as the last.
const WEIGHT_WIDTHS: [usize; 3] = [8, 8, 16];
/// Widths of the network from inverse density to a scale.
const DENSITY_WIDTHS: [usize; 3] = [16, 8, 1];

/// PointConv ([arXiv 1811.07246](https://arxiv.org/abs/1811.07246)), section 3.2: efficient version with inverse density.
#[derive(Module, Debug)]
pub struct PointConv {
    stages: Vec<Stage>,
}

#[derive(Module, Debug)]
struct Stage {
    mlp: SharedMlp,
    weights: SharedMlp,
    density: SharedMlp,
    linear: ConvNorm,
}

/// The points around each center of a stage.
struct Neighbors {
    /// Positions relative to the center, `[sets, groups, size, 3]`.
    offsets: Tensor<4>,
    /// Features, `[sets, groups, size, channels]`.
    features: Tensor<4>,
    /// Inverse density divided by the largest of the group, `[sets, groups, size, 1]`.
    inverse_density: Tensor<4>,
}

fn lists(stage: &str, network: &str) -> [String; 2] {
    ["mlp_convs", "mlp_bns"].map(|list| format!("{stage}{network}.{list}"))
}

impl Stage {
    fn load(
        source: &WeightSource,
        name: &str,
        input: usize,
        widths: [usize; 3],
    ) -> Result<Self, WeightsError> {
        let mlp = |network: &str, input: usize, widths: &[usize]| {
            let [convs, norms] = lists(name, network);
            SharedMlp::load(source, [&convs, &norms], input, widths)
        };
        let [linear, norm] = ["linear", "bn_linear"].map(|part| format!("{name}.{part}"));
        let sizes = [WEIGHT_WIDTHS[2] * widths[2], widths[2]];
        Ok(Self {
            mlp: mlp("", input, &widths)?,
            weights: mlp(".weightnet", 3, &WEIGHT_WIDTHS)?,
            density: mlp(".densitynet", 1, &DENSITY_WIDTHS)?,
            linear: ConvNorm::load(source, [&linear, &norm], Bias::Learned, sizes)?,
        })
    }

    /// Features of the centers, `[sets, groups, width]`.
    fn forward(&self, neighbors: Neighbors) -> Tensor<3> {
        let Neighbors { offsets, features, inverse_density } = neighbors;
        let features = self.mlp.forward(Tensor::cat(vec![offsets.clone(), features], 3));
        // The reference meant a sigmoid after the last layer and applies ReLU.
        let features = features * self.density.forward(inverse_density);
        // Equation 4: a sum over neighbors of features times weights.
        let sums = features.swap_dims(2, 3).matmul(self.weights.forward(offsets));
        let [sets, groups, width, weights] = sums.dims();
        let rows = self.linear.forward_relu(sums.reshape([sets * groups, width * weights]), None);
        rows.reshape([sets, groups, width])
    }

    fn save(&self, name: &str, list: &mut TensorList) {
        for (mlp, network) in [(&self.mlp, ""), (&self.weights, ".weightnet"), (&self.density, ".densitynet")]
        {
            let [convs, norms] = lists(name, network);
            mlp.save([&convs, &norms], list);
        }
        let [linear, norm] = ["linear", "bn_linear"].map(|part| format!("{name}.{part}"));
        self.linear.save([&linear, &norm], list);
    }
}

impl PointConv {
    /// Width of the features.
    pub const WIDTH: usize = STAGES[2].widths[2];

    /// Reads `{name}.*`.
    ///
    /// # Errors
    /// If a tensor is missing or misshaped.
    pub fn load(source: &WeightSource, name: &str) -> Result<Self, WeightsError> {
        // The first stage's features are the positions.
        let inputs = [3, STAGES[0].widths[2], STAGES[1].widths[2]];
        let stages = STAGES.iter().zip(inputs).enumerate().map(|(index, (sizes, input))| {
            Stage::load(source, &format!("{name}.sa{}", index + 1), 3 + input, sizes.widths)
        });
        Ok(Self { stages: stages.collect::<Result<_, _>>()? })
    }

    /// Clouds → features `[clouds, 1024]`.
    pub fn encode(&self, clouds: &CloudBatch) -> Tensor<2> {
        let device = self.stages[0].mlp.device();
        let mut sets = PointBatch::of(clouds);
        let mut features = sets.tensor(&device);
        for (index, (stage, sizes)) in self.stages.iter().zip(&STAGES).enumerate() {
            let inverse = sets.map(|positions| inverse_density(positions, sizes.bandwidth));
            let Some([groups, size]) = sizes.groups else {
                features = stage.forward(all_points(&sets, features, &inverse));
                break;
            };
            let neighborhood = Neighborhood::Nearest;
            let sa_config = SetAbstractionConfig { stage: index, groups, size, neighborhood };
            let groups = sets.group(sa_config, FpsKernel::Loop, FpsStart::default());
            features = stage.forward(Neighbors {
                offsets: sets.offsets(&groups, &device),
                features: gather_members(features, &groups),
                inverse_density: member_densities(&groups, &inverse, &device),
            });
            sets = sets.centers(&groups);
        }
        features.squeeze_dim(1)
    }

    /// Adds the tensors to `list`.
    pub fn save(&self, name: &str, list: &mut TensorList) {
        for (index, stage) in self.stages.iter().enumerate() {
            stage.save(&format!("{name}.sa{}", index + 1), list);
        }
    }
}

/// One group of all points of each set, around their mean. `features` is `[sets, points, channels]`.
fn all_points(sets: &PointBatch, features: Tensor<3>, inverse: &[Vec<f32>]) -> Neighbors {
    let device = features.device();
    let positions = sets.tensor(&device);
    let offsets = positions.clone() - positions.mean_dim(1);
    let values = inverse.iter().flat_map(|inverse| relative_to_largest(inverse.iter().copied())).collect();
    let shape = [inverse.len(), 1, sets.n_points(), 1];
    Neighbors {
        offsets: offsets.unsqueeze_dim(1),
        features: features.unsqueeze_dim(1),
        inverse_density: Tensor::from_data(TensorData::new::<f32, _>(values, shape), &device),
    }
}

/// Inverse densities of the members relative to the largest of their group, `[sets, groups, size, 1]`.
fn member_densities(groups: &[Groups], inverse: &[Vec<f32>], device: &Device) -> Tensor<4> {
    let count = groups[0].centers.len();
    let size = groups[0].members.len() / count.max(1);
    let values: Vec<f32> = (groups.iter().zip(inverse))
        .flat_map(|(groups, inverse)| {
            let group = move |members: &[usize]| relative_to_largest(members.iter().map(|&i| inverse[i]));
            groups.members.chunks(size).flat_map(group)
        })
        .collect();
    Tensor::from_data(TensorData::new(values, [groups.len(), count, size, 1]), device)
}

fn relative_to_largest(values: impl Iterator<Item = f32> + Clone) -> Vec<f32> {
    let largest = values.clone().fold(f32::MIN_POSITIVE, f32::max);
    values.map(|value| value / largest).collect()
}

/// The inverse of each point's density: the mean of a Gaussian kernel over all points of the set.
fn inverse_density(positions: &[Vec3], bandwidth: f32) -> Vec<f32> {
    let exponent = -1.0 / (2.0 * bandwidth * bandwidth);
    let density = |&center: &Vec3| {
        let kernel = |&p: &Vec3| f64::from((p.distance_squared(center) * exponent).exp());
        let sum: f64 = positions.iter().map(kernel).sum();
        // The reference rounds √(2π) to 2.5; only ratios of densities reach the network.
        sum / positions.len() as f64 / f64::from(2.5 * bandwidth)
    };
    positions.par_iter().map(|center| (1.0 / density(center)) as f32).collect()
}
